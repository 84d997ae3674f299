// What a server does while its KMS plugin fails, and once it works again.
import { describe, expect, test, vi } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import type { Body } from '../../../registry/contract.ts';
import { aBody, aContext, aKind, aList, aWatch, startRegistry, wire } from '../../../registry/testing.ts';
import type { Store } from '../../contract.ts';
import { MemoryStore } from '../../memory.ts';
import { KmsProviders } from './providers.ts';
import { TestPlugin } from './testing.ts';
import { settingsOf, storedValue, TestServer, text } from './testing-server.ts';

test('without its plugin a server writes for three minutes, reads what it knows, says so, and recovers', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  await using other = await TestServer.start(plugin, below);
  await using server = await TestServer.start(plugin, below);
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
  expect((await storedValue(below)).keyID).toBe('key-1');
});

test('a plugin whose socket is gone, and comes back', async () => {
  await using plugin = await TestPlugin.start();
  await using below = new MemoryStore({ clock: new FakeClock() });
  plugin.down();
  await using server = await TestServer.start(plugin, below);
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
  await using server = await TestServer.start(plugin, below);
  change(plugin);
  await server.asksAgain(plugin, 60_000);
  const health = await server.health();
  if (typeof problem === 'string') expect(health).toBe(problem);
  else expect(health).toMatch(problem);
  await server.write();
  expect((await storedValue(below)).keyID).toBe('key-1');
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
      await using server = await TestServer.start(plugin, below);
      await using t = await start(server.store);
      await t.registry.create(secrets, secret('s'), aContext());
      await t.registry.create(maps, aBody({ metadata: { name: 'p' } }), aContext());
    }
    plugin.failure = 'the vault is sealed';
    await using server = await TestServer.start(plugin, below);
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
    await using server = await TestServer.start(plugin, below);
    await using other = await TestServer.start(plugin, below);
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
