// Which Secrets of its namespace a pod reads (pkg/api/pod/util.go).
import type { V1Container, V1EphemeralContainer, V1PodSpec, V1Volume } from '#api/generated/types.ts';

type AnyContainer = V1Container | V1EphemeralContainer;

/** All of them, with repetitions: for pulling images, in variables and in volumes. */
export function podSecretNames(spec: V1PodSpec): string[] {
  const containers: AnyContainer[] = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  return [
    ...(spec.imagePullSecrets ?? []).map(({ name = '' }) => name),
    ...containers.flatMap((one) => [...sourceSecrets(one), ...variableSecrets(one).map(({ secret }) => secret)]),
    ...(spec.volumes ?? []).flatMap(volumeSecrets),
  ];
}

/** Secrets that a container takes all variables of. */
export function sourceSecrets({ envFrom = [] }: AnyContainer): string[] {
  return envFrom.flatMap(({ secretRef }) => (secretRef === undefined ? [] : [secretRef.name ?? '']));
}

/** Secrets that single variables of a container come from. */
export function variableSecrets({ env = [] }: AnyContainer): { readonly variable: string; readonly secret: string }[] {
  return env.flatMap(({ name, valueFrom }) => {
    const reference = valueFrom?.secretKeyRef;
    return reference === undefined ? [] : [{ variable: name, secret: reference.name ?? '' }];
  });
}

function volumeSecrets(volume: V1Volume): string[] {
  const references = [
    volume.cephfs?.secretRef,
    volume.cinder?.secretRef,
    volume.flexVolume?.secretRef,
    volume.rbd?.secretRef,
    volume.scaleIO?.secretRef,
    volume.iscsi?.secretRef,
    volume.storageos?.secretRef,
    volume.csi?.nodePublishSecretRef,
    ...(volume.projected?.sources ?? []).map(({ secret }) => secret),
  ];
  const names = references.flatMap((reference) => (reference === undefined ? [] : [reference.name ?? '']));
  const named = [volume.azureFile?.secretName, volume.secret?.secretName].flatMap((name) => (name ? [name] : []));
  return [...names, ...named];
}
