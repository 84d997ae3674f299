import type { V1ServiceCIDR, V1ServiceCIDRSpec } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { networkOf, validateCanonicalCidr } from '../meta/ip.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText, keepMetaInStatus } from '../meta/object-meta.ts';

export interface ServiceCIDR extends V1ServiceCIDR {
  metadata: ObjectMeta;
  spec: V1ServiceCIDRSpec;
}

const field = 'spec.cidrs';

/** Networks that Services get their addresses from. */
export const serviceCidr = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  scope: 'cluster',
  names: { plural: 'servicecidrs' },
  schema: 'io.k8s.api.networking.v1.ServiceCIDR',
  defaults: [
    (object) => {
      object.spec ??= {};
      object.status ??= {};
    },
  ],
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === 'status') keepMetaInStatus(next.metadata, prev.metadata);
  },
  validate: ({ spec }, { verb }: WriteContext) => (verb === 'create' ? validateNetworks(spec) : []),
  validateUpdate: (next, prev, { subresource }) => (subresource === 'status' ? [] : validateChange(next.spec, prev.spec)),
  columns: [nameColumn, { name: 'CIDRs', value: ({ spec }) => (spec.cidrs ?? []).join(',') }, ageColumn],
  subresources: { status: true },
});

function validateNetworks({ cidrs = [] }: V1ServiceCIDRSpec): FieldProblem[] {
  if (cidrs.length === 0) return [required(field, 'at least one CIDR required')];
  // Upstream shows its inner form of the spec here, whose member has no name on the wire.
  if (cidrs.length > 2) return [invalid(field, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  const problems = cidrs.flatMap((cidr, at) => validateCanonicalCidr(`${field}[${at}]`, cidr));
  const [first, second] = cidrs.map((cidr) => networkOf(cidr)?.family);
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const text = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    problems.push(invalid(field, cidrs, text));
  }
  return problems;
}

/** Networks stay; a second one of the other family may come. */
function validateChange(next: V1ServiceCIDRSpec, prev: V1ServiceCIDRSpec): FieldProblem[] {
  const now = next.cidrs ?? [];
  const before = prev.cidrs ?? [];
  const isGrown = before.length === 1 && now.length === 2;
  if (now.length !== before.length && !isGrown) return [invalid(field, now, immutableText)];
  const changed = before.flatMap((cidr, at) => (cidr === now[at] ? [] : [invalid(`${field}[${at}]`, now[at], immutableText)]));
  return isGrown ? [...changed, ...validateNetworks(next)] : changed;
}
