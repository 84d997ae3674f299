import { expect, test } from 'vitest';
import type { V1AllocatedDeviceStatus, V1NodeSelectorRequirement, V1NodeSelectorTerm } from '#api/generated/types.ts';
import { changesBinding, nodeOfAllocation, reportedDrivers } from './claim-rights.ts';
import type { ResourceClaim } from './resource-claim.ts';

const claim = (status: ResourceClaim['status']): ResourceClaim => ({ metadata: { name: 'a' }, spec: {}, status }) as ResourceClaim;
const device = (driver: string, name: string, interfaceName?: string): V1AllocatedDeviceStatus => ({
  driver,
  pool: 'p',
  device: name,
  ...(interfaceName === undefined ? {} : { networkData: { interfaceName } }),
});

test.each<[string, V1AllocatedDeviceStatus[], V1AllocatedDeviceStatus[], string[]]>([
  ['nothing', [], [], []],
  ['the same', [device('a', 'x')], [device('a', 'x')], []],
  ['in another order', [device('a', 'x'), device('b', 'y')], [device('b', 'y'), device('a', 'x')], []],
  ['one more', [device('b', 'x')], [device('b', 'x'), device('b', 'y')], ['b']],
  ['one less', [device('b', 'x'), device('a', 'y')], [device('b', 'x')], ['a']],
  ['another in its place', [device('a', 'x')], [device('a', 'y')], ['a']],
  ['more of the same', [device('a', 'x', 'eth0'), device('b', 'y')], [device('a', 'x', 'eth1'), device('b', 'y')], ['a']],
  ['all at once', [device('d', 'x'), device('a', 'y', 'eth0')], [device('c', 'z'), device('a', 'y', 'eth1')], ['a', 'c', 'd']],
])('drivers that say %s', (_name, prev, next, expected) => {
  expect(reportedDrivers(claim({ devices: next }), claim({ devices: prev }))).toEqual(expected);
});

test('what goes with its device is not said by its driver', () => {
  const allocation = { devices: { results: [{ request: 'r', driver: 'a', pool: 'p', device: 'x' }] } };
  const prev = claim({ allocation, devices: [device('a', 'x')] });
  expect(reportedDrivers(claim({}), prev)).toEqual([]);
  expect(reportedDrivers(claim({ allocation }), prev)).toEqual(['a']);
  expect(prev.status?.devices).toHaveLength(1);
});

test('devices and users are a matter of scheduling, what devices say is not', () => {
  const reservedFor = [{ resource: 'pods', name: 'a', uid: 'u' }];
  expect(changesBinding(claim({ devices: [device('a', 'x')] }), claim(undefined))).toBe(false);
  expect(changesBinding(claim({ allocation: {} }), claim({}))).toBe(true);
  expect(changesBinding(claim({ allocation: {} }), claim({ allocation: {}, reservedFor }))).toBe(true);
  expect(changesBinding(claim({ allocation: {}, reservedFor }), claim({ allocation: {}, reservedFor }))).toBe(false);
});

const named = (key: string, operator: string, ...values: string[]): V1NodeSelectorRequirement => ({ key, operator, values });
const one = named('metadata.name', 'In', 'n');

test.each<[string, V1NodeSelectorTerm[] | undefined, string]>([
  ['anywhere', undefined, ''],
  ['one node', [{ matchFields: [one] }], 'n'],
  ['two nodes', [{ matchFields: [named('metadata.name', 'In', 'n', 'm')] }], ''],
  ['nodes by label', [{ matchExpressions: [named('kubernetes.io/hostname', 'In', 'n')] }], ''],
  ['by label, too', [{ matchFields: [one], matchExpressions: [named('a', 'Exists')] }], ''],
  ['two terms', [{ matchFields: [one] }, { matchFields: [one] }], ''],
  ['another field', [{ matchFields: [named('metadata.namespace', 'In', 'n')] }], ''],
  ['all but one', [{ matchFields: [named('metadata.name', 'NotIn', 'n')] }], ''],
  ['twice', [{ matchFields: [one, one] }], ''],
])('the node of an allocation for %s', (_name, nodeSelectorTerms, expected) => {
  expect(nodeOfAllocation(nodeSelectorTerms === undefined ? {} : { nodeSelector: { nodeSelectorTerms } })).toBe(expected);
});
