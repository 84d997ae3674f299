// Pods that run to their end, or until they are ready, and what they said.
import type { V1ContainerStatus, V1Pod } from '#api/generated/types.ts';
import type { LocalCluster } from '../cluster.ts';
import { busybox, podManifest } from '../manifests.ts';

const limitMs = 90_000;

interface Ended {
  readonly pod: V1Pod;
  readonly log: string;
}

/** One `busybox` container that runs a shell script. */
export function script(text: string, rest: object = {}): object {
  return busybox('main', { command: ['sh', '-c', text], ...rest });
}

export async function podOf(cluster: LocalCluster, name: string): Promise<V1Pod> {
  return await cluster.get<V1Pod>(`pod ${name}`);
}

/** Creates the pod, waits until it has ended, and answers it with the output of its container `main`. */
export async function runToEnd(cluster: LocalCluster, name: string, spec: { [field: string]: unknown }): Promise<Ended> {
  await cluster.apply(podManifest(name, { restartPolicy: 'Never', ...spec }));
  await cluster.until(`the end of pod ${name}`, async () => isOver(await podOf(cluster, name)), limitMs);
  return { pod: await podOf(cluster, name), log: await cluster.kubectl(`logs ${name} -c main`) };
}

/** Creates the pod and waits until it is ready. */
export async function runReady(cluster: LocalCluster, name: string, spec: { [field: string]: unknown }): Promise<V1Pod> {
  await cluster.apply(podManifest(name, spec));
  await cluster.kubectl(`wait pod/${name} --for=condition=Ready --timeout=${limitMs / 1_000}s`);
  return podOf(cluster, name);
}

/** Runs a shell script in a container of a running pod. */
export function inside(cluster: LocalCluster, name: string, text: string, container = 'main'): Promise<string> {
  return cluster.kubectl(['exec', name, '-c', container, '--', 'sh', '-c', text]);
}

export function containerOf({ status }: V1Pod, name = 'main'): V1ContainerStatus {
  const found = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((one) => one.name === name);
  if (found === undefined) throw new Error(`the status has no container ${name}`);
  return found;
}

function isOver({ status }: V1Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
