import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { testStore } from '../../conformance.ts';
import type { Store } from '../../contract.ts';
import { MemoryStore } from '../../memory.ts';
import { EncryptedStore } from '../encrypted-store.ts';
import type { SealingRules } from '../sealing-rules.ts';
import type { SealingSettings } from '../settings.ts';
import { KmsProviders } from './providers.ts';
import { sealWithSeed, seedCipher } from './seed-cipher.ts';
import { kmsMessage, TestPlugin } from './testing.ts';
import { mark, place, settingsOf, storedValue, TestServer, text } from './testing-server.ts';

const { signal } = new AbortController();

describe('the store over a plugin', async () => {
  const plugin = await TestPlugin.start();
  afterAll(() => plugin[Symbol.asyncDispose]());
  const secrets = { group: '', resource: 'secrets' };
  const rulesAt = async (clock: FakeClock): Promise<SealingRules> => {
    const kms = new KmsProviders({ onOtherKey: () => undefined, clock, log: silentLog });
    const rules = kms.rulesNow(settingsOf(plugin));
    await kms.firstCheck();
    return rules;
  };
  // Every key counts as one of a secret's.
  const open = async (clock: FakeClock): Promise<Store> =>
    new EncryptedStore({ store: new MemoryStore({ clock }), rules: await rulesAt(clock), resources: new Map([['/', secrets]]) });
  const sealed = (await rulesAt(new FakeClock())).find(secrets)?.seal(Buffer.alloc(0), '/');
  // The length of what is large takes two more bytes.
  testStore('EncryptedStore with a KMS plugin', open, undefined, (sealed?.length ?? 0) + 2);
});

test('a value lies as upstream has it, and the plugin is asked once for many', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using server = await TestServer.start(plugin, below);
  for (let at = 0; at < 20; at++) await server.write(`${place}-${at}`);
  expect(plugin.calls).toEqual(['Status', 'Encrypt']);
  const [one, two] = [await storedValue(below, `${place}-1`), await storedValue(below, `${place}-2`)];
  expect(one).toMatchObject({ keyID: 'key-1', encryptedDEKSourceType: 1 });
  expect(Object.entries(one.annotations).map(([key, value]) => [key, Buffer.from(value).toString()])).toEqual([
    ['local.kek.example.com', 'key-1'],
  ]);
  expect(one.encryptedDEKSource.equals(two.encryptedDEKSource)).toBe(true);
  expect(one.encryptedData.equals(two.encryptedData)).toBe(false);
  expect(one.encryptedData.length).toBe(32 + 12 + text.length + 16);
  expect(await server.read(`${place}-1`)).toBe(text.toString());
  expect(plugin.calls).toEqual(['Status', 'Encrypt']);
});

test('keys are derived as HKDF expands', () => {
  // The hash of a secret by the same salt is what HKDF expands: so a secret, extracted, is the seed.
  const [secret, extractSalt] = [randomBytes(32), randomBytes(32)];
  const seed = createHmac('sha256', extractSalt).update(secret).digest();
  const sealed = Buffer.concat(sealWithSeed(seed, text, place));
  const key = Buffer.from(hkdfSync('sha256', secret, extractSalt, sealed.subarray(0, 32), 32));
  const opening = createDecipheriv('aes-256-gcm', key, sealed.subarray(32, 44)).setAAD(Buffer.from(place));
  opening.setAuthTag(sealed.subarray(-16));
  expect(Buffer.concat([opening.update(sealed.subarray(44, -16)), opening.final()]).equals(text)).toBe(true);
  expect(() => seedCipher(seed).open(sealed, '/registry/secrets/kube-system/s')).toThrow();
  for (let length = 0; length < sealed.length; length++) expect(() => seedCipher(seed).open(sealed.subarray(0, length), place)).toThrow();
});

