import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { builtinKinds } from '#api/kinds.ts';
import { aBody, aContext, aKind, aList, aWatch, startRegistry, wire } from '../../../registry/testing.ts';
import type { Body } from '../../../registry/contract.ts';
import { testStore } from '../../conformance.ts';
import type { Store } from '../../contract.ts';
import { MemoryStore } from '../../memory.ts';
import { EncryptedStore } from '../encrypted-store.ts';
import type { SealingRules } from '../sealing-rules.ts';
import { Sealing, type SealingOptions } from '../sealing.ts';
import type { SealingSettings } from '../settings.ts';
import { KmsProviders } from './providers.ts';
import { sealWithSeed, seedCipher } from './seed-cipher.ts';
import { kmsMessage, TestPlugin } from './testing.ts';

const { signal } = new AbortController();
const place = '/registry/secrets/default/s';
const mark = 'k8s:enc:kms:v2:vault:';
const text = Buffer.from('{"kind":"Secret","data":{"password":"c2VjcmV0"}}');

/** Time moves in steps here, so calls may take very long. */
const patientMs = 1_000_000;

function settingsOf({ endpoint }: TestPlugin, name = 'vault', timeoutMs = patientMs): SealingSettings {
  return [{ resources: [{ group: '', resource: 'secrets' }], providers: [{ kind: 'kms', kms: { name, endpoint, timeoutMs } }] }];
}

/** An API server's encryption over a store that several share. */
class Server implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly sealing: Sealing;
  readonly #life = new AbortController();
  readonly #running: Promise<unknown>;

  private constructor(clock: FakeClock, sealing: Sealing) {
    this.clock = clock;
    this.sealing = sealing;
    this.#running = Promise.all(sealing.keepers.map((one) => one.run(this.#life.signal, () => undefined).catch(() => undefined)));
  }

  static async start(plugin: TestPlugin, store: Store, reload?: SealingOptions['reload']): Promise<Server> {
    const clock = new FakeClock();
    const options = { settings: settingsOf(plugin), reload, store, kinds: builtinKinds, clock, log: silentLog };
    return new Server(clock, await Sealing.start(options));
  }

  get store(): EncryptedStore {
    return this.sealing.store;
  }

  /** What /readyz/kms-providers tells. */
  async health(): Promise<true | string | undefined> {
    return await this.sealing.checks.find(({ name }) => name === 'kms-providers')?.check();
  }

  /** As time goes by, until the plugin was asked again. */
  async asksAgain(plugin: TestPlugin, afterMs: number): Promise<void> {
    const asked = (): number => plugin.calls.filter((call) => call === 'Status').length;
    const before = asked();
    await this.clock.advance(afterMs);
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(before));
    // Whoever asks now is told what came of that.
    await this.health();
  }

  async read(key = place): Promise<string> {
    return Buffer.from((await this.store.get(key, signal))?.value ?? []).toString();
  }

  async write(key = place, value: Uint8Array = text): Promise<void> {
    const before = await this.store.get(key, signal);
    const result = await this.store.put(key, value, { expectedRevision: before?.modRevision ?? 0 }, signal);
    expect(result.ok).toBe(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new Error('the test is over'));
    await this.#running;
  }
}

interface Stored {
  readonly encryptedData: Buffer;
  readonly keyID: string;
  readonly encryptedDEKSource: Buffer;
  readonly annotations: Readonly<Record<string, Uint8Array>>;
  readonly encryptedDEKSourceType: number;
}

