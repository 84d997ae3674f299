import { afterEach, beforeEach, expect, test } from 'vitest';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { TransportError } from '#client/client.ts';
import { startTestCluster, type TestCluster } from '../testing.ts';
import { Tokens } from './tokens.ts';

const signal = new AbortController().signal;
let cluster: TestCluster;
let pod: Pod;
let clock: FakeClock;

beforeEach(async () => {
  cluster = await startTestCluster();
  const { client } = cluster;
  await client.create(serviceAccount, { metadata: { namespace: 'default', name: 'robot' } }, {}, signal);
  const spec = { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'x' }] };
  pod = await client.create(podKind, { metadata: { namespace: 'default', name: 'p' }, spec }, {}, signal);
  clock = new FakeClock(Date.now());
});
afterEach(async () => await cluster[Symbol.asyncDispose]());

const claims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

test('a token is asked for once, and again when most of its life is over', async () => {
  const tokens = new Tokens({ client: cluster.client, clock, log: silentLog });
  const projection = { path: 'token', audience: 'vault', expirationSeconds: 3_600 };
  const first = await tokens.fetch(pod, projection, signal);
  expect(claims(first)).toMatchObject({ aud: ['vault'], sub: 'system:serviceaccount:default:robot' });
  expect(claims(first)['kubernetes.io']).toMatchObject({ pod: { name: 'p', uid: pod.metadata.uid } });

  await clock.advance(2_800_000);
  expect(tokens.isDue(pod.metadata.uid ?? '')).toBe(false);
  expect(await tokens.fetch(pod, projection, signal)).toBe(first);
  await clock.advance(100_000);
  expect(tokens.isDue(pod.metadata.uid ?? '')).toBe(true);
  expect(await tokens.fetch(pod, projection, signal)).not.toBe(first);
  expect(tokens.isDue(pod.metadata.uid ?? '')).toBe(false);
});

test('while nobody renews it, a token that lives is good enough', async () => {
  const tokens = new Tokens({ client: cluster.client, clock, log: silentLog });
  const projection = { path: 'token', expirationSeconds: 3_600 };
  const first = await tokens.fetch(pod, projection, signal);
  await cluster.api.stop();
  await clock.advance(3_000_000);
  expect(await tokens.fetch(pod, projection, signal)).toBe(first);
  await clock.advance(1_000_000);
  await expect(tokens.fetch(pod, projection, signal)).rejects.toThrow(TransportError);
});
