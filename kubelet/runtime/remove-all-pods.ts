import type { Runtime } from './contract.ts';

/**
 * Ends and removes every pod of a node, for taking a cluster down: containers get `graceMs` to end by themselves, all at the same time.
 * Run it only when no kubelet is there to start them again.
 */
export async function removeAllPods(runtime: Runtime, graceMs: number, signal: AbortSignal): Promise<void> {
  const pods = await runtime.pods(signal);
  const running = pods.flatMap(({ containers }) => containers.filter(({ state }) => state === 'running'));
  await Promise.all(running.map(({ id }) => runtime.stopContainer(id, graceMs, signal)));
  for (const { sandboxes, containers } of pods) {
    for (const { id } of sandboxes) await runtime.removeSandbox(id, signal);
    // Containers whose sandbox somebody removed.
    for (const { id } of containers) await runtime.removeContainer(id, signal);
  }
}