/** What lies there, by the published description. */
async function lying(below: Store, key = place): Promise<Stored> {
  const raw = Buffer.from((await below.get(key, signal))?.value ?? []);
  expect(raw.subarray(0, mark.length).toString()).toBe(mark);
  return kmsMessage('EncryptedObject').decode(raw.subarray(mark.length)) as unknown as Stored;
}

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
  await using server = await Server.start(plugin, below);
  for (let at = 0; at < 20; at++) await server.write(`${place}-${at}`);
  expect(plugin.calls).toEqual(['Status', 'Encrypt']);
  const [one, two] = [await lying(below, `${place}-1`), await lying(below, `${place}-2`)];
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
  await using first = await Server.start(plugin, below);
  for (let at = 0; at < 20; at++) await first.write(`${place}-${at}`);
  await first.write(`${place}-0`, Buffer.from('{}'));
  const decrypts = (): number => plugin.calls.filter((call) => call === 'Decrypt').length;

  await using second = await Server.start(plugin, below);
  expect(await Promise.all([1, 2, 3].map((at) => second.read(`${place}-${at}`)))).toEqual(Array(3).fill(text.toString()));
  expect(decrypts()).toBe(1);
  await using third = await Server.start(plugin, below);
  const { items } = await third.store.list('/registry/', {}, signal);
  expect(items.filter(({ value }) => Buffer.from(value).equals(text))).toHaveLength(19);
  expect(decrypts()).toBe(2);
  await using fourth = await Server.start(plugin, below);
  for await (const events of fourth.store.watch('/registry/', 0, signal)) {
    expect(events.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual([...Array(20).fill(text.toString()), '{}']);
    expect(Buffer.from(events[20]?.previous?.value ?? []).toString()).toBe(text.toString());
    break;
  }
  expect(decrypts()).toBe(3);
  await using fifth = await Server.start(plugin, below);
  const lost = await fifth.store.put(`${place}-1`, text, { expectedRevision: 0 }, signal);
  expect(lost.ok ? '' : Buffer.from(lost.current?.value ?? []).toString()).toBe(text.toString());
});

test('when the plugin takes another key, so do values, and those of the old one are outdated until they are written', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using server = await Server.start(plugin, below);
  await server.write();
  expect(server.store.isOutdated(place)).toBe(false);
  plugin.rotate('key-2');
  await server.asksAgain(plugin, 60_000);
  expect(await server.health()).toBe(true);
  expect(server.store.isOutdated(place)).toBe(true);
  expect(await server.read()).toBe(text.toString());
  expect(server.store.isOutdated(place)).toBe(true);
  await server.write();
  expect(server.store.isOutdated(place)).toBe(false);
  expect((await lying(below)).keyID).toBe('key-2');
  // Back: with a seed of its own.
  plugin.rotate('key-1');
  await server.asksAgain(plugin, 60_000);
  expect(server.store.isOutdated(place)).toBe(true);
});

test('without its plugin a server writes for three minutes, reads what it knows, says so, and recovers', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using other = await Server.start(plugin, below);
  await using server = await Server.start(plugin, below);
  await server.write();
  await other.write('/registry/secrets/default/unseen');
  plugin.failure = 'the vault is sealed';
  await server.asksAgain(plugin, 60_000);
  const failed =
    'kms-provider-0: failed to perform status section of the healthz check for KMS Provider vault, error: rpc error: code = Internal desc = the vault is sealed';
  expect(await server.health()).toBe(failed);
  await server.clock.advance(115_000);
  await server.write();
  await server.clock.advance(10_000);
  await expect(server.write()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(
      /^encryptedDEKSource with keyID hash "sha256:[0-9a-f]{64}" expired at 2026-01-01T00:03:00Z \(current time is 2026-01-01T00:03:05Z\)$/,
    ),
  });
  expect(await server.read()).toBe(text.toString());
  await expect(server.read('/registry/secrets/default/unseen')).rejects.toMatchObject({
    code: 'unavailable',
    message:
      'unable to transform key "/registry/secrets/default/unseen": failed to decrypt DEK, error: rpc error: code = Internal desc = the vault is sealed',
  });
  plugin.failure = undefined;
  await server.asksAgain(plugin, 10_000);
  expect(await server.health()).toBe(true);
  await server.write();
  expect(await server.read('/registry/secrets/default/unseen')).toBe(text.toString());
  expect((await lying(below)).keyID).toBe('key-1');
});

