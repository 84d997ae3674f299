// A sealer whose keys a KMS plugin keeps (version 2 of the protocol).
//
// How it works: the plugin encrypts one random seed, and every value is sealed with a key derived from it; the encrypted seed lies beside each
// value. So writes never wait for the plugin. `check`, made every minute and by probes, asks which key the plugin uses: another one leads to a
// new seed, the same one lets the seed be used for three more minutes. A plugin that does not answer lets writes go on until then; reads
// need it only for seeds that were not seen since the start. `#write` and `#ciphers` change between awaits in whole steps only.
import { createHash, randomBytes } from 'node:crypto';
import { dnsSubdomainProblems } from '#api/meta/names.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { LruMap } from '#client/lru-map.ts';
import { sealedPrefix } from '../sealed-prefix.ts';
import type { Sealer } from '../sealers.ts';
import {
  decodeTail,
  encodeDataHead,
  encodeTail,
  type KeySource,
  type PluginStatus,
  sourceTypes,
  splitObject,
  type Wrapped,
} from './messages.ts';
import type { KmsMetrics } from './kms-metrics.ts';
import type { PluginClient } from './plugin-client.ts';
import { keyCipher, sealWithSeed, seedBytes, seedCipher, type ValueCipher } from './seed-cipher.ts';

/** Upstream's times. */
const writesGoOnMs = 180_000;
const goodFor = { well: 20_000, ill: 3_000 };

const limits = { keyIdBytes: 1_024, sourceBytes: 1_024, annotationBytes: 32 * 1_024 };
/** About one for each key and each start of an API server since values were written. */
const cipherLimit = 4_096;
const saltAndTagBytes = 32 + 12 + 16;

interface KmsProviderOptions {
  readonly name: string;
  readonly plugin: PluginClient;
  readonly metrics: KmsMetrics;
  /** Called when values are to be sealed with another key from now on. */
  readonly onOtherKey: () => void;
  /** Ends what is under way. */
  readonly life: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** What values are sealed with now. */
interface WriteKey {
  readonly seed: Uint8Array;
  readonly keyId: string;
  readonly tail: Uint8Array;
  /** On the monotonic clock. */
  endsMs: number;
}

interface KnownKey {
  readonly cipher: ValueCipher;
  readonly keyId: string;
  readonly type: number;
}

export class KmsProvider implements Sealer {
  readonly mark: Buffer;
  readonly #options: KmsProviderOptions;
  #write: WriteKey | undefined;
  /** By the encoded description of the key. */
  readonly #ciphers = new LruMap<KnownKey>(cipherLimit);
  readonly #fetching = new Map<string, Promise<void>>();
  #version = '';
  #last: { readonly result: true | string; readonly endsMs: number } | undefined;
  #checking: Promise<true | string> | undefined;

  constructor(options: KmsProviderOptions) {
    this.#options = options;
    this.mark = Buffer.from(`${sealedPrefix.toString()}kms:v2:${options.name}:`);
  }

  seal(value: Uint8Array, place: string): Uint8Array {
    const write = this.#write;
    if (write === undefined) throw new Error('got unexpected nil transformer');
    this.#refuseExpired(write);
    const head = encodeDataHead(value.length + saltAndTagBytes);
    return Buffer.concat([this.mark, head, ...sealWithSeed(write.seed, value, place), write.tail]);
  }

  open(sealed: Uint8Array, place: string): Uint8Array {
    const { data, tail } = splitObject(sealed);
    const known = this.#ciphers.get(nameOf(tail));
    if (known === undefined) throw new Error('its key was not fetched');
    return known.cipher.open(data, place);
  }

  isCurrent(sealed: Uint8Array): boolean {
    const known = this.#ciphers.get(nameOf(splitObject(sealed).tail));
    return known !== undefined && known.keyId === this.#write?.keyId && known.type === sourceTypes.hkdfSeed;
  }

