import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import type { ContainerStorage } from '../runtime/contract.ts';
import { aPod, observed, seen } from '../pods/testing.ts';
import { podPaths } from '../volumes/paths.ts';
import { folderSizes } from './folder-sizes.ts';
import { PodUses } from './pod-uses.ts';

const signal = new AbortController().signal;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uses-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function file(path: string, bytes: number): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), Buffer.alloc(bytes, 1));
}

const volumes = [
  { name: 'cache', emptyDir: {} },
  { name: 'ram', emptyDir: { medium: 'Memory' } },
  { name: 'host', hostPath: { path: '/' } },
];
const measured = {
  uid: 'u',
  pod: aPod({ volumes }),
  observed: observed([seen('c', 'running', { id: 'now' }), seen('c', 1, { id: 'before' })]),
};

function usesOf(storage: (id: string) => ContainerStorage, sizes = folderSizes) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const runtime = {
    usage: () => Promise.resolve([]),
    storage: (id: string) => {
      asked.push(id);
      return Promise.resolve(storage(id));
    },
  };
  return { clock, asked, uses: new PodUses({ runtime, paths: podPaths(root), sizes, clock }) };
}

test('writable layers, logs with what they were rotated into, and local volumes', async () => {
  await file('layer/a', 20_000);
  await file('layer/deep/b', 5_000);
  await file('logs/x.log', 9_000);
  await file('logs/x.log.1', 9_000);
  await file('logs/y.log', 9_000);
  await file('pods/u/volumes/kubernetes.io~empty-dir/cache/c', 100_000);
  await file('pods/u/volumes/kubernetes.io~empty-dir/ram/c', 100_000);
  const { uses } = usesOf(() => ({ written: { folder: join(root, 'layer') }, logFile: join(root, 'logs/x.log') }));
  const use = (await uses.diskUsage([measured], 'fresh', signal)).get('u');
  expect(use?.containers.map(({ name }) => name)).toEqual(['c']);
  expect(use?.volumes.map(({ name }) => name)).toEqual(['cache']);
  const [{ rootfs, logs } = {}] = use?.containers ?? [];
  expect(rootfs?.usedBytes).toBeGreaterThanOrEqual(25_000);
  expect(rootfs?.usedBytes).toBeLessThan(60_000);
  expect(rootfs?.inodes).toBe(4);
  expect(logs?.usedBytes).toBeGreaterThanOrEqual(18_000);
  expect(logs?.inodes).toBe(2);
  expect(use?.volumes[0]?.usedBytes).toBeGreaterThanOrEqual(100_000);
  expect(use?.volumes[0]?.inodes).toBe(2);
});

test('only the newest container counts, and where it writes is asked once', async () => {
  const { uses, asked } = usesOf(() => ({ written: { folder: join(root, 'layer') }, logFile: undefined }));
  await uses.diskUsage([measured], 'fresh', signal);
  await uses.diskUsage([measured], 'fresh', signal);
  expect(asked).toEqual(['now']);
});

test('figures are kept for a while, longer where it took longer to get them', async () => {
  let looks = 0;
  const { uses, clock } = usesOf(
    () => ({ written: { usedBytes: ++looks }, logFile: undefined }),
    async () => {
      // Twice for each look: bytes and inodes.
      await clock.advance(200);
      return new Map();
    },
  );
  const usedBytes = async () => (await uses.diskUsage([measured], 'recent', signal)).get('u')?.containers[0]?.rootfs?.usedBytes;
  expect(uses.knownDiskUsage([measured], signal).size).toBe(0);
  expect(await usedBytes()).toBe(1);
  expect(uses.knownDiskUsage([measured], signal).get('u')?.containers[0]?.rootfs?.usedBytes).toBe(1);
  await clock.advance(39_999);
  expect(await usedBytes()).toBe(1);
  await clock.advance(1);
  expect(await usedBytes()).toBe(2);
});