test('a plugin whose socket is gone, and comes back', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  plugin.down();
  await using server = await Server.start(plugin, below);
  expect(await server.health()).toMatch(
    /^kms-provider-0: failed to perform status section .* error: rpc error: code = Unavailable desc = /,
  );
  await expect(server.write()).rejects.toMatchObject({ code: 'unavailable', message: 'got unexpected nil transformer' });
  await plugin.up();
  await vi.waitFor(async () => {
    await server.clock.advance(3_000);
    expect(await server.health()).toBe(true);
  });
  await server.write();
});

test('a plugin that does not answer is given up after its time', async () => {
  await using plugin = await TestPlugin.start();
  plugin.hangs = true;
  const clock = new FakeClock();
  const kms = new KmsProviders({ onOtherKey: () => undefined, clock, log: silentLog });
  kms.rulesNow(settingsOf(plugin, 'vault', 3_000));
  const checked = kms.healthCheck.check();
  await vi.waitFor(() => expect(plugin.calls).toEqual(['Status']));
  await clock.advance(3_000);
  expect(await checked).toMatch(/error: rpc error: code = DeadlineExceeded desc = context deadline exceeded$/);
});

test.each<[string, (plugin: TestPlugin) => unknown, string | RegExp]>([
  [
    'says that it is ill',
    (plugin) => (plugin.healthz = 'no quorum'),
    'kms-provider-0: kmsv2 Provider vault is not healthy, error: got unexpected healthz status: no quorum',
  ],
  ['speaks another version', (plugin) => (plugin.version = 'v3'), /error: expected KMSv2 API version v2, got v3$/],
  ['speaks an older version than before', (plugin) => (plugin.version = 'v2beta1'), /should not change after .* version v2, got v2beta1$/],
  [
    'names no key',
    (plugin) => plugin.rotate(''),
    'kms-provider-0: kmsv2 Provider vault is not healthy, error: got invalid KMSv2 KeyID hash "": keyID is empty',
  ],
  [
    'has a name for its key that is too long',
    (plugin) => plugin.rotate('k'.repeat(1_025)),
    /keyID is 1025 bytes, which exceeds the max size of 1024$/,
  ],
  [
    'encrypts with another key than it says',
    (plugin) => {
      plugin.rotate('key-2');
      plugin.encryptsAs = 'key-3';
    },
    /error: failed to rotate DEK, errGen=<nil>, statusKeyIDHash="sha256:\w+", encryptKeyIDHash="sha256:\w+", stateKeyIDHash="sha256:\w+"$/,
  ],
  [
    'has annotations that are none',
    (plugin) => {
      plugin.rotate('key-2');
      plugin.annotation = 'plain';
    },
    /failed to encrypt DEK, error: failed to validate annotations: "plain" must be a fully qualified domain name/,
  ],
])('values go on being sealed with the key before, while a plugin %s', async (_, change, problem) => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using server = await Server.start(plugin, below);
  change(plugin);
  await server.asksAgain(plugin, 60_000);
  const health = await server.health();
  if (typeof problem === 'string') expect(health).toBe(problem);
  else expect(health).toMatch(problem);
  await server.write();
  expect((await lying(below)).keyID).toBe('key-1');
});

