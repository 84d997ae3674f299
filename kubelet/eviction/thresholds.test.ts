import { describe, expect, test } from 'vitest';
import {
  amountText,
  defaultHard,
  hardReserve,
  parseThresholds,
  type ThresholdStatements,
  unitsOf,
  withContainerDisk,
} from './thresholds.ts';

const none: ThresholdStatements = { hard: {}, soft: {}, softGracePeriods: {}, minimumReclaim: {}, enforcesAllocatable: false };
const parse = (said: Partial<ThresholdStatements>) => parseThresholds({ ...none, ...said });
const capacity = { capacity: 1_000, available: 0 };

test('hard ones, and those of all pods together', () => {
  const found = parse({ hard: defaultHard, enforcesAllocatable: true });
  expect(found.map(({ signal, graceMs }) => [signal, graceMs])).toEqual([
    ['memory.available', 0],
    ['nodefs.available', 0],
    ['nodefs.inodesFree', 0],
    ['imagefs.available', 0],
    ['imagefs.inodesFree', 0],
    ['allocatableMemory.available', 0],
  ]);
  expect(found.map(({ value }) => amountText(value, capacity))).toEqual(['100Mi', '100', '50', '150', '50', '100Mi']);
});

test('soft ones with their grace periods and minimum reclaims', () => {
  const found = parse({
    hard: { 'memory.available': '150Mi' },
    soft: { 'memory.available': '300Mi' },
    softGracePeriods: { 'memory.available': '1m30s' },
    minimumReclaim: { 'memory.available': '10%' },
    enforcesAllocatable: true,
  });
  expect(found.map(({ signal, graceMs }) => [signal, graceMs])).toEqual([
    ['memory.available', 0],
    ['memory.available', 90_000],
    // Soft ones are not for all pods together.
    ['allocatableMemory.available', 0],
  ]);
  expect(found.map(({ minReclaim }) => minReclaim && unitsOf(minReclaim, 500))).toEqual([50, 50, 50]);
});

test('0% and 100% turn a threshold off', () => {
  expect(parse({ hard: { 'nodefs.available': '0%', 'imagefs.available': '100%' } })).toEqual([]);
});

describe('refused', () => {
  test.each<[message: string, said: Partial<ThresholdStatements>]>([
    ['unsupported eviction signal disk.free', { hard: { 'disk.free': '1' } }],
    ['unsupported eviction signal disk.free', { softGracePeriods: { 'disk.free': '1s' } }],
    ['unsupported eviction signal disk.free', { minimumReclaim: { 'disk.free': '1' } }],
    ['eviction percentage threshold memory.available must be >= 0%: -15%', { hard: { 'memory.available': '-15%' } }],
    ['eviction percentage threshold memory.available must be <= 100%: 101%', { hard: { 'memory.available': '101%' } }],
    ['eviction threshold memory.available must be positive: -150Mi', { hard: { 'memory.available': '-150Mi' } }],
    ['eviction threshold memory.available must be positive: 0', { soft: { 'memory.available': '0' } }],
    ['grace period must be specified for the soft eviction threshold memory.available', { soft: { 'memory.available': '1Gi' } }],
    ['invalid eviction grace period specified: -1s, must be a positive value', { softGracePeriods: { 'memory.available': '-1s' } }],
    ['time: missing unit in duration "10"', { softGracePeriods: { 'memory.available': '10' } }],
    ['negative eviction minimum reclaim specified for memory.available', { minimumReclaim: { 'memory.available': '-3Gi' } }],
    ['eviction percentage minimum reclaim memory.available must be positive: 0%', { minimumReclaim: { 'memory.available': '0%' } }],
    ['strconv.ParseFloat: parsing "ten": invalid syntax', { hard: { 'memory.available': 'ten%' } }],
  ])('%s', (message, said) => expect(() => parse(said)).toThrow(message));
});

test.each([
  [false, '10', '5'],
  [true, '15', '6'],
])('what containers write has the thresholds of its disk (a disk for images: %s)', (hasImageDisk, bytes, inodes) => {
  const hard = {
    'nodefs.available': '10',
    'nodefs.inodesFree': '5',
    'imagefs.available': '15',
    'imagefs.inodesFree': '6',
    'containerfs.available': '99',
  };
  const found = withContainerDisk(parse({ hard }), hasImageDisk).filter(({ signal }) => signal.startsWith('containerfs.'));
  expect(found.map(({ signal, value }) => [signal, amountText(value, capacity)])).toEqual([
    ['containerfs.available', bytes],
    ['containerfs.inodesFree', inodes],
  ]);
});

test('what hard thresholds keep is not for pods', () => {
  const thresholds = parse({
    hard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
    soft: { 'memory.available': '1Gi' },
    softGracePeriods: { 'memory.available': '1m' },
  });
  expect(hardReserve(thresholds, 'memory.available', 2 ** 33)).toBe(100 * 2 ** 20);
  expect(hardReserve(thresholds, 'nodefs.available', 1_005)).toBe(100);
  // A disk of 20959212Ki leaves 19316009748 bytes to pods, as nodes with upstream's kubelet show.
  expect(hardReserve(thresholds, 'nodefs.available', 20_959_212 * 1_024)).toBe(20_959_212 * 1_024 - 19_316_009_748);
  expect(hardReserve(thresholds, 'pid.available', 1_005)).toBe(0);
});
