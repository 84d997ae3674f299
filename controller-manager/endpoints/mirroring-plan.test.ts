import { expect, test } from 'vitest';
import type { Endpoints } from '#api/core/endpoints.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { planMirror, shouldMirror } from './mirroring-plan.ts';

const source = (subsets: Endpoints['subsets'], metadata: object = {}): Endpoints => ({
  metadata: { name: 'db', namespace: 'default', uid: 'endpoints', ...metadata },
  ...(subsets === undefined ? {} : { subsets }),
});
const http = [{ name: 'http', port: 80, protocol: 'TCP' }];
const one = source([{ addresses: [{ ip: '192.0.2.1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: http }]);
const named = (slices: readonly EndpointSlice[]) =>
  slices.map((slice, at) => ({ ...slice, metadata: { ...slice.metadata, name: `s${at}` } }));

test.each<[metadata: object, mirrored: boolean]>([
  [{}, true],
  [{ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }, false],
  [{ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'false' } }, true],
  [{ annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }, false],
])('Endpoints with %j are mirrored: %s', (metadata, mirrored) => {
  expect(shouldMirror(source([], metadata))).toBe(mirrored);
});

test('a subset becomes a slice', () => {
  const { create } = planMirror(source(one.subsets, { labels: { team: 'a' }, annotations: { note: 'b' } }), []);
  expect(create).toEqual([
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: 'db-',
        namespace: 'default',
        labels: {
          team: 'a',
          'kubernetes.io/service-name': 'db',
          'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
        },
        annotations: { note: 'b' },
        ownerReferences: [expect.objectContaining({ kind: 'Endpoints', name: 'db', uid: 'endpoints' })],
      },
      addressType: 'IPv4',
      ports: http,
      endpoints: [
        { addresses: ['192.0.2.1'], conditions: { ready: true } },
        { addresses: ['192.0.2.2'], conditions: { ready: false } },
      ],
    },
  ]);
});

test('families and ports have slices of their own', () => {
  const mixed = source([
    { addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }], ports: http },
    { addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 81 }] },
  ]);
  expect(planMirror(mixed, []).create.map(({ addressType, ports }) => [addressType, ports?.[0]?.port])).toEqual([
    ['IPv4', 80],
    ['IPv6', 80],
    ['IPv4', 81],
  ]);
});

test('a second plan is empty; changes update, and without addresses nothing is left', () => {
  const existing = named(planMirror(one, []).create);
  expect(planMirror(one, existing)).toEqual({ create: [], update: [], remove: [] });
  const other = source([{ addresses: [{ ip: '192.0.2.1' }], ports: http }]);
  expect(planMirror(other, existing).update.map(({ metadata, endpoints }) => [metadata.name, endpoints?.length])).toEqual([['s0', 1]]);
  expect(planMirror(source(one.subsets, { labels: { team: 'a' } }), existing).update.length).toBe(1);
  expect(planMirror(source([]), existing)).toEqual({ create: [], update: [], remove: existing });
});
