import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSizes } from './folder-sizes.ts';
import { engineProcesses, hostFigures, parseInterfaces, processFigures } from './kernel.ts';

const devices = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0: 5000      20    3    0    0     0          0         0     7000      30    4    0    0     0       0          0
`;

test('interfaces, loopback left out', () => {
  expect(parseInterfaces(devices)).toEqual([{ name: 'eth0', rxBytes: 5_000, rxErrors: 3, txBytes: 7_000, txErrors: 4 }]);
});

test('the machine', async () => {
  const proc = await mkdtemp(join(tmpdir(), 'proc-'));
  await mkdir(join(proc, 'net'));
  // user nice system idle iowait irq softirq steal guest guest_nice
  await writeFile(join(proc, 'stat'), 'cpu  100 10 50 9000 500 1 2 3 99 99\ncpu0 1 1 1 1\nbtime 1700000000\n');
  await writeFile(join(proc, 'meminfo'), 'SwapTotal:  100 kB\nSwapFree:   40 kB\n');
  await writeFile(join(proc, 'net', 'dev'), devices);
  expect(await hostFigures(proc)).toEqual({
    cpuNanos: 1_660_000_000n,
    startedMs: 1_700_000_000_000,
    swap: { totalBytes: 102_400, freeBytes: 40_960 },
    interfaces: [{ name: 'eth0', rxBytes: 5_000, rxErrors: 3, txBytes: 7_000, txErrors: 4 }],
  });
  await rm(proc, { recursive: true });
  expect(await hostFigures(proc)).toBeUndefined();
});

test('processes together, and the engine by its own word', async () => {
  const proc = await mkdtemp(join(tmpdir(), 'proc-'));
  // Fields 10, 12, 14, 15, 22 and 24 of a line count: faults, ticks of the processor, the start and pages.
  const line = (name: string, start: number): string => `1 (${name}) S 1 1 1 0 -1 0 100 0 3 0 20 30 0 0 20 0 1 0 ${start} 999 7 0 0`;
  for (const [pid, text] of [
    ['10', line('docker) d', 500)],
    ['11', line('containerd', 400)],
  ] as const) {
    await mkdir(join(proc, pid));
    await writeFile(join(proc, pid, 'stat'), text);
  }
  const one = { cpuNanos: 500_000_000n, rssBytes: 28_672, pageFaults: 100, majorPageFaults: 3 };
  expect(await processFigures([10], 1_000, proc)).toEqual({ startedMs: 6_000, ...one });
  const both = { cpuNanos: 1_000_000_000n, rssBytes: 57_344, pageFaults: 200, majorPageFaults: 6 };
  expect(await processFigures([10, 12, 11], 1_000, proc)).toEqual({ startedMs: 5_000, ...both });
  expect(await processFigures([12], 1_000, proc)).toBeUndefined();
  await writeFile(join(proc, 'docker.pid'), '10\n');
  expect(await engineProcesses(proc)).toEqual([10]);
  await rm(proc, { recursive: true });
});

test('what du says', () => {
  expect(parseSizes('4096\t/a b\t c\0' + '12\t/d\0')).toEqual(
    new Map([
      ['/a b\t c', 4_096],
      ['/d', 12],
    ]),
  );
});
