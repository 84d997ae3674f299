import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { roundAmounts } from '../pod/container-defaults.ts';
import { classAnnotationWarnings } from '../volume/access.ts';
import { claimColumns } from './columns.ts';
import { alignDataSources } from './data-source.ts';
import { claimSpecWarnings, defaultClaimSpec, validateClaimSpec } from './spec.ts';
import { claimLeniency, validateClaimStatus, validateClaimUpdate } from './update.ts';

export interface PersistentVolumeClaim extends V1PersistentVolumeClaim {
  metadata: ObjectMeta;
  spec: V1PersistentVolumeClaimSpec;
}

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  scope: 'namespaced',
  names: { plural: 'persistentvolumeclaims', short: ['pvc'] },
  schema: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  answersDeleted: true,
  defaults: [defaultClaim],
  prepareCreate: (created) => {
    created.status = { phase: 'Pending' };
    alignDataSources(created.spec, undefined);
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === '') alignDataSources(next.spec, prev.spec);
  },
  // Updates are validated against the old claim, which may keep what a create may not set.
  validate: ({ spec }, { verb }) => (verb === 'create' ? validateClaimSpec(spec, 'spec') : []),
  validateUpdate: (next, prev, { subresource }) =>
    subresource === 'status'
      ? validateClaimStatus(next)
      : [...validateClaimSpec(next.spec, 'spec', claimLeniency(prev.spec)), ...validateClaimUpdate(next, prev)],
  warnings: (claim) => [...classAnnotationWarnings(claim), ...claimSpecWarnings(claim.spec, 'spec')],
  columns: claimColumns,
  subresources: { status: true },
});

function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.spec ??= {};
  claim.status ??= {};
  defaultClaimSpec(claim.spec);
  if (!claim.status.phase) claim.status.phase = 'Pending';
  roundAmounts(claim.status.capacity);
  roundAmounts(claim.status.allocatedResources);
}
