import { describe, expect, test, vi } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { aBody, aContext, aKind, startRegistry, wire } from '../../registry/testing.ts';
import { testStore } from '../conformance.ts';
import type { Store } from '../contract.ts';
import { MemoryStore } from '../memory.ts';
import { EncryptedStore, sealableResources } from './encrypted-store.ts';
import { sealedPrefix } from './sealed-prefix.ts';
import { identity, type Sealer, sealers } from './sealers.ts';
import { SealingRules } from './sealing-rules.ts';

const { signal } = new AbortController();
const place = '/registry/secrets/default/s';
const text = Buffer.from('{"kind":"Secret","data":{"password":"c2VjcmV0"}}');
const oldKey = sealers.aescbc('old', Buffer.alloc(32, 1));
const newKey = sealers.aesgcm('new', Buffer.alloc(32, 2));
const box = sealers.secretbox('box', Buffer.alloc(32, 3));

/** What secrets are written with first, and what they may be read with. */
function rulesOf(...list: readonly Sealer[]): SealingRules {
  return new SealingRules([{ resources: [{ group: '', resource: 'secrets' }], sealers: list }]);
}

function sealing(store: Store, ...list: readonly Sealer[]): EncryptedStore {
  return new EncryptedStore({ store, rules: rulesOf(...list), resources: sealableResources(builtinKinds) });
}

// Every key counts as one of a secret's.
const open = async (clock: FakeClock): Promise<Store> => {
  const resources = new Map([['/', { group: '', resource: 'secrets' }]]);
  return new EncryptedStore({ store: new MemoryStore({ clock }), rules: rulesOf(newKey), resources });
};
testStore('EncryptedStore', open, undefined, newKey.seal(Buffer.alloc(0), '').length);

describe.each([
  ['aesgcm', newKey],
  ['aescbc', oldKey],
  ['secretbox', box],
])('%s', (_, sealer) => {
  test('a value lies sealed, and reads as it was, however it is read', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    const store = sealing(below, sealer);
    const made = await store.put(place, text, { expectedRevision: 0 }, signal);
    await store.put(place, Buffer.from('{}'), { expectedRevision: made.ok ? made.revision : 0 }, signal);

    const raw = Buffer.from((await below.get(place, signal))?.value ?? []);
    expect(raw.subarray(0, sealer.mark.length).equals(sealer.mark)).toBe(true);
    expect(raw.includes('{}')).toBe(false);
    expect(Buffer.from((await store.get(place, signal))?.value ?? []).toString()).toBe('{}');
    const { items } = await store.list('/registry/', {}, signal);
    expect(items.map(({ value }) => Buffer.from(value).toString())).toEqual(['{}']);
    for await (const events of store.watch('/registry/', 0, signal)) {
      expect(events.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual([text.toString(), '{}']);
      expect(Buffer.from(events[1]?.previous?.value ?? []).toString()).toBe(text.toString());
      break;
    }
    const lost = await store.put(place, text, { expectedRevision: 0 }, signal);
    expect(lost.ok ? undefined : Buffer.from(lost.current?.value ?? []).toString()).toBe('{}');
  });

  test('the same value never lies there twice in the same bytes', () => {
    expect(Buffer.from(sealer.seal(text, place)).equals(Buffer.from(sealer.seal(text, place)))).toBe(false);
  });

  test('half a value is refused', () => {
    const sealed = Buffer.from(sealer.seal(text, place)).subarray(sealer.mark.length);
    for (let length = 0; length < sealed.length; length++) expect(() => sealer.open(sealed.subarray(0, length), place)).toThrow();
  });
});

test.each([
  ['aesgcm', newKey],
  ['secretbox', box],
])('%s notices every changed bit', (_, sealer) => {
  const sealed = Buffer.from(sealer.seal(text, place)).subarray(sealer.mark.length);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(() => sealer.open(changed, place)).toThrow();
  }
});

test('a value that aesgcm sealed opens in its own place only', () => {
  const sealed = Buffer.from(newKey.seal(text, place)).subarray(newKey.mark.length);
  expect(() => newKey.open(sealed, '/registry/secrets/kube-system/s')).toThrow();
});

test('what has no rule lies as it is', async () => {
  await using below = new MemoryStore({ clock: new FakeClock() });
  const store = sealing(below, newKey);
  await store.put('/registry/configmaps/default/c', text, { expectedRevision: 0 }, signal);
  await store.put('/registry/masterleases/10.0.0.1', text, { expectedRevision: 0 }, signal);
  for (const { value } of (await below.list('/registry/', {}, signal)).items) expect(Buffer.from(value).equals(text)).toBe(true);
  expect(store.isOutdated('/registry/configmaps/default/c')).toBe(false);
});

