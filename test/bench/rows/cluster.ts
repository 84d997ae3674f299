import { join } from 'node:path';
import { buildDemoImages } from '#cli/demo/images.ts';
import { Host } from '#test/testbed/host.ts';
import type { Bench } from '../bench.ts';
import type { ProbeResult } from '../cluster/probe.ts';
import { megabytes, seconds } from '../figure.ts';

const root = join(import.meta.dirname, '../../..');
const controlPlane = ['kube-apiserver', 'kube-scheduler', 'kube-controller-manager'];
const agent = ['kubelet', 'kube-proxy'];

/** A whole local cluster on a test host: how soon it works, and what it takes when it has nothing to do. */
export const cluster: Bench = {
  name: 'cluster',
  about: 'up: time to node Ready and first pod; idle memory of all processes (needs root)',
  async *run({ bundles, quick }) {
    const { nodeReadyMs, upMs, firstPodMs, memory } = await probeCluster(bundles, quick ? 5_000 : 30_000);
    const of = (names: readonly string[]): number => names.reduce((sum, name) => sum + (memory[name] ?? Number.NaN), 0);
    yield { what: 'command → node Ready', ours: seconds(nodeReadyMs / 1_000), target: seconds(3) };
    yield { what: '  → everything is up (DNS too)', ours: seconds(upMs / 1_000) };
    yield { what: '  → first pod Running', ours: seconds(firstPodMs / 1_000), target: seconds(5) };
    yield { what: 'idle control plane', ours: megabytes(of(controlPlane)), target: megabytes(200) };
    yield { what: 'idle node agent (kubelet, kube-proxy)', ours: megabytes(of(agent)), target: megabytes(100) };
    for (const [name, value] of Object.entries(memory)) yield { what: `  ${name}`, ours: megabytes(value) };
  },
};

async function probeCluster(bundles: string, idleMs: number): Promise<ProbeResult> {
  await using host = await Host.start({ docker: true });
  await buildDemoImages(host.dockerSocket, join(root, 'cli/demo/hello.mjs'), () => undefined);
  const probe = join(import.meta.dirname, '../cluster/probe.ts');
  const command = [process.execPath, probe, join(bundles, 'coxswain.js'), 'coxswain/busybox:1', String(idleMs)];
  const env = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '' };
  const { code, stdout, stderr } = await host.exec(command, { env, timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`the cluster did not come up: ${stderr}`);
  return JSON.parse(stdout) as ProbeResult;
}