test('another server asks once for a key, however it reads and however many wait', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using first = await TestServer.start(plugin, below);
  for (let at = 0; at < 20; at++) await first.write(`${place}-${at}`);
  await first.write(`${place}-0`, Buffer.from('{}'));
  const decrypts = (): number => plugin.calls.filter((call) => call === 'Decrypt').length;

  await using second = await TestServer.start(plugin, below);
  expect(await Promise.all([1, 2, 3].map((at) => second.read(`${place}-${at}`)))).toEqual(Array(3).fill(text.toString()));
  expect(decrypts()).toBe(1);
  await using third = await TestServer.start(plugin, below);
  const { items } = await third.store.list('/registry/', {}, signal);
  expect(items.filter(({ value }) => Buffer.from(value).equals(text))).toHaveLength(19);
  expect(decrypts()).toBe(2);
  await using fourth = await TestServer.start(plugin, below);
  for await (const events of fourth.store.watch('/registry/', 0, signal)) {
    expect(events.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual([...Array(20).fill(text.toString()), '{}']);
    expect(Buffer.from(events[20]?.previous?.value ?? []).toString()).toBe(text.toString());
    break;
  }
  expect(decrypts()).toBe(3);
  await using fifth = await TestServer.start(plugin, below);
  const lost = await fifth.store.put(`${place}-1`, text, { expectedRevision: 0 }, signal);
  expect(lost.ok ? '' : Buffer.from(lost.current?.value ?? []).toString()).toBe(text.toString());
});

test('when the plugin takes another key, so do values, and those of the old one are outdated until they are written', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using server = await TestServer.start(plugin, below);
  await server.write();
  expect(server.store.isOutdated(place)).toBe(false);
  plugin.rotate('key-2');
  await server.asksAgain(plugin, 60_000);
  expect(await server.health()).toBe(true);
  // To start a server anew brings no plugin back.
  expect(server.sealing.checks.map(({ on }) => on)).toEqual([['healthz', 'readyz']]);
  expect(server.store.isOutdated(place)).toBe(true);
  expect(await server.read()).toBe(text.toString());
  expect(server.store.isOutdated(place)).toBe(true);
  await server.write();
  expect(server.store.isOutdated(place)).toBe(false);
  expect((await storedValue(below)).keyID).toBe('key-2');
  // Back: with a seed of its own.
  plugin.rotate('key-1');
  await server.asksAgain(plugin, 60_000);
  expect(server.store.isOutdated(place)).toBe(true);
});

test('a value whose key came from the plugin itself, as in older versions, is read, and outdated', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using server = await TestServer.start(plugin, below);
  await server.write();
  // What the plugin encrypted is a key here, and no seed.
  const { encryptedDEKSource, annotations, keyID } = await storedValue(below);
  const key = plugin.decrypted({ ciphertext: encryptedDEKSource, annotations, keyId: keyID });
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${place}-old`));
  const encryptedData = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const object = kmsMessage('EncryptedObject').encode({ keyID, encryptedDEKSource, annotations, encryptedData }).finish();
  await below.put(`${place}-old`, Buffer.concat([Buffer.from(mark), object]), { expectedRevision: 0 }, signal);
  expect(await server.read(`${place}-old`)).toBe(text.toString());
  expect(server.store.isOutdated(`${place}-old`)).toBe(true);
});

test('another configuration is used once its plugins are well; those that it does not name are let go', async () => {
  await using plugin = await TestPlugin.start();
  await using next = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  let settings = settingsOf(plugin);
  await using server = await TestServer.start(plugin, below, { path: import.meta.filename, read: () => settings });
  await server.write();
  next.failure = 'not yet';
  const both: SealingSettings = [
    {
      resources: [{ group: '', resource: 'secrets' }],
      providers: [...settingsOf(next, 'next'), ...settings].flatMap((one) => one.providers),
    },
  ];
  settings = both;
  await expect(server.sealing.reload()).rejects.toThrow('error: rpc error: code = Internal desc = not yet');
  await server.write();
  expect((await storedValue(below)).keyID).toBe('key-1');
  next.failure = undefined;
  await server.sealing.reload();
  expect(server.store.isOutdated(place)).toBe(true);
  expect(await server.read()).toBe(text.toString());
  await server.write();
  expect((await below.get(place, signal))?.value.subarray(0, 20).toString()).toContain('k8s:enc:kms:v2:next:');
  settings = settingsOf(next, 'next');
  await server.sealing.reload();
  const asked = plugin.calls.length;
  await server.asksAgain(next, 60_000);
  expect(plugin.calls).toHaveLength(asked);
  expect(await server.read()).toBe(text.toString());
});
