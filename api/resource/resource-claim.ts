import type { ResourceV1ResourceClaim } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText, keepMetaInStatus } from '../meta/object-meta.ts';
import { dropReturnedDevices, validateClaimStatus } from './claim-status.ts';
import { defaultRequests, defaultTolerations, validateDeviceClaim } from './device-claim.ts';
import { claimSpecShape } from './go-shapes.ts';

export interface ResourceClaim extends ResourceV1ResourceClaim {
  metadata: ObjectMeta;
}

export const resourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  scope: 'namespaced',
  names: { plural: 'resourceclaims' },
  schema: 'io.k8s.api.resource.v1.ResourceClaim',
  answersDeleted: true,
  compilesTexts: true,
  defaults: [
    ({ spec, status }) => {
      defaultRequests(spec.devices);
      for (const { tolerations } of status?.allocation?.devices?.results ?? []) defaultTolerations(tolerations);
    },
  ],
  prepareCreate: (claim) => {
    claim.status = {};
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource !== 'status') return;
    keepMetaInStatus(next.metadata, prev.metadata);
    dropReturnedDevices(next, prev);
  },
  // Only what may change is worth looking at again.
  validate: ({ spec }, { verb }) => (verb === 'create' ? validateDeviceClaim(spec.devices ?? {}, 'spec.devices') : []),
  validateUpdate: (next, prev, { subresource }) =>
    subresource === 'status' ? validateClaimStatus(next, prev) : validateSpecKept(next.spec, prev.spec),
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
  columns: [
    nameColumn,
    { name: 'State', description: 'A summary of the current state (allocated, pending, reserved, etc.).', value: stateText },
    ageColumn,
  ],
});

/** What is wrong with the other wish is told, too. */
function validateSpecKept(next: ResourceClaim['spec'], prev: ResourceClaim['spec']): FieldProblem[] {
  if (equalValues(next, prev)) return [];
  return [invalid('spec', goTree(next, claimSpecShape), immutableText), ...validateDeviceClaim(next.devices ?? {}, 'spec.devices')];
}

/** `allocated,reserved` and the like; `deleted` comes first. */
function stateText({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp !== undefined) states.push('deleted');
  if (status?.allocation === undefined) {
    if (metadata.deletionTimestamp === undefined) states.push('pending');
  } else {
    states.push('allocated');
    if ((status.reservedFor ?? []).length > 0) states.push('reserved');
  }
  return states.join(',');
}
