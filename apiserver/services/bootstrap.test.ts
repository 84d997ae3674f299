// A first start on a store in which somebody else has left quotas for the namespace that the server keeps its own Service in.
import { expect, test } from 'vitest';
import { type ResourceQuota, resourceQuota } from '#api/core/resource-quota.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { connect } from '#client/rest.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer } from '../testing.ts';

const { signal } = new AbortController();
const full: ResourceQuota = {
  metadata: { name: 'q', namespace: 'default', uid: 'q' },
  spec: { hard: { services: '0' } },
  status: { hard: { services: '0' }, used: { services: '0' } },
};

test.each<[string, string]>([
  ['leaves no room', JSON.stringify({ apiVersion: 'v1', kind: 'ResourceQuota', ...full })],
  ['nobody can read', '{"kind":"ResourceQuota"'],
])('a quota that %s does not hold up the start, and nothing else is missing', async (_, stored) => {
  await using store = new MemoryStore({ clock: systemClock });
  await store.put('/registry/resourcequotas/default/q', Buffer.from(stored), { expectedRevision: 0 }, signal);
  const clock = new FakeClock(Date.now());
  await using server = await startTestApiServer({ store, clock });
  await using client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  const key = { namespace: 'default', name: 'kubernetes' };
  await expect(client.get<Service>(service, key, signal)).rejects.toMatchObject({ reason: 'NotFound' });

  // Whoever finds out mends it, and the next look makes what was missing.
  const found = await store.get('/registry/resourcequotas/default/q', signal);
  await store.delete('/registry/resourcequotas/default/q', found?.modRevision ?? 0, signal);
  await expect(client.list<ResourceQuota>(resourceQuota, { namespace: 'default' }, signal)).resolves.toMatchObject({ items: [] });
  await clock.advance(10_000);
  const isThere = (): Promise<boolean> =>
    client.get<Service>(service, key, signal).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) await new Promise((resolve) => setImmediate(resolve));
});
