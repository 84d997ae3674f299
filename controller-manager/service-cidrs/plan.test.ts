import { describe, expect, test } from 'vitest';
import type { IPAddress } from '#api/networking/ip-address.ts';
import type { ServiceCIDR } from '#api/networking/service-cidr.ts';
import { holdsAddress, overlapping, planRange, rangeFinalizer } from './plan.ts';

const deletedMs = Date.parse('2026-01-01T00:00:00Z');

interface RangeForm {
  readonly cidrs?: readonly string[];
  readonly isLeaving?: boolean;
  readonly finalizers?: readonly string[];
  readonly condition?: object;
}

function aRange(
  name: string,
  { cidrs = ['10.0.0.0/24'], isLeaving = false, finalizers = [rangeFinalizer], condition }: RangeForm = {},
): ServiceCIDR {
  return {
    metadata: { name, finalizers: [...finalizers], ...(isLeaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { cidrs: [...cidrs] },
    status: condition === undefined ? {} : { conditions: [{ type: 'Ready', lastTransitionTime: 'x', ...condition }] },
  } as ServiceCIDR;
}

const anAddress = (name: string, managedBy = 'ipallocator.k8s.io'): IPAddress =>
  ({ metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': managedBy } } }) as unknown as IPAddress;

const ready = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
const inUse = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};
const used = ['10.0.0.7'];
const leaving = { isLeaving: true };

describe('the next step for a range', () => {
  test.each<[string, ServiceCIDR, ServiceCIDR[], string[], object]>([
    ['a new one is protected first', aRange('a', { finalizers: [] }), [], [], { kind: 'protect' }],
    ['then it is ready', aRange('a'), [], [], { kind: 'setCondition', ready }],
    ['which is said once', aRange('a', { condition: ready }), [], used, { kind: 'keep' }],
    ['whatever was said before', aRange('a', { condition: { ...ready, message: 'else' } }), [], [], { kind: 'setCondition', ready }],
    ['one that goes without addresses', aRange('a', leaving), [], [], { kind: 'release' }],
    ['one whose addresses are in use', aRange('a', leaving), [], used, { kind: 'setCondition', ready: inUse }],
    ['which is said once, too', aRange('a', { ...leaving, condition: inUse }), [], used, { kind: 'keep' }],
    ['addresses of others do not count', aRange('a', leaving), [], ['10.0.1.7'], { kind: 'release' }],
    ['a wider one holds its addresses', aRange('a', leaving), [aRange('b', { cidrs: ['10.0.0.0/16'] })], used, { kind: 'release' }],
    ['so does one of the same network', aRange('a', leaving), [aRange('b')], used, { kind: 'release' }],
    ['a narrower one holds some of them', aRange('a', leaving), [aRange('b', { cidrs: ['10.0.0.0/28'] })], used, { kind: 'release' }],
    [
      'a narrower one does not hold all of them',
      aRange('a', leaving),
      [aRange('b', { cidrs: ['10.0.0.0/30'] })],
      used,
      { kind: 'setCondition', ready: inUse },
    ],
    ['one that goes, too, holds nothing', aRange('a', leaving), [aRange('b', leaving)], used, { kind: 'setCondition', ready: inUse }],
    [
      'all its networks count',
      aRange('a', { ...leaving, cidrs: ['10.0.0.0/24', 'fd00::/120'] }),
      [aRange('b')],
      ['fd00::7'],
      { kind: 'setCondition', ready: inUse },
    ],
    ['one that nothing holds any more', aRange('a', { ...leaving, finalizers: ['other'] }), [], used, { kind: 'keep' }],
  ])('%s', (_name, range, others, names, expected) => {
    const addresses = (): IPAddress[] => names.map((name) => anAddress(name));
    expect(planRange({ range, ranges: [range, ...others], addresses, nowMs: deletedMs + 10_000 })).toEqual(expected);
  });

  test('API servers get ten seconds to hear of it', () => {
    const range = aRange('a', leaving);
    const addresses = (): IPAddress[] => [anAddress('10.0.0.7', 'somebody')];
    expect(planRange({ range, ranges: [range], addresses, nowMs: deletedMs + 4_000 })).toEqual({ kind: 'wait', ms: 6_000 });
  });
});

test('ranges overlap where one holds another', () => {
  const ranges = [
    aRange('same'),
    aRange('wider', { cidrs: ['10.0.0.0/8'] }),
    aRange('narrower', { cidrs: ['fd00::/64', '10.0.0.128/25'] }),
    aRange('beside', { cidrs: ['10.0.1.0/24'] }),
  ];
  expect(overlapping(aRange('new'), ranges)).toEqual(['same', 'wider', 'narrower']);
});

test.each([
  ['10.0.0.0', false],
  ['10.0.0.1', true],
  ['10.0.0.254', true],
  ['10.0.0.255', false],
  ['10.0.1.1', false],
  ['fd00::', false],
  ['fd00::ff', true],
])('%s can be given out: %s', (address, expected) => {
  expect(holdsAddress(aRange('a', { cidrs: ['10.0.0.0/24', 'fd00::/120'] }), address)).toBe(expected);
});
