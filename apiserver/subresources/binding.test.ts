// Tying pods to nodes, through a whole server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { node } from '#api/core/node/node.ts';
import { pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let client: RestClient;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

test('a bound pod asks for nothing new and belongs to nobody new', async () => {
  await client.create(serviceAccount, { metadata: { namespace: 'default', name: 'default' } }, {}, signal);
  const key = { namespace: 'default', name: 'p' };
  const made = await client.create(pod, { metadata: key, spec: { containers: [{ name: 'c', image: 'i' }] } }, {}, signal);
  const nominated = { status: { nominatedNodeName: 'n1' } };
  await client.patch(pod, key, nominated, { type: 'merge', subresource: 'status' }, signal);
  await client.createSub(pod, key, 'binding', { metadata: key, target: { kind: 'Node', name: 'n1' } }, signal);
  const bound = (await client.get(pod, key, signal)) as V1Pod;
  expect(bound.spec?.nodeName).toBe('n1');
  expect(bound.metadata?.generation).toBe(made.metadata.generation);
  expect(bound.metadata?.managedFields?.map(({ subresource }) => subresource)).toEqual([undefined, 'status']);
  expect(JSON.stringify(bound.metadata?.managedFields)).not.toContain('f:nodeName');
  expect(bound.status).toMatchObject({ conditions: [{ type: 'PodScheduled', status: 'True' }] });
  expect(bound.status?.nominatedNodeName).toBeUndefined();
});

test('a bound pod gets what the binding says of it, and where its node is', async () => {
  const zone = 'topology.kubernetes.io/zone';
  const labels = { [zone]: 'z1', 'topology.kubernetes.io/region': 'r1', disk: 'ssd' };
  await client.create(node, { metadata: { name: 'placed', labels } }, {}, signal);
  const key = { namespace: 'default', name: 'moved' };
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const made = await client.create(pod, { metadata: { ...key, labels: { app: 'web', [zone]: 'wish' } }, spec }, {}, signal);
  const metadata = { ...key, labels: { by: 'me', app: 'api' }, annotations: { why: 'room' } };
  const target = { kind: 'Node', name: 'placed' };
  const old = { ...metadata, resourceVersion: '1' };
  await expect(client.createSub(pod, key, 'binding', { metadata: old, target }, signal)).rejects.toThrow(
    `ResourceVersion in precondition: 1, ResourceVersion in object meta: ${made.metadata.resourceVersion}`,
  );
  await client.createSub(pod, key, 'binding', { metadata, target }, signal);
  const bound = await client.get(pod, key, signal);
  expect(bound.metadata.labels).toEqual({ app: 'api', by: 'me', [zone]: 'z1', 'topology.kubernetes.io/region': 'r1' });
  expect(bound.metadata.annotations).toEqual({ why: 'room' });
});

test.each([
  ['placed', { app: 'web', 'topology.kubernetes.io/zone': 'z1', 'topology.kubernetes.io/region': 'r1' }],
  ['unknown', { app: 'web' }],
  [undefined, { app: 'web' }],
])('a pod made for the node %s', async (nodeName, labels) => {
  const metadata = { namespace: 'default', generateName: 'made-', labels: { app: 'web' } };
  const spec = { containers: [{ name: 'c', image: 'i' }], ...(nodeName && { nodeName }) };
  expect((await client.create(pod, { metadata, spec }, {}, signal)).metadata.labels).toEqual(labels);
});
