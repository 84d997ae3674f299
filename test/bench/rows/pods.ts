import { join } from 'node:path';
import { buildDemoImages } from '#cli/demo/images.ts';
import { Host } from '#test/testbed/host.ts';
import type { Bench } from '../bench.ts';
import type { PodsJob, PodsResult } from '../cluster/pods-probe.ts';
import { megabytes, median, ms, percent, seconds } from '../figure.ts';

const root = join(import.meta.dirname, '../../..');

/** A node agent with a real engine: how soon pods run, and what they cost once they do nothing. */
export const pods: Bench = {
  name: 'pods',
  about: 'pods on one node with a real container engine: start, many at once, idle cost (needs root)',
  async *run({ bundles, quick }) {
    const counts = quick ? { alone: 5, steady: 10, atOnce: 20, idlePods: 10, idleMs: 5_000 } : full;
    const result = await probe(bundles, counts);
    const { alone, steady, allMs, rawMs, idleCpuShare, idleMegabytes } = result;
    yield { what: 'pod start, one at a time, p50', ours: ms(median(alone)), target: ms(400) };
    yield { what: '  p99', ours: ms(percentile(alone, 0.99)), target: ms(1_000) };
    yield { what: `pod start, 5/s, p99 (p50 ${median(steady).toFixed(0)} ms)`, ours: ms(percentile(steady, 0.99)), target: ms(1_500) };
    const target = quick ? {} : { target: seconds(25) };
    const note = 'raw: as many pairs of containers by the engine alone';
    yield { what: `${counts.atOnce} pods at once`, ours: seconds(allMs / 1_000), ...target, raw: seconds(rawMs / 1_000), note };
    yield { what: `idle agent with ${counts.idlePods} pods`, ours: megabytes(idleMegabytes), target: megabytes(100) };
    yield { what: '  CPU, of one core', ours: percent(100 * idleCpuShare), target: percent(1) };
  },
};

type Counts = Pick<PodsJob, 'alone' | 'steady' | 'atOnce' | 'idlePods' | 'idleMs'>;

const full: Counts = { alone: 40, steady: 60, atOnce: 100, idlePods: 30, idleMs: 60_000 };

async function probe(bundles: string, counts: Counts): Promise<PodsResult> {
  await using host = await Host.start({ docker: true });
  await buildDemoImages(host.dockerSocket, join(root, 'cli/demo/hello.mjs'), () => undefined);
  const job: PodsJob = {
    command: join(bundles, 'coxswain.js'),
    image: 'coxswain/busybox:1',
    socketPath: '/var/run/docker.sock',
    steadyEveryMs: 200,
    ...counts,
  };
  const env = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '' };
  const command = [process.execPath, join(import.meta.dirname, '../cluster/pods-probe.ts'), JSON.stringify(job)];
  const { code, stdout, stderr } = await host.exec(command, { env, timeoutMs: 1_800_000 });
  if (code !== 0) throw new Error(`the pods did not run: ${stderr}`);
  return JSON.parse(stdout) as PodsResult;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