  fetchKey(sealed: Uint8Array): Promise<void> | undefined {
    const { tail } = splitObject(sealed);
    const name = nameOf(tail);
    if (this.#ciphers.get(name) !== undefined) return undefined;
    // One call for all that wait for it.
    const fetching = this.#fetching.get(name) ?? this.#fetch(name, tail).finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, fetching);
    return fetching;
  }

  /** Whether the plugin is well, as of some seconds ago; takes the key that it uses now. Never rejects. */
  async check(): Promise<true | string> {
    const { clock, log, name, life } = this.#options;
    if (this.#last !== undefined && clock.monotonicMs() < this.#last.endsMs) return this.#last.result;
    this.#checking ??= this.#checkNow(life)
      .then((result) => {
        const before = this.#last?.result;
        this.#last = { result, endsMs: clock.monotonicMs() + (result === true ? goodFor.well : goodFor.ill) };
        if (result !== true && before !== result) log.error({ provider: name, problem: result }, 'a KMS plugin is not well');
        if (result === true && before !== undefined && before !== true) log.info({ provider: name }, 'a KMS plugin is well again');
        return result;
      })
      .finally(() => (this.#checking = undefined));
    return await this.#checking;
  }

  /** Lets go of the plugin. */
  close(): void {
    this.#options.plugin[Symbol.dispose]();
  }

  async #checkNow(signal: AbortSignal): Promise<true | string> {
    const { name, plugin } = this.#options;
    let status: PluginStatus;
    try {
      status = await plugin.status(signal);
    } catch (error) {
      return `failed to perform status section of the healthz check for KMS Provider ${name}, error: ${messageOf(error)}`;
    }
    const problems = [
      ...(status.healthz === 'ok' ? [] : [`got unexpected healthz status: ${status.healthz}`]),
      ...this.#versionProblem(status.version),
      ...(await this.#follow(status.keyId, signal)),
    ];
    if (problems.length === 0) return true;
    return `kmsv2 Provider ${name} is not healthy, error: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`;
  }

  #versionProblem(version: string): string[] {
    if (version !== 'v2' && version !== 'v2beta1') return [`expected KMSv2 API version v2, got ${version}`];
    if (this.#version === '') this.#version = version;
    if (version === this.#version) return [];
    return [`KMSv2 API version should not change after the initial status response version ${this.#version}, got ${version}`];
  }

  /** Uses the key that the plugin uses. */
  async #follow(keyId: string, signal: AbortSignal): Promise<string[]> {
    const { clock, log, name, plugin, onOtherKey } = this.#options;
    const wrong = keyIdProblem(keyId);
    if (wrong !== undefined) this.#options.metrics.invalidKeyId(name, keyId === '' ? 'empty' : 'too_long');
    if (wrong !== undefined) return [`got invalid KMSv2 KeyID hash ${JSON.stringify(hashOf(keyId))}: ${wrong}`];
    const endsMs = clock.monotonicMs() + writesGoOnMs;
    const before = this.#write;
    if (before?.keyId === keyId) {
      before.endsMs = endsMs;
      return [];
    }
    const seed = randomBytes(seedBytes);
    let found: KeySource;
    try {
      found = { ...(await wrap(plugin, seed, signal)), type: sourceTypes.hkdfSeed };
    } catch (error) {
      return [this.#unrotated(keyId, '', messageOf(error))];
    }
    if (found.keyId !== keyId) return [this.#unrotated(keyId, found.keyId, '<nil>')];
    const tail = Buffer.from(encodeTail(found));
    this.#keep(nameOf(tail), { cipher: seedCipher(seed), keyId, type: found.type });
    this.#write = { seed, keyId, tail, endsMs };
    log.info({ provider: name, keyIdHash: hashOf(keyId) }, 'values are sealed with a new key of a KMS plugin');
    onOtherKey();
    return [];
  }

  #unrotated(statusKeyId: string, encryptKeyId: string, error: string): string {
    const [ofStatus, ofEncrypt, ofState] = [statusKeyId, encryptKeyId, this.#write?.keyId ?? ''].map((id) => JSON.stringify(hashOf(id)));
    return `failed to rotate DEK, errGen=${error}, statusKeyIDHash=${ofStatus}, encryptKeyIDHash=${ofEncrypt}, stateKeyIDHash=${ofState}`;
  }

  async #fetch(name: string, tail: Uint8Array): Promise<void> {
    const { plugin, life } = this.#options;
    const source = checkedSource(decodeTail(tail));
    let key: Uint8Array;
    try {
      key = await plugin.decrypt(source, life);
    } catch (error) {
      life.throwIfAborted();
      throw new Error(`failed to decrypt DEK, error: ${messageOf(error)}`, { cause: error });
    }
    const cipher = source.type === sourceTypes.hkdfSeed ? seedCipher(Buffer.from(key)) : keyCipher(Buffer.from(key));
    this.#keep(name, { cipher, keyId: source.keyId, type: source.type });
  }

  #keep(name: string, key: KnownKey): void {
    this.#ciphers.set(name, key);
    this.#options.metrics.keysHeld(this.#options.name, this.#ciphers.size);
  }

  #refuseExpired({ keyId, endsMs }: WriteKey): void {
    const { clock } = this.#options;
    const overMs = clock.monotonicMs() - endsMs;
    if (overMs <= 0) return;
    const [ended, now] = [clock.nowMs() - overMs, clock.nowMs()].map((ms) => new Date(ms).toISOString().replace(/\.\d+/, ''));
    throw new Error(`encryptedDEKSource with keyID hash ${JSON.stringify(hashOf(keyId))} expired at ${ended} (current time is ${now})`);
  }
}

async function wrap(plugin: PluginClient, seed: Uint8Array, signal: AbortSignal): Promise<Wrapped> {
  try {
    return checkedSource({ ...(await plugin.encrypt(seed, signal)), type: sourceTypes.hkdfSeed });
  } catch (error) {
    throw new Error(`failed to encrypt DEK, error: ${messageOf(error)}`, { cause: error });
  }
}

/** Throws where a source is none that may lie beside a value. */
function checkedSource(source: KeySource): KeySource {
  const { ciphertext, keyId, annotations, type } = source;
  if (type !== sourceTypes.aesGcmKey && type !== sourceTypes.hkdfSeed) throw new Error(`unknown encryptedDEKSourceType: ${type}`);
  if (ciphertext.length === 0) throw new Error('failed to validate encrypted DEK source: encrypted DEK source is empty');
  if (ciphertext.length > limits.sourceBytes) {
    const why = `encrypted DEK source is ${ciphertext.length} bytes, which exceeds the max size of ${limits.sourceBytes}`;
    throw new Error(`failed to validate encrypted DEK source: ${why}`);
  }
  const wrong = keyIdProblem(keyId);
  if (wrong !== undefined) throw new Error(`failed to validate key id: ${wrong}`);
  let bytes = 0;
  for (const [key, value] of annotations) {
    bytes += Buffer.byteLength(key) + value.length;
    if (dnsSubdomainProblems(key).length > 0 || !key.includes('.')) {
      throw new Error(`failed to validate annotations: ${JSON.stringify(key)} must be a fully qualified domain name`);
    }
  }
  if (bytes <= limits.annotationBytes) return source;
  throw new Error(
    `failed to validate annotations: total size of annotations is ${bytes}, which exceeds the max size of ${limits.annotationBytes}`,
  );
}

function keyIdProblem(keyId: string): string | undefined {
  if (keyId === '') return 'keyID is empty';
  const bytes = Buffer.byteLength(keyId);
  return bytes > limits.keyIdBytes ? `keyID is ${bytes} bytes, which exceeds the max size of ${limits.keyIdBytes}` : undefined;
}

/** Key ids may be sensitive, so only their hashes are shown. */
function hashOf(keyId: string): string {
  return keyId === '' ? '' : `sha256:${createHash('sha256').update(keyId).digest('hex')}`;
}

function nameOf(tail: Uint8Array): string {
  return Buffer.from(tail.buffer, tail.byteOffset, tail.length).toString('latin1');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