test('a value whose key came from the plugin itself, as in older versions, is read, and outdated', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using server = await Server.start(plugin, below);
  await server.write();
  // What the plugin encrypted is a key here, and no seed.
  const { encryptedDEKSource, annotations, keyID } = await lying(below);
  const key = plugin.decrypted({ ciphertext: encryptedDEKSource, annotations, keyId: keyID });
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${place}-old`));
  const encryptedData = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const object = kmsMessage('EncryptedObject').encode({ keyID, encryptedDEKSource, annotations, encryptedData }).finish();
  await below.put(`${place}-old`, Buffer.concat([Buffer.from(mark), object]), { expectedRevision: 0 }, signal);
  expect(await server.read(`${place}-old`)).toBe(text.toString());
  expect(server.store.isOutdated(`${place}-old`)).toBe(true);
});

describe('a registry whose plugin is away', () => {
  const [secrets, maps] = [aKind('secrets'), aKind('configmaps')];
  const secret = (name: string): Body => aBody({ metadata: { name }, data: { password: 'c2VjcmV0' } });
  const start = (store: Store, clock = new FakeClock()): ReturnType<typeof startRegistry> =>
    startRegistry({ kinds: [secrets, maps], store, clock });
  const refusal = {
    code: 500,
    reason: 'InternalError',
    message: expect.stringMatching(
      /^Internal error occurred: unable to transform key "\/registry\/secrets\/.*": failed to decrypt DEK, error: .* the vault is sealed$/,
    ),
  };

  test('serves everything else from its start on, and what is sealed once the plugin is there', async () => {
    await using plugin = await TestPlugin.start();
    await using below = new MemoryStore({ clock: new FakeClock() });
    {
      await using server = await Server.start(plugin, below);
      await using t = await start(server.store);
      await t.registry.create(secrets, secret('s'), aContext());
      await t.registry.create(maps, aBody({ metadata: { name: 'p' } }), aContext());
    }
    plugin.failure = 'the vault is sealed';
    await using server = await Server.start(plugin, below);
    const clock = new FakeClock();
    await using t = await start(server.store, clock);
    expect(wire(await t.registry.get(maps, 'p', '', aContext()))).toMatchObject({ metadata: { name: 'p' } });
    await t.registry.create(maps, aBody({ metadata: { name: 'p2' } }), aContext());
    const asked = plugin.calls.length;
    await expect(t.registry.get(secrets, 's', '', aContext())).rejects.toMatchObject(refusal);
    await expect(t.registry.list(secrets, aList(), aContext())).rejects.toMatchObject(refusal);
    await expect(t.registry.watch(secrets, aWatch(), aContext())).rejects.toMatchObject(refusal);
    await expect(t.registry.create(secrets, secret('s2'), aContext())).rejects.toMatchObject({ code: 500 });
    expect(plugin.calls).toHaveLength(asked);

    plugin.failure = undefined;
    await vi.waitFor(async () => {
      await clock.advance(5_000);
      expect(wire(await t.registry.get(secrets, 's', '', aContext()))).toMatchObject({ data: { password: 'c2VjcmV0' } });
    });
    expect(wire(await t.registry.get(maps, 'p2', '', aContext()))).toMatchObject({ metadata: { name: 'p2' } });
  });

  test('goes on with everything else when another server seals with a key that it does not know', async () => {
    await using plugin = await TestPlugin.start();
    await using below = new MemoryStore({ clock: new FakeClock() });
    await using server = await Server.start(plugin, below);
    await using other = await Server.start(plugin, below);
    const clock = new FakeClock();
    await using t = await start(server.store, clock);
    await t.registry.create(secrets, secret('s'), aContext());
    plugin.failure = 'the vault is sealed';
    await other.write('/registry/secrets/default/unseen', Buffer.from('{"apiVersion":"v1","kind":"Secret","metadata":{"name":"unseen"}}'));
    await t.registry.create(maps, aBody({ metadata: { name: 'p' } }), aContext());
    expect(wire(await t.registry.get(maps, 'p', '', aContext()))).toMatchObject({ metadata: { name: 'p' } });
    await expect(t.registry.get(secrets, 's', '', aContext())).rejects.toMatchObject(refusal);

    plugin.failure = undefined;
    await vi.waitFor(async () => {
      await clock.advance(5_000);
      expect((await t.registry.list(secrets, aList(), aContext())).items).toHaveLength(2);
    });
  });
});

test('another configuration is used once its plugins are well; those that it does not name are let go', async () => {
  await using plugin = await TestPlugin.start();
  await using next = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  let settings = settingsOf(plugin);
  await using server = await Server.start(plugin, below, { path: import.meta.filename, read: () => settings });
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
  expect((await lying(below)).keyID).toBe('key-1');
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
