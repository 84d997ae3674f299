// What objects refer to, as far as it gives a node rights: a bound pod to what it mounts and reads, a volume to its claim and Secrets
// (plugin/pkg/auth/authorizer/node/graph.go).
import type { V1PersistentVolume } from '#api/generated/types.ts';
import { podConfigMapNames } from '#api/core/pod/config-map-names.ts';
import { isMirrorPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { podSecretNames } from '#api/core/pod/secret-names.ts';

/** Kinds to which pods lead, by their plurals. */
export type Reached = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims';

/** Names an object that nodes may be led to: `secrets/default/token`. */
export function referenceKey(kind: Reached, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

/** The keys of all that a pod refers to, without repetitions. A node makes mirror pods itself: they lead to nothing. */
export function podReferences(pod: Pod): Set<string> {
  const { metadata, spec } = pod;
  const keys = new Set<string>();
  if (isMirrorPod(pod)) return keys;
  const add = (kind: Reached, name: string | undefined): void => {
    if (name) keys.add(referenceKey(kind, metadata.namespace ?? '', name));
  };
  add('serviceaccounts', spec.serviceAccountName);
  for (const name of podSecretNames(spec)) add('secrets', name);
  for (const name of podConfigMapNames(spec)) add('configmaps', name);
  for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes ?? []) {
    if (persistentVolumeClaim !== undefined) add('persistentvolumeclaims', persistentVolumeClaim.claimName);
    else if (ephemeral !== undefined) add('persistentvolumeclaims', `${metadata.name}-${name}`);
  }
  for (const name of resourceClaimNames(pod)) add('resourceclaims', name);
  return keys;
}

/** Claims by name, and those that were made from templates as listed in the status. */
function resourceClaimNames({ spec, status }: Pod): (string | undefined)[] {
  const made = new Map((status?.resourceClaimStatuses ?? []).map(({ name, resourceClaimName }) => [name, resourceClaimName]));
  return [
    ...(spec.resourceClaims ?? []).map(({ name, resourceClaimName }) => resourceClaimName ?? made.get(name)),
    status?.extendedResourceClaimStatus?.resourceClaimName,
  ];
}

/** The key of a volume's claim, and of the Secrets that its claim's nodes need for it; undefined where it has no claim. */
export function volumeReferences({
  spec,
}: V1PersistentVolume): { readonly claim: string; readonly secrets: readonly string[] } | undefined {
  const claim = spec?.claimRef;
  if (spec === undefined || claim === undefined) return undefined;
  const { namespace = '', name = '' } = claim;
  const { csi, azureFile } = spec;
  const references = [
    spec.cephfs?.secretRef,
    spec.cinder?.secretRef,
    spec.flexVolume?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
    spec.iscsi?.secretRef,
    spec.storageos?.secretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    azureFile === undefined ? undefined : { name: azureFile.secretName, namespace: azureFile.secretNamespace },
  ];
  const secrets = references.flatMap((reference) =>
    reference?.name ? [referenceKey('secrets', reference.namespace || namespace, reference.name)] : [],
  );
  return { claim: referenceKey('persistentvolumeclaims', namespace, name), secrets };
}
