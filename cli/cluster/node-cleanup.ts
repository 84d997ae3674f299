// Takes away what the node agent made on this host. The agent itself leaves pods running when it stops, as it must for upgrades; here
// the whole cluster stops.
import { dirname } from 'node:path';
import { NftablesBackend } from '#kube-proxy/backends/nftables/nftables.ts';
import { removeNodeRoutes } from '#kube-proxy/routes/node-routes.ts';
import { CniNetwork } from '#kubelet/network/cni/cni-network.ts';
import { HostRules } from '#kubelet/network/host-rules.ts';
import { PortDialer } from '#kubelet/network/port-dialer.ts';
import { wipePodNetwork } from '#kubelet/network/wipe.ts';
import { DockerRuntime } from '#kubelet/runtime/docker/docker-runtime.ts';
import { systemMounter } from '#kubelet/volumes/mounter.ts';
import type { Clock } from '#base/clock.ts';
import { type Log, silentLog } from '#base/log.ts';
import { removePodCgroups } from './cgroups.ts';
import { removeOwn, sharedFolders } from './foreign.ts';

const kubeletRoot = '/var/lib/kubelet';
const networkState = `${kubeletRoot}/network`;
/** Containers get this long after SIGTERM. */
const graceMs = 10_000;
const atOnce = 8;

/** Stops and removes every container and sandbox of this host's cluster. */
export async function stopPods(log: Log, clock: Clock, signal: AbortSignal): Promise<void> {
  const network = new CniNetwork({ log, rules: new HostRules({ log }) }, { stateFolder: networkState });
  const runtime = new DockerRuntime({ clock, log, network, dialer: new PortDialer() });
  const pods = [...(await runtime.pods(signal))];
  const stopOne = async (): Promise<void> => {
    for (let next = pods.pop(); next !== undefined; next = pods.pop()) {
      const running = next.containers.filter(({ state }) => state === 'running');
      await Promise.all(running.map(({ id }) => runtime.stopContainer(id, graceMs, signal)));
      for (const { id } of next.sandboxes) {
        await runtime.stopSandbox(id, signal);
        await runtime.removeSandbox(id, signal);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, stopOne));
}

/**
 * Removes the pod network, the rules of Services, the volumes, logs and cgroups of pods. Pods must be gone before. `foreignPaths` are what
 * others had in the node agent's folders.
 */
export async function wipeNode(foreignPaths: readonly string[], signal: AbortSignal): Promise<void> {
  await new NftablesBackend({ podCidrs: [], log: silentLog }).cleanup(signal);
  await removeNodeRoutes(signal);
  await wipePodNetwork({ stateFolder: networkState }, signal);
  const mounter = systemMounter();
  const theirs = sharedFolders.flatMap((folder) =>
    foreignPaths.filter((path) => dirname(path) === folder && !sharedFolders.includes(path)),
  );
  for (const point of await mounter.mountsBelow(kubeletRoot)) {
    if (point !== kubeletRoot && !theirs.some((one) => point === one || point.startsWith(`${one}/`))) await mounter.unmount(point, signal);
  }
  removeOwn(sharedFolders, foreignPaths);
  await removePodCgroups();
}
