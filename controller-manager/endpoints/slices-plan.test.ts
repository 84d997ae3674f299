import { describe, expect, test } from 'vitest';
import { type Service, service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { aPod, aService, ownedBy, type PodTraits } from '../builders.ts';
import { noNode, planSlices, type SlicesView } from './slices-plan.ts';

const pods = (count: number, rest: PodTraits = {}, from = 0) =>
  Array.from({ length: count }, (_, at) =>
    aPod({ name: `p${from + at}`, ip: `10.0.${(from + at) >> 8}.${(from + at) & 255}`, readySeconds: 5, ...rest }),
  );
const view = (rest: Partial<SlicesView> = {}): SlicesView => ({
  service: aService(),
  pods: [],
  existing: [],
  zoneOf: () => undefined,
  ...rest,
});
/** What the server made of a plan. */
const named = (slices: readonly EndpointSlice[], from = 0): EndpointSlice[] =>
  slices.map((slice, at) => ({ ...slice, metadata: { ...slice.metadata, name: `s${from + at}` } }));
const made = (rest: Partial<SlicesView>): EndpointSlice[] => named(planSlices(view(rest)).create);
const shape = (rest: Partial<SlicesView>) => {
  const { create, update, remove } = planSlices(view(rest));
  const size = ({ endpoints }: EndpointSlice) => (endpoints ?? []).length;
  return {
    create: create.map(size),
    update: update.map((slice) => [slice.metadata.name, size(slice)]),
    remove: remove.map(({ metadata }) => metadata.name),
  };
};

test('an endpoint shows its pod', () => {
  const [slice] = made({ pods: pods(1, { spec: { nodeName: 'n1', hostname: 'db', subdomain: 'web' } }), zoneOf: () => 'east' });
  expect(slice).toEqual({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 's0',
      generateName: 'web-',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      ownerReferences: [expect.objectContaining({ kind: 'Service', name: 'web', uid: 'service', controller: true })],
    },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8_080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.0.0.0'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'db',
        nodeName: 'n1',
        targetRef: { kind: 'Pod', namespace: 'default', name: 'p0', uid: 'uid-p0' },
        zone: 'east',
      },
    ],
  });
});

test.each<[wish: string | undefined, zone: string | undefined, pod: 'ready' | 'unready', hints: object | undefined]>([
  ['PreferSameZone', 'east', 'ready', { forZones: [{ name: 'east' }] }],
  ['PreferClose', 'east', 'ready', { forZones: [{ name: 'east' }] }],
  ['PreferSameNode', 'east', 'ready', { forNodes: [{ name: 'n1' }], forZones: [{ name: 'east' }] }],
  ['PreferSameNode', undefined, 'ready', { forNodes: [{ name: 'n1' }] }],
  ['PreferSameZone', undefined, 'ready', undefined],
  ['PreferSameZone', 'east', 'unready', undefined],
  [undefined, 'east', 'ready', undefined],
])('traffic distribution %s in zone %s, %s pod: hints %j', (wish, zone, pod, hints) => {
  const owner = aService(wish === undefined ? {} : { trafficDistribution: wish });
  const seconds = pod === 'ready' ? { readySeconds: 5 } : {};
  const only = aPod({ name: 'p0', ip: '10.0.0.0', spec: { nodeName: 'n1' }, ...seconds });
  const [slice] = made({ service: owner, pods: [only], zoneOf: () => zone });
  expect(slice?.endpoints?.[0]?.hints).toEqual(hints);
});

test('a traffic distribution that comes or goes changes the slices that are there', () => {
  const few = { pods: pods(1, { spec: { nodeName: 'n1' } }), zoneOf: () => 'east' };
  const wishing = aService({ trafficDistribution: 'PreferSameZone' });
  const plain = named(planSlices(view(few)).create);
  expect(shape({ ...few, existing: plain, service: wishing }).update).toEqual([['s0', 1]]);
  const hinting = named(planSlices(view({ ...few, service: wishing })).create);
  expect(shape({ ...few, existing: hinting, service: wishing }).update).toEqual([]);
  expect(planSlices(view({ ...few, existing: hinting })).update[0]?.endpoints?.[0]).not.toHaveProperty('hints');
});

test.each<[why: string, pod: PodTraits, publishes: boolean, ready: boolean, serving: boolean, terminating: boolean]>([
  ['ready', { readySeconds: 1 }, false, true, true, false],
  ['not ready', {}, false, false, false, false],
  ['ready and going', { readySeconds: 1, isGoing: true }, false, false, true, true],
  ['not ready, but published', {}, true, true, false, false],
  ['going, but published', { readySeconds: 1, isGoing: true }, true, true, true, true],
])('conditions: %s', (_why, pod, publishNotReadyAddresses, ready, serving, terminating) => {
  const [slice] = made({ service: aService({ publishNotReadyAddresses }), pods: [aPod({ ip: '10.0.0.1', ...pod })] });
  expect(slice?.endpoints?.[0]?.conditions).toEqual({ ready, serving, terminating });
});

