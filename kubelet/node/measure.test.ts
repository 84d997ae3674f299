import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { measure } from './measure.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'measure-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function machine(files: Readonly<Record<string, string>>, cgroupVersion: 1 | 2): ReturnType<typeof measure> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return await measure({
    rootDirectory: folder,
    imageDirectory: join(folder, 'not-there'),
    memoryBytes: 1_000,
    pods: { path: '/kubepods', memoryBytes: 800 },
    cgroupVersion,
    cgroupMount: join(folder, 'cgroup'),
    proc: join(folder, 'proc'),
  });
}

test('control groups of version 1', async () => {
  const found = await machine(
    {
      'cgroup/memory/memory.usage_in_bytes': '700\n',
      'cgroup/memory/memory.stat': 'inactive_file 1\ntotal_rss 90\ntotal_pgfault 80\ntotal_pgmajfault 7\ntotal_inactive_file 200\n',
      'cgroup/memory/kubepods/memory.usage_in_bytes': '300\n',
      'cgroup/memory/kubepods/memory.stat': 'total_rss 30\ntotal_inactive_file 50\n',
      'cgroup/cpuacct/kubepods/cpuacct.usage': '123456789012\n',
    },
    1,
  );
  const counts = { rssBytes: 90, pageFaults: 80, majorPageFaults: 7 };
  expect(found.memory).toEqual({ availableBytes: 500, workingSetBytes: 500, usageBytes: 700, counts });
  const ofPods = { rssBytes: 30, pageFaults: 0, majorPageFaults: 0 };
  expect(found.podsMemory).toEqual({ availableBytes: 550, workingSetBytes: 250, usageBytes: 300, counts: ofPods });
  expect(found.podsCpuNanos).toBe(123_456_789_012n);
});

test('version 2, whose root counts nothing, so that the kernel as a whole is asked', async () => {
  const found = await machine(
    {
      'proc/meminfo': 'MemTotal:  1000 kB\nMemFree: 400 kB\nMemAvailable: 1 kB\nInactive: 7 kB\nInactive(file): 150 kB\nAnonPages: 9 kB\n',
      'proc/vmstat': 'pgfault 11\npgmajfault 2\n',
      'cgroup/memory.stat': 'inactive_file 1\n',
      'cgroup/kubepods/memory.current': '300\n',
      'cgroup/kubepods/memory.stat': 'anon 3\ninactive_file 50\npgfault 4\n',
      'cgroup/kubepods/cpu.stat': 'usage_usec 500\nuser_usec 1\n',
    },
    2,
  );
  const counts = { rssBytes: 9 * 1_024, pageFaults: 11, majorPageFaults: 2 };
  expect(found.memory).toEqual({ availableBytes: 550 * 1_024, workingSetBytes: 450 * 1_024, usageBytes: 600 * 1_024, counts });
  const ofPods = { rssBytes: 3, pageFaults: 4, majorPageFaults: 0 };
  expect(found.podsMemory).toEqual({ availableBytes: 550, workingSetBytes: 250, usageBytes: 300, counts: ofPods });
  expect(found.podsCpuNanos).toBe(500_000n);
});

test('processes, and what a machine does not tell', async () => {
  const some = await machine(
    { 'proc/sys/kernel/pid_max': '4194304\n', 'proc/sys/kernel/threads-max': '3000\n', 'proc/loadavg': '0.2 0.1 0.1 3/80 11206\n' },
    2,
  );
  expect(some.processes).toEqual({ running: 80, most: 3_000 });
  expect([some.memory, some.podsMemory]).toEqual([undefined, undefined]);
  await rm(join(folder, 'proc'), { recursive: true });
  expect((await machine({}, 2)).processes).toBeUndefined();
});

test('the disk, where the images lie on it too', async () => {
  const found = await machine({}, 2);
  expect(found.disk.totalBytes).toBeGreaterThan(0);
  expect(found.hasImageDisk).toBe(false);
  expect(found.imageDisk.totalBytes).toBe(found.disk.totalBytes);
});
