import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { readMetrics } from '#base/metric-text.ts';
import { createMetrics } from '#base/metrics.ts';
import { EncryptedStore, sealableResources } from '../storage/encryption/encrypted-store.ts';
import { identity, type Sealer, sealers } from '../storage/encryption/sealers.ts';
import { SealingRules } from '../storage/encryption/sealing-rules.ts';
import { MemoryStore } from '../storage/memory.ts';
import { transformationMetrics } from './transformation-metrics.ts';
import { upstreamFamilies } from './upstream-families.ts';

const { signal } = new AbortController();
const key = sealers.aesgcm('one', Buffer.alloc(32, 1));
const other = sealers.aescbc('two', Buffer.alloc(32, 2));
const rulesOf = (...list: readonly Sealer[]): SealingRules =>
  new SealingRules([{ resources: [{ group: '', resource: 'secrets' }], sealers: list }]);

test('what is sealed and opened is counted by resource, direction and key', async () => {
  const clock = new FakeClock();
  await using below = new MemoryStore({ clock });
  const store = new EncryptedStore({ store: below, rules: rulesOf(key, identity), resources: sealableResources(builtinKinds) });
  const metrics = createMetrics();
  store.observeTransformations(transformationMetrics(metrics, clock));
  const place = '/registry/secrets/default/s';
  await store.put(place, Buffer.from('{}'), { expectedRevision: 0 }, signal);
  await store.put('/registry/configmaps/default/c', Buffer.from('{}'), { expectedRevision: 0 }, signal);
  await below.put('/registry/secrets/default/plain', Buffer.from('{}'), { expectedRevision: 0 }, signal);
  await store.get(place, signal);
  await store.list('/registry/', {}, signal);
  store.useRules(rulesOf(other));
  await expect(store.get(place, signal)).rejects.toThrow('unable to transform key');

  const families = readMetrics(await metrics.text());
  const total = families.get('apiserver_storage_transformation_operations_total');
  const mark = 'k8s:enc:aesgcm:v1:one:';
  const shape = (status: string, type: string, prefix: string): object => ({
    resource: 'secrets',
    status,
    transformation_type: type,
    transformer_prefix: prefix,
  });
  expect(total?.samples.map(({ labels, value }) => [labels, value])).toEqual([
    [shape('OK', 'to_storage', mark), 1],
    [shape('OK', 'from_storage', mark), 2],
    [shape('OK', 'from_storage', 'identity'), 1],
    [shape('unknown-non-grpc', 'from_storage', 'unknown'), 1],
  ]);
  const seconds = families.get('apiserver_storage_transformation_duration_seconds');
  const { buckets } = upstreamFamilies['apiserver_storage_transformation_duration_seconds'] ?? {};
  const bounds = new Set(seconds?.samples.flatMap(({ labels: { le } }) => (le === undefined || le === '+Inf' ? [] : [Number(le)])));
  expect([...bounds]).toEqual(buckets);
});
