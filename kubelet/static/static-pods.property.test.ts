// Manifests that come, change and go at random under kubelets that are killed at random, with virtual time: what runs in the end is
// what the manifests say, each pod once, and at no time were there two of one name.
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pod as podKind } from '#api/core/pod/pod.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { Program } from '../runtime/simulated/program.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, type TestCluster, type TestKubelet } from '../testing.ts';

const { signal } = new AbortController();
const nodeName = 'static-node';
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

/** Numbers that look random and are the same for each seed (mulberry32). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

test.each([1, 2, 3, 4])('seed %i', async (seed) => {
  const next = numbersFrom(seed);
  const clock = new FakeClock(Date.now());
  // By name: how many run now. Ends take a while, so that what follows has to wait.
  const runs = new Map<string, number>();
  const problems: string[] = [];
  const program: Program = async ({ command, terminated, killed }) => {
    const name = command[1] ?? '';
    runs.set(name, (runs.get(name) ?? 0) + 1);
    if ((runs.get(name) ?? 0) > 1) problems.push(`${name} runs twice`);
    await terminated;
    for (let turn = 0; turn < 50 && !killed.aborted; turn++) await new Promise((resolve) => setImmediate(resolve));
    runs.set(name, (runs.get(name) ?? 0) - 1);
    return 0;
  };
  const runtime = new SimulatedRuntime(clock, { anyImage: true, programs: { serve: program } });
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  const staticPods = { path: folder, fileCheckMs: 20_000, url: '', headers: {}, pageCheckMs: 20_000 };
  const start = (options: Partial<Parameters<typeof startTestKubelet>[1]> = {}): Promise<TestKubelet> =>
    startTestKubelet(cluster, { runtime, clock, config: { staticPods, nodeName }, ...options });
  const wanted = new Map<string, number>();
  let kubelet = await start();
  // What changes under a kubelet that is not there is found by the next one, which ends the old pod and begins the new one at a time.
  const change = async (): Promise<void> => {
    const name = `p${next(3)}`;
    if (next(3) === 0) {
      wanted.delete(name);
      await rm(join(folder, `${name}.yaml`), { force: true });
      return;
    }
    const version = next(3);
    wanted.set(name, version);
    const container = { name: 'c', image: `app:${version}`, command: ['serve', name] };
    const spec = { terminationGracePeriodSeconds: 5, containers: [container] };
    await writeFile(join(folder, '.new'), JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }));
    await rename(join(folder, '.new'), join(folder, `${name}.yaml`));
  };
  const turn = async (): Promise<void> => {
    for (let at = 0; at < 20; at++) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(next(3_000));
  };
  for (let step = 0; step < 15; step++) {
    await change();
    if (next(3) > 0) await turn();
    if (next(6) === 0) {
      await kubelet.kill();
      kubelet = await start({ rootDir: kubelet.rootDir, mounter: kubelet.mounter });
    }
    if (next(5) === 0) {
      const { items } = await cluster.client.list(podKind, { namespace: 'default' }, signal);
      const victim = items[next(Math.max(1, items.length))];
      if (victim !== undefined) {
        const key = { namespace: 'default', name: victim.metadata.name ?? '' };
        await cluster.client.delete(podKind, key, next(2) === 0 ? {} : { gracePeriodSeconds: 0 }, signal).catch(() => undefined);
      }
    }
  }

  const expected = [...wanted].map(([name, version]) => `${name}-${nodeName} app:${version}`).toSorted();
  const seen = async (): Promise<{ real: string[]; shown: string[] }> => {
    const pods = await runtime.pods();
    const real = pods.flatMap(({ pod, containers }) =>
      containers.filter(({ state }) => state === 'running').map(({ image }) => `${pod.name} ${image}`),
    );
    const { items } = await cluster.client.list(podKind, { namespace: 'default' }, signal);
    const shown = items.flatMap(({ metadata, spec, status }) =>
      status?.phase === 'Running' ? [`${metadata.name} ${spec.containers[0]?.image}`] : [`${metadata.name} ${status?.phase}`],
    );
    return { real: real.toSorted(), shown: shown.toSorted() };
  };
  let last: unknown;
  await eventually(async () => {
    await clock.advance(200);
    const now = await seen();
    last = now;
    return now.real.join() === expected.join() && now.shown.join() === expected.join();
  }, 'everything to be as the manifests say').catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify({ expected, last })}`);
  });
  expect(await readdir(folder)).toHaveLength(wanted.size);
  expect(problems).toEqual([]);
  const mirrored = (await cluster.client.list(podKind, { namespace: 'default' }, signal)).items;
  const uids = new Set((await runtime.pods()).map(({ pod }) => pod.uid));
  expect(mirrored.every(({ metadata }) => uids.has(metadata.annotations?.['kubernetes.io/config.mirror'] ?? ''))).toBe(true);

  // The next seed begins with a clean node.
  for (const file of await readdir(folder)) await rm(join(folder, file));
  await eventually(async () => {
    await clock.advance(200);
    return (await seen()).real.length === 0 && (await seen()).shown.length === 0;
  }, 'all to end');
  await kubelet[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
