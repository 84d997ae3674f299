// Which ConfigMaps of its namespace a pod reads (pkg/api/pod/util.go).
import type { V1Container, V1EphemeralContainer, V1PodSpec, V1Volume } from '#api/generated/types.ts';

type AnyContainer = V1Container | V1EphemeralContainer;

/** All of them, with repetitions: in variables and in volumes. */
export function podConfigMapNames(spec: V1PodSpec): string[] {
  const containers: AnyContainer[] = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const references = [...containers.flatMap(containerReferences), ...(spec.volumes ?? []).flatMap(volumeReferences)];
  return references.flatMap((reference) => (reference === undefined ? [] : [reference.name ?? '']));
}

type Reference = { readonly name?: string | undefined } | undefined;

function containerReferences({ env = [], envFrom = [] }: AnyContainer): Reference[] {
  return [...envFrom.map(({ configMapRef }) => configMapRef), ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef)];
}

function volumeReferences({ configMap, projected }: V1Volume): Reference[] {
  return [configMap, ...(projected?.sources ?? []).map((source) => source.configMap)];
}
