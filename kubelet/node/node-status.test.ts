import { expect, test } from 'vitest';
import { nodeStatus } from './node-status.ts';

const gibi = 2 ** 30;
const facts = {
  cpuMillis: 4_000,
  memoryBytes: 8 * gibi,
  machineId: '',
  systemUuid: '',
  bootId: '',
  hugepages: { '2Mi': gibi },
  maxProcesses: 32_768,
  swapBytes: 0,
  hasAppArmor: false,
};
const info = {
  name: 'docker',
  version: '1',
  kernelVersion: '',
  osImage: '',
  operatingSystem: 'linux',
  architecture: 'amd64',
  handlers: [],
  storageDriver: 'overlay2',
};

function amounts(reserved: { cpuMillis?: number; memoryBytes?: number; diskBytes?: number }): object {
  const nothing = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, kept: (_: string, bytes: number) => bytes / 8 };
  const cloud = { isExternal: false, hasGivenIps: false, providerId: '' };
  const settings = { name: 'n', ips: [], cloud, maxPods: 110, podsPerCore: 0, maxImages: 50, port: 10_250 };
  const measured = { disk: { totalBytes: 16 * gibi } };
  const said = { ...settings, reserved: { ...nothing, ...reserved } };
  const observed = { facts, measured: measured as never, info: info as never, images: [], addresses: [] };
  return nodeStatus(said, observed).allocatable ?? {};
}

test('pods may have what is neither reserved nor kept free', () => {
  const whole = { 'hugepages-2Mi': '1Gi', pods: '110' };
  expect(amounts({})).toEqual({ ...whole, cpu: '4', memory: '6Gi', 'ephemeral-storage': String(14 * gibi) });
  expect(amounts({ cpuMillis: 500, memoryBytes: gibi, diskBytes: 4 * gibi })).toEqual({
    ...whole,
    cpu: '3500m',
    memory: '5Gi',
    'ephemeral-storage': String(10 * gibi),
  });
});

test('what is reserved beyond what there is leaves nothing', () => {
  expect(amounts({ cpuMillis: 5_000, memoryBytes: 9 * gibi, diskBytes: 17 * gibi })).toMatchObject({
    cpu: '0',
    memory: '0',
    'ephemeral-storage': '0',
  });
});
