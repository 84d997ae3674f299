// Questions about what runs, asked of one look at the runtime. Pure.
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { fnv32a } from '#api/meta/hash.ts';
import type { ContainerStatus, RuntimePod, SandboxStatus } from '../runtime/contract.ts';
import { containerHashAnnotation } from '../runtime/labels.ts';

/** Newest container of that name, of whatever sandbox. */
export function latestOf(observed: RuntimePod | undefined, name: string): ContainerStatus | undefined {
  return observed?.containers.find((container) => container.name === name);
}

export function isRunning(container: ContainerStatus | undefined): boolean {
  return container?.state === 'running';
}

/** The sandbox that containers may be started in now; undefined where a new one is needed. */
export function usableSandbox(pod: Pod, observed: RuntimePod | undefined): SandboxStatus | undefined {
  const newest = observed?.sandboxes[0];
  if (newest === undefined || newest.state !== 'ready') return undefined;
  if (newest.hostNetwork !== (pod.spec.hostNetwork === true)) return undefined;
  return newest.hostNetwork || newest.ips.length > 0 ? newest : undefined;
}

/** Init containers that run beside the others. */
export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Says whether a running container is still what the pod asks for: name and image, the rest of a container cannot change. */
export function containerHash(container: Pick<V1Container, 'name' | 'image'>): string {
  return fnv32a(JSON.stringify({ image: container.image ?? '', name: container.name })).toString(16);
}

/** True when the pod asks for another image than this container was made from. */
export function hasChanged(container: Pick<V1Container, 'name' | 'image'>, status: ContainerStatus): boolean {
  const known = status.annotations[containerHashAnnotation];
  return known !== undefined && known !== containerHash(container);
}
