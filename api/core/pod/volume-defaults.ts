import type { V1DownwardAPIVolumeFile, V1PersistentVolumeSpec, V1ProjectedVolumeSource, V1Volume } from '#api/generated/types.ts';
import { defaultClaimSpec } from '../persistent-volume-claim/spec.ts';
import { defaultPullPolicy, isUnset } from './container-defaults.ts';

/** Mode of files in ConfigMap, Secret, downward API and projected volumes. */
const fileMode = 0o644;
const tokenSeconds = 3_600;

type Disks = Pick<V1Volume | V1PersistentVolumeSpec, 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>;

/** What upstream fills into a volume; one without any source is an emptyDir. */
export function defaultVolume(volume: V1Volume): void {
  if (Object.entries(volume).every(([name, source]) => name === 'name' || source === undefined)) volume.emptyDir = {};
  if (volume.image !== undefined && isUnset(volume.image.pullPolicy)) volume.image.pullPolicy = defaultPullPolicy(volume.image.reference);
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= fileMode;
    volume.downwardAPI.items?.forEach(defaultDownwardItem);
  }
  if (volume.projected !== undefined) defaultProjected(volume.projected);
  const claim = volume.ephemeral?.volumeClaimTemplate;
  if (claim !== undefined) defaultClaimSpec((claim.spec ??= {}));
  defaultNetworkDisks(volume);
}

function defaultProjected(projected: V1ProjectedVolumeSource): void {
  projected.defaultMode ??= fileMode;
  for (const source of projected.sources ?? []) {
    // Behind feature gates that are off by default: upstream drops them without a word.
    delete source.clusterTrustBundle;
    delete source.podCertificate;
    const { downwardAPI, serviceAccountToken } = source;
    downwardAPI?.items?.forEach(defaultDownwardItem);
    if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= tokenSeconds;
  }
}

function defaultDownwardItem({ fieldRef, resourceFieldRef }: V1DownwardAPIVolumeFile): void {
  if (fieldRef !== undefined && isUnset(fieldRef.apiVersion)) fieldRef.apiVersion = 'v1';
  if (resourceFieldRef !== undefined && isUnset(resourceFieldRef.divisor)) resourceFieldRef.divisor = '0';
}

/** Disks of clouds and storage networks, which no node of ours mounts, but which pods and PersistentVolumes may name. */
export function defaultNetworkDisks({ iscsi, rbd, azureDisk, scaleIO }: Disks): void {
  if (iscsi !== undefined && isUnset(iscsi.iscsiInterface)) iscsi.iscsiInterface = 'default';
  if (rbd !== undefined) {
    if (isUnset(rbd.pool)) rbd.pool = 'rbd';
    if (isUnset(rbd.user)) rbd.user = 'admin';
    if (isUnset(rbd.keyring)) rbd.keyring = '/etc/ceph/keyring';
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.kind ??= 'Shared';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
  }
  if (scaleIO !== undefined) {
    if (isUnset(scaleIO.storageMode)) scaleIO.storageMode = 'ThinProvisioned';
    if (isUnset(scaleIO.fsType)) scaleIO.fsType = 'xfs';
  }
}
