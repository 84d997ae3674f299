// Slices by a program that stands for systemctl and writes down what systemd was told.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { aContainer, aPod } from '../testing.ts';
import { Cgroups } from './cgroups.ts';

const folder = mkdtempSync(join(tmpdir(), 'slices-'));
afterAll(() => rmSync(folder, { recursive: true }));

function systemctl(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}
const options = {
  enabled: true,
  root: '/',
  version: 2,
  refusal: undefined,
  driver: 'systemd',
  nodeCpuMillis: 2_000,
  log: silentLog,
} as const;

test('a pod’s slice has its limits, and goes with it', async () => {
  const told = join(folder, 'told');
  const cgroups = new Cgroups({ ...options, mount: folder, systemctl: systemctl('systemctl', `echo "$@" >>${told}`) });
  const resources = { requests: { cpu: '500m', memory: '16Mi' }, limits: { cpu: '1500m', memory: '32Mi' } };
  await cgroups.create(aPod({ containers: [aContainer('c', { resources })] }));
  expect(cgroups.has('u')).toBe(true);
  const lines = readFileSync(told, 'utf8').split('\n');
  const accounting = 'CPUAccounting=yes MemoryAccounting=yes TasksAccounting=yes';
  expect(lines).toContain('start kubepods-burstable-podu.slice');
  expect(lines).toContain(
    `set-property --runtime kubepods-burstable-podu.slice ${accounting} CPUWeight=20 CPUQuota=150% MemoryMax=${32 * 2 ** 20}`,
  );
  expect(lines).toContain(`set-property --runtime kubepods.slice ${accounting} CPUWeight=79`);
  expect(lines).toContain(`set-property --runtime kubepods-besteffort.slice ${accounting} CPUWeight=1`);
  expect(lines).toContain(`set-property --runtime kubepods-burstable.slice ${accounting} CPUWeight=20`);
  await cgroups.remove('u');
  expect(readFileSync(told, 'utf8')).toContain('stop kubepods-burstable-podu.slice\n');
});

test('all pods together, and the processes of each, have the limits that the node gives them', async () => {
  const told = join(folder, 'limits');
  const events: string[] = [];
  const tell = (...words: string[]): void => void events.push(words.join(' '));
  const limits = { podsMemoryBytes: 1_000_000, maxPidsPerPod: 100, tell };
  const cgroups = new Cgroups({ ...options, ...limits, mount: folder, systemctl: systemctl('limiting', `echo "$@" >>${told}`) });
  await cgroups.create(aPod({ containers: [aContainer('c', {})] }));
  const lines = readFileSync(told, 'utf8').split('\n');
  expect(lines.some((line) => line.includes('--runtime kubepods.slice') && line.endsWith('MemoryMax=1000000'))).toBe(true);
  expect(lines.some((line) => line.includes('kubepods-besteffort-podu.slice') && line.endsWith('TasksMax=100'))).toBe(true);

  const plain = new Cgroups({ ...options, ...limits, driver: 'cgroupfs', version: 1, mount: join(folder, 'v1') });
  await plain.create(aPod({ containers: [aContainer('c', {})] }));
  const file = (path: string): string => readFileSync(join(folder, 'v1', path), 'utf8');
  expect(file('memory/kubepods/memory.limit_in_bytes')).toBe('1000000');
  expect(file('pids/kubepods/besteffort/podu/pids.max')).toBe('100');
  const enforced = 'Normal NodeAllocatableEnforced Updated Node Allocatable limit across pods';
  expect(events).toEqual([enforced, enforced]);

  const refusing = systemctl('refusing', 'case "$*" in *MemoryMax=1000000*) exit 1;; esac');
  await new Cgroups({ ...options, ...limits, mount: folder, systemctl: refusing }).create(aPod({ containers: [aContainer('c', {})] }));
  expect(events.at(-1)).toMatch(/^Warning FailedNodeAllocatableEnforcement Failed to update Node Allocatable Limits \["kubepods"\]: /);
});

test('without systemd, pods go without', async () => {
  const cgroups = new Cgroups({ ...options, mount: folder, systemctl: systemctl('no', 'exit 1') });
  await cgroups.create(aPod({ containers: [aContainer('c', {})] }));
  expect(cgroups.has('u')).toBe(false);
});

test('one failure is one pod’s, and is over when it can be done again', async () => {
  const flag = join(folder, 'fails');
  const cgroups = new Cgroups({ ...options, mount: folder, systemctl: systemctl('moody', `[ ! -e ${flag} ]`) });
  const pod = (uid: string) => ({ ...aPod({ containers: [aContainer('c', {})] }), metadata: { name: uid, uid } });
  await cgroups.create(pod('a'));
  writeFileSync(flag, '');
  await expect(cgroups.create(pod('b'))).rejects.toThrow();
  expect([cgroups.has('a'), cgroups.has('b')]).toEqual([true, false]);
  rmSync(flag);
  await cgroups.create(pod('b'));
  expect(cgroups.has('b')).toBe(true);
});

test('a machine that refuses at first is asked again', async () => {
  const flag = join(folder, 'refuses');
  writeFileSync(flag, '');
  const cgroups = new Cgroups({ ...options, mount: folder, systemctl: systemctl('late', `[ ! -e ${flag} ]`) });
  await cgroups.create(aPod({ containers: [aContainer('c', {})] }));
  expect(cgroups.has('u')).toBe(false);
  rmSync(flag);
  await cgroups.create(aPod({ containers: [aContainer('c', {})] }));
  expect(cgroups.has('u')).toBe(true);
});
