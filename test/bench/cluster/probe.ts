// Runs on a test host, beside the command that it times: starts a cluster there, sees when the node is Ready and the first pod runs,
// and weighs the processes once they have nothing to do. Prints one JSON object.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { node } from '#api/core/node/node.ts';
import { pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { pssMegabytes } from '../process-usage.ts';

export interface ProbeResult {
  readonly nodeReadyMs: number;
  readonly upMs: number;
  readonly firstPodMs: number;
  /** Proportional set size in MB, by process. */
  readonly memory: Readonly<Record<string, number>>;
}

const [command = '', image = '', idleMs = '0'] = process.argv.slice(2);
const dataDir = '/var/lib/coxswain';
const kubeconfig = `${dataDir}/kubeconfig/admin.conf`;
const lookEveryMs = 20;
const never = new AbortController().signal;

process.stdout.write(JSON.stringify(await probe()));
process.exit();

async function probe(): Promise<ProbeResult> {
  const startMs = performance.now();
  const up = spawn(process.execPath, [command, 'up', '--wait=60s'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<number>((resolve, reject) => {
    up.on('exit', (code) => (code === 0 ? resolve(performance.now() - startMs) : reject(new Error(`coxswain up: exit code ${code}`))));
  });
  const ready = nodeReady(startMs);
  const [upMs, nodeReadyMs] = await Promise.all([ended, ready]);
  await using client = openClient();
  await runPod(client);
  const firstPodMs = performance.now() - startMs;
  await sleep(Number(idleMs));
  return { nodeReadyMs, upMs, firstPodMs, memory: memory() };
}

function openClient(): RestClient {
  return connect(findEndpoint({ path: kubeconfig, env: {} }), { clock: systemClock, component: 'bench' });
}

async function nodeReady(startMs: number): Promise<number> {
  while (!existsSync(kubeconfig)) await sleep(lookEveryMs);
  await using client = openClient();
  for (;;) {
    try {
      const { items } = await client.list(node, {}, never);
      const isReady = items.some((one) => one.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'));
      if (isReady) return performance.now() - startMs;
    } catch {
      // The API server is not there yet.
    }
    await sleep(lookEveryMs);
  }
}

async function runPod(client: RestClient): Promise<void> {
  const metadata = { name: 'first', namespace: 'default' };
  const containers = [{ name: 'main', image, command: ['sleep', '1000'] }];
  await client.create(pod, { metadata, spec: { containers, terminationGracePeriodSeconds: 0 } }, {}, never);
  while ((await client.get(pod, metadata, never)).status?.phase !== 'Running') await sleep(lookEveryMs);
}

function memory(): Record<string, number> {
  const folder = `${dataDir}/run`;
  const records = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const entries = records.map((name) => {
    const { pid } = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as { pid: number };
    return [name.slice(0, -'.json'.length), pssMegabytes(pid)] as const;
  });
  return Object.fromEntries(entries);
}
