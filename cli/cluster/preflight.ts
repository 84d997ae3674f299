import { statfsSync } from 'node:fs';
import { isPortFree } from '#base/free-port.ts';
import { UsageError } from '#base/lifecycle.ts';
import { findRunning, recordedNames } from '../supervisor/process-table.ts';
import { Layout, readJson, type RunningRecord, runningFile } from './layout.ts';

/** Ports that components listen on besides the API server's, with who does. */
const ports: Readonly<Record<number, string>> = {
  10_053: 'coxswain-dns',
  10_248: 'kubelet (health)',
  10_250: 'kubelet',
  10_249: 'kube-proxy (metrics)',
  10_256: 'kube-proxy (health)',
  10_257: 'kube-controller-manager',
  10_259: 'kube-scheduler',
};
const wantedFreeBytes = 256 * 1024 * 1024;

/** True when the supervisor or any component of the cluster in this folder lives. */
export function anyRunning(layout: Layout): boolean {
  return recordedNames(layout).some((name) => findRunning(layout, name) !== undefined);
}

/** Refuses a start that would collide: another cluster on this host, another cluster in this folder. */
export function refuseOtherCluster(layout: Layout, name: string): void {
  const other = readJson<RunningRecord>(runningFile);
  if (other !== undefined && (other.name !== name || other.dataDir !== layout.dataDir) && anyRunning(new Layout(other.dataDir))) {
    throw new UsageError(
      `cluster ${JSON.stringify(other.name)} (data in ${other.dataDir}) runs on this host already, and one host runs one cluster for now: stop it with 'coxswain down --name ${other.name}'`,
      { exitCode: 1 },
    );
  }
  const kept = layout.readConfig();
  if (kept !== undefined && kept.name !== name) {
    throw new UsageError(
      `${layout.dataDir} belongs to cluster ${JSON.stringify(kept.name)}: give another --data-dir, or remove that cluster with 'coxswain down --wipe --name ${kept.name}'`,
      { exitCode: 1 },
    );
  }
}

/** Refuses a data folder whose disk has no room for a cluster. */
export function checkDisk(layout: Layout): void {
  const { bavail, bsize } = statfsSync(layout.dataDir);
  if (bavail * bsize < wantedFreeBytes) {
    throw new UsageError(`the disk of ${layout.dataDir} is full: ${Math.floor((bavail * bsize) / 1_048_576)} MiB free, 256 MiB needed`, {
      exitCode: 1,
    });
  }
}

/** Refuses a start where another process has a port that the cluster needs, before anything is made or started. */
export async function checkPorts(apiPort: number): Promise<void> {
  await checkPort(apiPort);
  for (const [port, owner] of Object.entries(ports)) {
    if (!(await isPortFree(Number(port)))) {
      throw new UsageError(`port ${port}, which ${owner} needs, is taken by another process; another cluster may run on this host`, {
        exitCode: 1,
      });
    }
  }
}

/** Refuses a port for the API server that another process or another component has. */
export async function checkPort(apiPort: number): Promise<void> {
  const owner = ports[apiPort];
  if (owner !== undefined) throw new UsageError(`port ${apiPort} is the one of ${owner} (choose another with --port)`);
  if (await isPortFree(apiPort)) return;
  throw new UsageError(`port ${apiPort}, which kube-apiserver needs, is taken by another process (choose another with --port)`, {
    exitCode: 1,
  });
}
