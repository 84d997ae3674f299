// Stores of the first days have their objects under other keys.
import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { aContext, aKind, aList, startRegistry, wire } from '../registry/testing.ts';
import { EncryptedStore, sealableResources } from './encryption/encrypted-store.ts';
import { sealers } from './encryption/sealers.ts';
import { SealingRules } from './encryption/sealing-rules.ts';
import { MemoryStore } from './memory.ts';

const { signal } = new AbortController();
const role = aKind('clusterroles');
const service = aKind('services');

function stored(kind: typeof role, name: string, namespace?: string): Buffer {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return Buffer.from(JSON.stringify({ apiVersion, kind: kind.kind, metadata: { name, namespace, uid: name }, spec: {}, rules: [] }));
}

test('objects under the keys of earlier versions are moved before anything is served, and once', async () => {
  const clock = new FakeClock();
  await using store = new MemoryStore({ clock });
  const put = (key: string, value: Buffer): Promise<unknown> => store.put(key, value, { expectedRevision: 0 }, signal);
  await put('/registry/rbac.authorization.k8s.io/clusterroles/r', stored(role, 'r'));
  await put('/registry/services/default/s', stored(service, 's', 'default'));
  // One whose move was cut off after its first step.
  await put('/registry/rbac.authorization.k8s.io/clusterroles/half', stored(role, 'half'));
  await put('/registry/clusterroles/half', stored(role, 'half'));
  await put('/registry/ranges/servicenodeports', Buffer.from('{}'));
  {
    await using t = await startRegistry({ kinds: [role, service], store, clock });
    expect(wire(await t.registry.get(role, 'r', '', aContext({ namespace: '' }))).metadata.uid).toBe('r');
    expect(wire(await t.registry.get(service, 's', '', aContext())).metadata.uid).toBe('s');
    const { items } = await store.list('/registry/', {}, signal);
    expect(items.map(({ key }) => key)).toEqual([
      '/registry/clusterroles/half',
      '/registry/clusterroles/r',
      '/registry/ranges/servicenodeports',
      '/registry/services/specs/default/s',
    ]);
  }
  const revision = await store.currentRevision(signal);
  await using t = await startRegistry({ kinds: [role, service], store, clock });
  expect((await t.registry.list(role, aList(), aContext({ namespace: '' }))).items).toHaveLength(2);
  expect(await store.currentRevision(signal)).toBe(revision);
});

test('what lies sealed is sealed anew for its place', async () => {
  const clock = new FakeClock();
  await using below = new MemoryStore({ clock });
  const key = sealers.aesgcm('key', Buffer.alloc(32, 2));
  const rules = new SealingRules([{ resources: [{ group: role.group, resource: 'clusterroles' }], sealers: [key] }]);
  const store = new EncryptedStore({ store: below, rules, resources: sealableResources(builtinKinds) });
  const former = '/registry/rbac.authorization.k8s.io/clusterroles/r';
  await store.put(former, stored(role, 'r'), { expectedRevision: 0 }, signal);
  expect(Buffer.from((await below.get(former, signal))?.value ?? []).includes('ClusterRole')).toBe(false);

  await using t = await startRegistry({ kinds: [role], store, clock });
  expect(wire(await t.registry.get(role, 'r', '', aContext({ namespace: '' }))).metadata.uid).toBe('r');
  expect(Buffer.from((await below.get('/registry/clusterroles/r', signal))?.value ?? []).includes('ClusterRole')).toBe(false);
});
