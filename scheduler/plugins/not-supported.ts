import type { V1PodSpec } from '#api/generated/types.ts';
import { definePlugin } from '../framework/plugin.ts';
import { neverHere } from '../framework/verdict.ts';

/**
 * Keeps pods waiting that ask for what no plugin here understands: placing them as if they had not asked would be wrong silently.
 * A feature that becomes supported is removed from this list.
 */
export const notSupported = definePlugin<string | undefined>({
  name: 'NotSupported',
  retryOn: ['pod-changed'],
  prepare: ({ pod }) => unsupportedWish(pod.spec),
  reject: (feature) => (feature === undefined ? undefined : neverHere(feature)),
});

function unsupportedWish(spec: V1PodSpec): string | undefined {
  const { volumes = [], resourceClaims = [] } = spec;
  // No PersistentVolumeClaim is served yet, so none that is named can exist: upstream's words fit.
  const claim = volumes.find(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)?.persistentVolumeClaim?.claimName;
  if (claim !== undefined) return `persistentvolumeclaim ${JSON.stringify(claim)} not found`;
  if (volumes.some(({ ephemeral }) => ephemeral !== undefined)) return 'generic ephemeral volumes are not supported by this scheduler yet';
  if (resourceClaims.length > 0) return 'resource claims are not supported by this scheduler yet';
  if (spec.schedulingGroup !== undefined) return 'scheduling groups are not supported by this scheduler yet';
  return undefined;
}
