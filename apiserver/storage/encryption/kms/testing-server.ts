// An API server's encryption at rest over a KMS plugin of the test, and what it stores.
import { expect, vi } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import type { Store } from '../../contract.ts';
import type { EncryptedStore } from '../encrypted-store.ts';
import { Sealing, type SealingOptions } from '../sealing.ts';
import type { SealingSettings } from '../settings.ts';
import { kmsMessage, type TestPlugin } from './testing.ts';

const { signal } = new AbortController();
/** The key of the Secret that is written and read where a test names no other. */
export const place = '/registry/secrets/default/s';
/** What a value of the provider `vault` starts with. */
export const mark = 'k8s:enc:kms:v2:vault:';
/** The Secret, in clear. */
export const text = Buffer.from('{"kind":"Secret","data":{"password":"c2VjcmV0"}}');

/** Time moves in steps here, so calls may take very long. */
const patientMs = 1_000_000;

/** Settings that encrypt Secrets with the one plugin. */
export function settingsOf({ endpoint }: TestPlugin, name = 'vault', timeoutMs = patientMs): SealingSettings {
  return [{ resources: [{ group: '', resource: 'secrets' }], providers: [{ kind: 'kms', kms: { name, endpoint, timeoutMs } }] }];
}

/** An API server's encryption over a store that several share. */
export class TestServer implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly sealing: Sealing;
  readonly #life = new AbortController();
  readonly #running: Promise<unknown>;

  private constructor(clock: FakeClock, sealing: Sealing) {
    this.clock = clock;
    this.sealing = sealing;
    this.#running = Promise.all(sealing.keepers.map((one) => one.run(this.#life.signal, () => undefined).catch(() => undefined)));
  }

  static async start(plugin: TestPlugin, store: Store, reload?: SealingOptions['reload']): Promise<TestServer> {
    const clock = new FakeClock();
    const options = { settings: settingsOf(plugin), reload, store, kinds: builtinKinds, clock, log: silentLog };
    return new TestServer(clock, await Sealing.start(options));
  }

  get store(): EncryptedStore {
    return this.sealing.store;
  }

  /** The result of /readyz/kms-providers. */
  async health(): Promise<true | string | undefined> {
    return await this.sealing.checks.find(({ name }) => name === 'kms-providers')?.check();
  }

  /** As time goes by, until the plugin was asked again. */
  async asksAgain(plugin: TestPlugin, afterMs: number): Promise<void> {
    const asked = (): number => plugin.calls.filter((call) => call === 'Status').length;
    const before = asked();
    await this.clock.advance(afterMs);
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(before));
    // A check after that has the result.
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

/** The encrypted value at `key`, decoded by the published description of the format. */
export async function storedValue(below: Store, key = place): Promise<Stored> {
  const raw = Buffer.from((await below.get(key, signal))?.value ?? []);
  expect(raw.subarray(0, mark.length).toString()).toBe(mark);
  return kmsMessage('EncryptedObject').decode(raw.subarray(mark.length)) as unknown as Stored;
}
