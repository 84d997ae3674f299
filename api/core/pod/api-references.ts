// What of the API a pod cannot do without (pkg/api/pod/util.go: HasAPIObjectReference): nothing that static pods and their mirrors may ask
// for.
import type { V1PodSpec, V1Volume, V1VolumeProjection } from '#api/generated/types.ts';
import { podConfigMapNames } from './config-map-names.ts';
import { podSecretNames } from './secret-names.ts';

/** The kind of object that a pod refers to, in upstream's words; undefined where it refers to none. */
export function apiReferenceOf(spec: V1PodSpec): string | undefined {
  if ((spec.serviceAccountName ?? '') !== '') return 'serviceaccounts';
  if (podSecretNames(spec).length > 0) return 'secrets';
  if (podConfigMapNames(spec).length > 0) return 'configmaps';
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  return (spec.volumes ?? []).map(volumeReference).find((one) => one !== undefined);
}

/** Secrets and ConfigMaps were looked for before. */
function volumeReference(volume: V1Volume): string | undefined {
  if (volume.csi !== undefined) return 'csidrivers (via CSI volumes)';
  if (volume.glusterfs !== undefined) return 'endpoints (via glusterFS volumes)';
  if (volume.persistentVolumeClaim !== undefined) return 'persistentvolumeclaims';
  if (volume.ephemeral !== undefined) return 'persistentvolumeclaims (via ephemeral volumes)';
  return (volume.projected?.sources ?? []).map(projectionReference).find((one) => one !== undefined);
}

function projectionReference(source: V1VolumeProjection): string | undefined {
  if (source.serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)';
  if (source.clusterTrustBundle !== undefined) return 'clustertrustbundles';
  return source.podCertificate === undefined ? undefined : 'podcertificates';
}