describe('keys change', () => {
  test('values of older keys, and of none, are read and known to be outdated until they are written again', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    await sealing(below, identity).put(place, text, { expectedRevision: 0 }, signal);
    const store = sealing(below, oldKey, identity);
    const found = await store.get(place, signal);
    expect(Buffer.from(found?.value ?? []).equals(text)).toBe(true);
    expect(store.isOutdated(place)).toBe(true);
    await store.put(place, text, { expectedRevision: found?.modRevision ?? 0 }, signal);
    expect(store.isOutdated(place)).toBe(false);

    store.useRules(rulesOf(newKey, oldKey));
    expect(store.isOutdated(place)).toBe(true);
    await store.get(place, signal);
    expect(store.isOutdated(place)).toBe(true);
  });

  test('a value whose key is gone names its place, and stays', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    await sealing(below, oldKey).put(place, text, { expectedRevision: 0 }, signal);
    const before = await below.get(place, signal);
    const message = `unable to transform key ${JSON.stringify(place)}: no matching prefix found`;
    for (const store of [sealing(below, newKey), sealing(below, identity)]) {
      await expect(store.get(place, signal)).rejects.toMatchObject({ code: 'sealed', message });
    }
    expect(await below.get(place, signal)).toEqual(before);
  });

  test('two keys of one name are both tried', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    const twin = sealers.aesgcm('new', Buffer.alloc(32, 9));
    await sealing(below, newKey).put(place, text, { expectedRevision: 0 }, signal);
    expect(Buffer.from((await sealing(below, twin, newKey).get(place, signal))?.value ?? []).equals(text)).toBe(true);
  });

  test('a plain value that looks sealed is not taken for a plain one', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    await below.put(place, sealedPrefix, { expectedRevision: 0 }, signal);
    await expect(sealing(below, identity).get(place, signal)).rejects.toMatchObject({ code: 'sealed' });
  });
});

describe('the registry over an encrypted store', () => {
  const secrets = aKind('secrets');
  const password = { data: { password: 'c2VjcmV0' } };
  const written = async (store: Store): Promise<string> => {
    await using t = await startRegistry({ kinds: [secrets], store });
    const body = aBody({ metadata: { name: 's' }, ...password });
    const answer = await t.registry.update(secrets, 's', body, aContext()).catch(() => t.registry.create(secrets, body, aContext()));
    return wire('encoded' in answer ? answer.encoded : answer).metadata.resourceVersion ?? '';
  };

  test('an update that changes nothing seals the value with the new key, once', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    expect(await written(sealing(below, oldKey))).toBe('1');
    expect(await written(sealing(below, oldKey))).toBe('1');
    expect(await written(sealing(below, newKey, oldKey))).toBe('2');
    expect(await written(sealing(below, newKey, oldKey))).toBe('2');
    const raw = Buffer.from((await below.get(place, signal))?.value ?? []);
    expect(raw.subarray(0, newKey.mark.length).equals(newKey.mark)).toBe(true);
  });

  test('it starts although values of the past were sealed with a key that is gone', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    await written(sealing(below, oldKey));
    await written(sealing(below, newKey, oldKey));
    await using t = await startRegistry({ kinds: [secrets], store: sealing(below, newKey) });
    expect(wire(await t.registry.get(secrets, 's', '', aContext()))).toMatchObject(password);
  });

  test('it does not start where a value of today does not open', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    await written(sealing(below, oldKey));
    await expect(startRegistry({ kinds: [secrets], store: sealing(below, newKey) })).rejects.toThrow('no matching prefix found');
    await expect(startRegistry({ kinds: [secrets], store: below })).rejects.toThrow(
      `unable to read key ${JSON.stringify(place)}: it is encrypted: give --encryption-provider-config`,
    );
  });

  test('a value that another server seals with a key unknown here stops reads from following, until the key is known', async () => {
    await using below = new MemoryStore({ clock: new FakeClock() });
    const store = sealing(below, oldKey);
    await using t = await startRegistry({ kinds: [secrets], store });
    expect(t.registry.trouble).toBeUndefined();
    const unseen = Buffer.from(JSON.stringify({ metadata: { name: 's', namespace: 'default', uid: 'u' }, ...password }));
    await below.put(place, newKey.seal(unseen, place), { expectedRevision: 0 }, signal);
    await vi.waitFor(() => expect(t.registry.trouble).toContain('no matching prefix found'));
    store.useRules(rulesOf(newKey, oldKey));
    await vi.waitFor(async () => {
      await t.clock.advance(5_000);
      expect(t.registry.trouble).toBeUndefined();
    });
    expect(wire(await t.registry.get(secrets, 's', '', aContext()))).toMatchObject(password);
  });
});
