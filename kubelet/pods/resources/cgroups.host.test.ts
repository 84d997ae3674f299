import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { aContainer, aPod } from '../testing.ts';
import { Cgroups } from './cgroups.ts';

const version = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
const root = `/coxswain-test-${process.pid}`;
const limits = { nodeCpuMillis: 2_000, podsMemoryBytes: 2 ** 40, maxPids: 4_321 };
const cgroups = new Cgroups({ enabled: true, root, version, refusal: undefined, ...limits, log: silentLog });
const at = (controller: string, path: string): string => join('/sys/fs/cgroup', version === 1 ? controller : '', root, 'kubepods', path);
const read = async (controller: string, path: string): Promise<string> => (await readFile(at(controller, path), 'utf8')).trim();

afterAll(async () => {
  for (const controller of version === 1 ? ['cpu', 'memory', 'pids'] : ['']) {
    for (const path of ['burstable', 'besteffort', '.', '..']) await rmdir(at(controller, path)).catch(() => undefined);
  }
});

test('a pod’s cgroup has its limits, and goes with it', async () => {
  const resources = { requests: { cpu: '500m', memory: '16Mi' }, limits: { cpu: '1', memory: '32Mi' } };
  const pod = aPod({ containers: [aContainer('c', { resources })] });
  await cgroups.create(pod);
  await cgroups.create(pod);
  expect(cgroups.has('u')).toBe(true);
  expect(await read('pids', 'pids.max')).toBe('4321');
  if (version === 1) {
    expect(await read('cpu', 'burstable/podu/cpu.shares')).toBe('512');
    expect(await read('cpu', 'burstable/podu/cpu.cfs_quota_us')).toBe('100000');
    expect(await read('cpu', 'burstable/cpu.shares')).toBe('512');
    expect(await read('cpu', 'besteffort/cpu.shares')).toBe('2');
    expect(await read('memory', 'burstable/podu/memory.limit_in_bytes')).toBe(String(32 * 2 ** 20));
  } else {
    expect(await read('', 'burstable/podu/cpu.max')).toBe('100000 100000');
    expect(await read('', 'burstable/podu/memory.max')).toBe(String(32 * 2 ** 20));
  }
  // Docker makes folders of its own below, and leaves ours behind in hierarchies that we do not use.
  await mkdir(at('memory', 'burstable/podu/left'));
  await cgroups.remove('u');
  for (const controller of ['cpu', 'memory']) expect(existsSync(at(controller, 'burstable/podu'))).toBe(false);
  if (version === 1) expect(await read('cpu', 'burstable/cpu.shares')).toBe('2');
});
