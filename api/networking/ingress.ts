import type { V1Ingress, V1IngressSpec, V1IngressStatus } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import { ipFamilyOf, validateIp } from '../meta/ip.ts';
import { dnsSubdomainProblems, nameIsDnsSubdomain } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateBackend, validateRules, validateTls } from './ingress-rules.ts';

export interface Ingress extends V1Ingress {
  metadata: ObjectMeta;
  spec: V1IngressSpec;
  status: V1IngressStatus;
}

/** How classes were named before `spec.ingressClassName`. */
const ingressClassAnnotation = 'kubernetes.io/ingress.class';

export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  scope: 'namespaced',
  names: { plural: 'ingresses', short: ['ing'] },
  schema: 'io.k8s.api.networking.v1.Ingress',
  hasGeneration: true,
  defaults: [
    (object) => {
      object.spec ??= {};
      object.status ??= {};
      object.status.loadBalancer ??= {};
    },
  ],
  prepareCreate: (created) => {
    created.status = { loadBalancer: {} };
  },
  validate: validateIngress,
  validateUpdate: (next, prev, { subresource }) => (subresource === 'status' ? validateStatus(next, prev) : validateSpec(next, prev)),
  warnings: (next, prev) => (prev === undefined ? classWarnings(next) : []),
  columns: [
    nameColumn,
    {
      name: 'Class',
      description: 'The name of the IngressClass resource that should be used for additional configuration',
      value: ({ spec }) => spec.ingressClassName ?? '<none>',
    },
    { name: 'Hosts', description: 'Hosts that incoming requests are matched against before the ingress rule', value: hostsText },
    { name: 'Address', description: 'Address is a list containing ingress points for the load-balancer', value: addressText },
    {
      name: 'Ports',
      description: 'Ports of TLS configurations that open',
      value: ({ spec }) => ((spec.tls?.length ?? 0) > 0 ? '80, 443' : '80'),
    },
    ageColumn,
  ],
  subresources: { status: true },
});

/** Three hosts at most; what is left out is counted in rules, as upstream does. */
function hostsText({ spec: { rules = [] } }: Ingress): string {
  const hosts: string[] = [];
  let hasMore = false;
  for (const { host = '' } of rules) {
    if (hosts.length === 3) hasMore = true;
    else if (host !== '') hosts.push(host);
  }
  const text = hosts.join(',') || '*';
  return hasMore ? `${text} + ${rules.length - 3} more...` : text;
}

function addressText({ status }: Ingress): string {
  const given = (status.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((one) => one !== '');
  return [...new Set(given)].toSorted().join(',');
}

function classWarnings({ metadata, spec }: Ingress): string[] {
  const isOld = metadata.annotations?.[ingressClassAnnotation] !== undefined && spec.ingressClassName === undefined;
  return isOld ? [`annotation "${ingressClassAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`] : [];
}

/** A new one. */
function validateIngress(created: Ingress, { verb }: WriteContext): FieldProblem[] {
  if (verb === 'update') return [];
  const problems = validateSpec(created);
  const { metadata, spec } = created;
  const annotation = metadata.annotations?.[ingressClassAnnotation];
  if (spec.ingressClassName !== undefined && annotation !== undefined && annotation !== spec.ingressClassName) {
    const text = 'must match `ingressClassName` when both are specified';
    problems.push(invalid(`annotations.${ingressClassAnnotation}`, annotation, text));
  }
  return problems;
}

/** What an Ingress `prev` was let in with it may keep. */
function validateSpec({ spec }: Ingress, prev?: Ingress): FieldProblem[] {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
  const problems: FieldProblem[] = [];
  if (rules.length === 0 && defaultBackend === undefined) {
    problems.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend !== undefined) problems.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  problems.push(...validateRules(rules, 'spec.rules', prev?.spec.rules), ...validateTls(tls, 'spec.tls', prev?.spec.tls));
  if (ingressClassName === undefined) return problems;
  return [...problems, ...invalidEach('spec.ingressClassName', ingressClassName, nameIsDnsSubdomain(ingressClassName, false))];
}

/** Addresses of `prev` may stay as they are written. */
function validateStatus({ status }: Ingress, prev: Ingress): FieldProblem[] {
  const before = (prev.status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return (status.loadBalancer?.ingress ?? []).flatMap(({ ip = '', hostname = '' }, at) => {
    const path = `status.loadBalancer.ingress[${at}]`;
    const problems = ip === '' ? [] : validateIp(`${path}.ip`, ip, before);
    if (hostname === '') return problems;
    problems.push(...invalidEach(`${path}.hostname`, hostname, dnsSubdomainProblems(hostname)));
    if (ipFamilyOf(hostname) !== undefined) {
      problems.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
    return problems;
  });
}
