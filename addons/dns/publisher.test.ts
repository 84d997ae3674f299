import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { service } from '#api/core/service/service.ts';
import { endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { Publisher } from './publisher.ts';

let server: TestApiServer;
let client: RestClient;
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

function publish(address: string, clock: FakeClock, signal: AbortSignal): Promise<unknown> {
  const publisher = new Publisher({ client, serviceIp: '10.96.0.10', address, port: 10_053, clock, log: silentLog });
  return publisher.run(signal, () => undefined).catch(() => undefined);
}

async function addresses(): Promise<readonly string[]> {
  const { items } = await client.list(endpointSlice, { namespace: 'kube-system' }, never);
  return items.flatMap(({ endpoints }) => endpoints?.flatMap((one) => one.addresses) ?? []).sort((a, b) => (a < b ? -1 : 1));
}

/** Lets time pass in steps, so that answers of the real server can come in between. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 5) {
    await clock.advance(5_000);
    await systemClock.sleep(20, never);
  }
}

test('each server has its own slice, and one that is gone loses it', async () => {
  const clock = new FakeClock();
  const [one, two] = [new AbortController(), new AbortController()];
  const ended = [publish('10.0.0.1', clock, one.signal), publish('10.0.0.2', clock, two.signal)];
  await expect.poll(addresses).toEqual(['10.0.0.1', '10.0.0.2']);
  const { spec } = await client.get(service, { namespace: 'kube-system', name: 'kube-dns' }, never);
  expect(spec.clusterIP).toBe('10.96.0.10');
  await pass(clock, 200);
  expect(await addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
  two.abort(new Error('killed'));
  await ended[1];
  await pass(clock, 60);
  expect(await addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
  await pass(clock, 60);
  await expect.poll(addresses).toEqual(['10.0.0.1']);
  one.abort(new Error('the test is over'));
  await Promise.all(ended);
});