describe('which slices change', () => {
  const hundred = made({ pods: pods(100) });
  const half = made({ pods: pods(50) });
  const placeholder = made({});
  const renamed = (labels: Record<string, string>) => aService({}, { labels });

  test.each<[why: string, rest: Partial<SlicesView>, expected: ReturnType<typeof shape>]>([
    ['none at first', { pods: pods(3) }, { create: [3], update: [], remove: [] }],
    ['a hundred fill one', { pods: pods(250) }, { create: [100, 100, 50], update: [], remove: [] }],
    ['nothing to do', { pods: pods(100), existing: hundred }, { create: [], update: [], remove: [] }],
    ['one more than fits', { pods: pods(101), existing: hundred }, { create: [1], update: [], remove: [] }],
    ['one more that fits', { pods: pods(51), existing: half }, { create: [], update: [['s0', 51]], remove: [] }],
    ['one is gone', { pods: pods(49), existing: half }, { create: [], update: [['s0', 49]], remove: [] }],
    [
      'one changed',
      { pods: [...pods(49), ...pods(1, { isGoing: true }, 49)], existing: half },
      { create: [], update: [['s0', 50]], remove: [] },
    ],
    ['the last is gone: one stays, empty', { existing: half }, { create: [], update: [['s0', 0]], remove: [] }],
    ['no pod at all', {}, { create: [0], update: [], remove: [] }],
    ['still no pod', { existing: placeholder }, { create: [], update: [], remove: [] }],
    ['the first pod', { pods: pods(1), existing: placeholder }, { create: [], update: [['s0', 1]], remove: [] }],
    [
      'another port: the slice takes it over',
      { service: aService({ ports: [{ port: 80, targetPort: 9_090 }] }), pods: pods(50), existing: half },
      { create: [], update: [['s0', 50]], remove: [] },
    ],
    [
      'a label of the Service',
      { service: renamed({ team: 'a' }), pods: pods(50), existing: half },
      { create: [], update: [['s0', 50]], remove: [] },
    ],
    [
      'new endpoints fill what changes anyway',
      { pods: [...pods(49), ...pods(3, {}, 200)], existing: [...half, ...named(made({ pods: pods(20, {}, 100) }), 1)] },
      { create: [], update: [['s0', 52]], remove: ['s1'] },
    ],
    [
      'else the fullest slice with room for all',
      {
        pods: [...pods(50), ...pods(5, {}, 300), ...pods(80, {}, 100)],
        existing: [...half, ...named(made({ pods: pods(80, {}, 100) }), 1)],
      },
      { create: [], update: [['s1', 85]], remove: [] },
    ],
    [
      'a slice of an earlier Service of this name goes',
      {
        pods: pods(1),
        existing: half.map((slice) => ({ ...slice, metadata: { ...slice.metadata, ownerReferences: [ownedBy('earlier', service)] } })),
      },
      { create: [1], update: [], remove: ['s0'] },
    ],
    ['a pod without its node serves nobody', { pods: pods(1), zoneOf: () => noNode }, { create: [0], update: [], remove: [] }],
  ])('%s', (_why, rest, expected) => {
    expect(shape(rest)).toEqual(expected);
  });

  test('labels that somebody added change nothing, a headless mark does', () => {
    const [slice] = half;
    const marked = { ...slice, metadata: { ...slice?.metadata, labels: { ...slice?.metadata.labels, extra: '1' } } } as EndpointSlice;
    expect(shape({ pods: pods(50), existing: [marked] }).update).toEqual([]);
    const headless: Service = aService({ clusterIP: 'None' });
    const [updated] = planSlices(view({ service: headless, pods: pods(50), existing: [marked] })).update;
    expect(updated?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
  });

  test('pods with other numbers for a named port have slices of their own', () => {
    const named80 = { spec: { containers: [{ name: 'a', ports: [{ name: 'web', containerPort: 80 }] }] } };
    const named81 = { spec: { containers: [{ name: 'a', ports: [{ name: 'web', containerPort: 81 }] }] } };
    const target = aService({ ports: [{ port: 80, targetPort: 'web' }] });
    const plan = planSlices(view({ service: target, pods: [...pods(2, named80), ...pods(1, named81, 2)] }));
    expect(plan.create.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length])).toEqual([
      [80, 2],
      [81, 1],
    ]);
  });
});
