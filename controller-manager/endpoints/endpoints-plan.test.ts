import { expect, test } from 'vitest';
import type { Endpoints } from '#api/core/endpoints.ts';
import { aPod, aService, type PodTraits } from '../builders.ts';
import { type EndpointsView, planEndpoints } from './endpoints-plan.ts';

const pod = (at: number, rest: PodTraits = {}) => aPod({ name: `p${at}`, ip: `10.0.${at >> 8}.${at & 255}`, readySeconds: 5, ...rest });
const plan = (rest: Partial<EndpointsView>) =>
  planEndpoints({ service: aService(), pods: [], existing: undefined, triggerTime: undefined, ...rest });
const address = (at: number) => ({
  ip: `10.0.0.${at}`,
  nodeName: 'n1',
  targetRef: { kind: 'Pod', namespace: 'default', name: `p${at}`, uid: `uid-p${at}` },
});
const port = { port: 8_080, protocol: 'TCP' };

test('ready and other addresses, sorted; what is going is left out', () => {
  const made = plan({ pods: [pod(2), pod(1), aPod({ name: 'p3', ip: '10.0.0.3' }), pod(4, { isGoing: true })], triggerTime: 'then' });
  expect(made).toEqual({
    metadata: {
      name: 'web',
      namespace: 'default',
      labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': 'then' },
    },
    subsets: [{ addresses: [address(1), address(2)], notReadyAddresses: [address(3)], ports: [port] }],
  });
});

test('a Service that publishes everything shows all as ready', () => {
  const service = aService({ publishNotReadyAddresses: true });
  const subsets = plan({ service, pods: [aPod({ name: 'p1', ip: '10.0.0.1' }), pod(2, { isGoing: true })] })?.subsets;
  expect(subsets).toEqual([{ addresses: [address(1), address(2)], ports: [port] }]);
});

test('only headless Services may have no ports', () => {
  const headless = aService({ clusterIP: 'None', ports: [] });
  expect(plan({ service: headless, pods: [pod(1)] })).toMatchObject({
    metadata: { labels: { 'service.kubernetes.io/headless': '' } },
    subsets: [{ addresses: [address(1)] }],
  });
  expect(plan({ service: aService({ ports: [] }), pods: [pod(1)] })?.subsets).toEqual([]);
});

test('a second plan is empty, until something changes', () => {
  const existing = plan({ pods: [pod(1)] }) as Endpoints;
  expect(plan({ pods: [pod(1)], existing, triggerTime: 'later' })).toBeUndefined();
  expect(plan({ pods: [], existing })?.subsets).toEqual([]);
  const labelled = aService({}, { labels: { team: 'a' } });
  expect(plan({ service: labelled, pods: [pod(1)], existing })?.metadata.labels).toMatchObject({ team: 'a' });
});

test('more than a thousand addresses are cut, ready ones kept, and it says so', () => {
  const waiting = Array.from({ length: 200 }, (_, at) => aPod({ name: `w${at}`, ip: `10.9.0.${at}` }));
  const pods = [...waiting, ...Array.from({ length: 900 }, (_, at) => pod(at))];
  const made = plan({ pods });
  expect(made?.metadata.annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' });
  expect(made?.subsets?.map(({ addresses = [], notReadyAddresses = [] }) => [addresses.length, notReadyAddresses.length])).toEqual([
    [900, 100],
  ]);
  expect(plan({ pods: [pod(1)], existing: made })?.metadata).not.toHaveProperty('annotations');
});
