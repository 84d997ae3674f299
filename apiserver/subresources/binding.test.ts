// Tying pods to nodes, through a whole server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
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
