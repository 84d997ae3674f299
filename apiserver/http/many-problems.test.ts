// Bodies with more mistakes than arguments fit into a call.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { pod } from '#api/core/pod/pod.ts';
import { ApiError } from '#api/meta/status.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let client: RestClient;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await startTestApiServer({ admissionPlugins: [] });
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

async function codeOf(work: Promise<unknown>): Promise<number> {
  try {
    await work;
    return 201;
  } catch (error) {
    return error instanceof ApiError ? error.code : 0;
  }
}

test('45,000 containers without a name are 90,000 mistakes, and one answer', async () => {
  const containers = Array.from({ length: 45_000 }, () => ({}));
  const body = { metadata: { name: 'a', namespace: 'default' }, spec: { containers } };
  expect(await codeOf(client.create(pod, body as never, {}, signal))).toBe(422);
});

test('so are 90,000 finalizers without a name', async () => {
  const finalizers = Array.from({ length: 90_000 }, () => '');
  expect(await codeOf(client.create(configMap, { metadata: { name: 'a', namespace: 'default', finalizers } }, {}, signal))).toBe(422);
});
