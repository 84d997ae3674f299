import type { Pod } from '#api/core/pod/pod.ts';
import { envReferences } from '../pods/env/container-env.ts';
import type { References } from './objects.ts';
import { volumeReferences } from './payload.ts';

/** Every ConfigMap and Secret that a pod refers to: volumes, variables, pull secrets. */
export function podReferences(pod: Pod): References {
  const { volumes = [], containers, initContainers = [], ephemeralContainers = [], imagePullSecrets = [] } = pod.spec;
  const parts = [...volumes.map(volumeReferences), ...[...containers, ...initContainers, ...ephemeralContainers].map(envReferences)];
  const secrets = imagePullSecrets.flatMap(({ name = '' }) => (name === '' ? [] : [name]));
  return {
    namespace: pod.metadata.namespace ?? '',
    configMaps: [...new Set(parts.flatMap(({ configMaps }) => configMaps))],
    secrets: [...new Set([...parts.flatMap((part) => part.secrets), ...secrets])],
  };
}
