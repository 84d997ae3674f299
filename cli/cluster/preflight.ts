import { createServer } from 'node:net';
import { statfsSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';
import { findRunning, recordedNames } from '../supervisor/process-table.ts';
import { type ClusterConfig, Layout, readJson, type RunningRecord, runningFile } from './layout.ts';

/** Ports that components listen on besides the API server's, with who does. */
const ports: Readonly<Record<number, string>> = {
  10_248: 'kubelet (health)',
  10_250: 'kubelet',
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

/** Finds out whether a cluster can start here, before anything is started. */
export async function checkRoom(layout: Layout, config: ClusterConfig): Promise<void> {
  const { bavail, bsize } = statfsSync(layout.dataDir);
  if (bavail * bsize < wantedFreeBytes) {
    throw new UsageError(`the disk of ${layout.dataDir} is full: ${Math.floor((bavail * bsize) / 1_048_576)} MiB free, 256 MiB needed`, {
      exitCode: 1,
    });
  }
  const wanted = { [config.port]: 'kube-apiserver', ...ports };
  for (const [port, owner] of Object.entries(wanted)) {
    if (!(await isFree(Number(port)))) {
      const hint = Number(port) === config.port ? ' (choose another with --port)' : '; another cluster may run on this host';
      throw new UsageError(`port ${port}, which ${owner} needs, is taken by another process${hint}`, { exitCode: 1 });
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '0.0.0.0', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
