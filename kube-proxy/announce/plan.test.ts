import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { parseRange } from '#client/load-balancer/pool.ts';
import { type Candidate, candidatesOf, excludedLabel, frontsOf, orderFor, type PeerState, turnOf } from './plan.ts';

const ranges = [parseRange('10.0.0.1-10.0.0.9')];

function balanced(spec: Partial<Service['spec']>, ...ingress: { ip?: string; hostname?: string; ipMode?: string }[]): Service {
  return {
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ...spec },
    status: { loadBalancer: { ingress } },
  };
}

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
const sliceOf = (...endpoints: Endpoint[]): EndpointSlice => ({ metadata: { name: 's' }, addressType: 'IPv4', endpoints });
const on = (nodeName: string, conditions?: Endpoint['conditions']): Endpoint => ({
  addresses: ['10.244.0.9'],
  nodeName,
  ...(conditions ? { conditions } : {}),
});
const ending = { ready: false, serving: true, terminating: true };
const vip = { ip: '10.0.0.1', ipMode: 'VIP' };

describe('what should be answered for', () => {
  test.each<[what: string, service: Service, slices: EndpointSlice[], expected: [string, string[] | undefined][]]>([
    ['an address, by any node', balanced({}, vip), [sliceOf(on('a'))], [['10.0.0.1', undefined]]],
    ['not one of another range', balanced({}, { ip: '10.9.0.1', ipMode: 'VIP' }), [], []],
    ['not one that a load balancer handles', balanced({}, { ...vip, ipMode: 'Proxy' }), [], []],
    ['not a name', balanced({}, { hostname: 'a.b' }), [], []],
    ['not that of another type', balanced({ type: 'NodePort' }, vip), [], []],
    [
      'not that of another proxy',
      { ...balanced({}, vip), metadata: { labels: { 'service.kubernetes.io/service-proxy-name': 'x' } } },
      [],
      [],
    ],
    [
      'by nodes with a ready endpoint',
      balanced({ externalTrafficPolicy: 'Local' }, vip),
      [sliceOf(on('a'), on('b', ending))],
      [['10.0.0.1', ['a']]],
    ],
    ['or with one that still serves', balanced({ externalTrafficPolicy: 'Local' }, vip), [sliceOf(on('b', ending))], [['10.0.0.1', ['b']]]],
    ['by none where there is no endpoint', balanced({ externalTrafficPolicy: 'Local' }, vip), [], [['10.0.0.1', []]]],
  ])('%s', (_what, service, slices, expected) => {
    const fronts = frontsOf(service, slices, ranges);
    expect(fronts.map(({ address, nodes }) => [address, nodes === undefined ? undefined : [...nodes]])).toEqual(expected);
  });
});

function aNode(name: string, address: string, ready = 'True', metadata: Node['metadata'] = {}): Node {
  const status = { addresses: [{ type: 'InternalIP', address }], conditions: [{ type: 'Ready', status: ready }] };
  return { metadata: { name, ...metadata }, status: status as NonNullable<Node['status']> };
}

test.each<[what: string, nodes: Node[], expected: string[]]>([
  ['nodes of the network', [aNode('a', '10.0.0.11'), aNode('b', '10.0.1.11')], ['a']],
  ['ready or not', [aNode('a', '10.0.0.11', 'False'), aNode('b', '10.0.0.12', 'Unknown')], ['a', 'b']],
  ['not those that are kept out', [aNode('a', '10.0.0.11', 'True', { labels: { [excludedLabel]: '' } }), aNode('b', '10.0.0.12')], ['b']],
  ['not those that go', [aNode('a', '10.0.0.11', 'True', { deletionTimestamp: 'x' }), aNode('b', '10.0.0.12')], ['b']],
])('%s may answer', (_what, nodes, expected) => {
  expect(candidatesOf(nodes, '10.0.0.12/24').map(({ name }) => name)).toEqual(expected);
});

const order: readonly Candidate[] = ['a', 'b', 'c'].map((name) => ({ name, address: name }));
test.each<[self: string, states: Record<string, PeerState>, hold: boolean, ask: string[]]>([
  ['a', { b: 'alive' }, true, []],
  ['b', { a: 'alive' }, false, ['a']],
  ['b', { a: 'unknown' }, false, ['a']],
  ['b', { a: 'dead' }, true, ['a']],
  ['c', { a: 'alive', b: 'alive' }, false, ['b']],
  ['c', { a: 'alive', b: 'dead' }, false, ['b', 'a']],
  ['c', { a: 'dead', b: 'dead' }, true, ['b', 'a']],
  ['d', { a: 'dead', b: 'dead', c: 'dead' }, false, []],
])('%s of a, b, c with %j holds: %s', (self, states, hold, ask) => {
  expect(turnOf(order, self, (name) => states[name] ?? 'unknown')).toEqual({ hold, ask });
});

describe('among any nodes', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/), { minLength: 1, maxLength: 8 });
  const candidates = (list: readonly string[]): readonly Candidate[] => list.map((name) => ({ name, address: name }));
  const address = fc.ipV4();

  test('one that lives holds an address, and only one', () => {
    fc.assert(
      fc.property(names, address, fc.func(fc.boolean()), (list, ip, isAlive) => {
        const all = orderFor({ address: ip, nodes: undefined }, candidates(list));
        const living = list.filter((name) => isAlive(name));
        const holders = living.filter((self) => turnOf(all, self, (name) => (living.includes(name) ? 'alive' : 'dead')).hold);
        expect(holders).toHaveLength(living.length === 0 ? 0 : 1);
      }),
    );
  });

  test('the order is the same wherever it is worked out, and a node that goes moves only its own', () => {
    fc.assert(
      fc.property(names, address, fc.nat(), (list, ip, at) => {
        const front = { address: ip, nodes: undefined };
        const whole = orderFor(front, candidates(list)).map(({ name }) => name);
        expect(orderFor(front, candidates(list.toReversed())).map(({ name }) => name)).toEqual(whole);
        const gone = list[at % list.length];
        const rest = candidates(list.filter((name) => name !== gone));
        expect(orderFor(front, rest).map(({ name }) => name)).toEqual(whole.filter((name) => name !== gone));
      }),
    );
  });

  test('addresses are spread', () => {
    const all = candidates(['host2', 'host3', 'host4']);
    const firsts = Array.from(
      { length: 120 },
      (_none, at) => orderFor({ address: `192.168.77.${at + 100}`, nodes: undefined }, all)[0]?.name,
    );
    for (const { name } of all) expect(firsts.filter((first) => first === name).length).toBeGreaterThan(20);
  });
});
