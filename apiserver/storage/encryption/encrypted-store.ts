// A store whose values are sealed on their way into another one, and opened on their way out. Resources without a rule pass as they are.
//
// How it works: a value's key says of which resource it is. `#current` holds the keys whose values are known to be sealed as the rules
// want it now; what is not in it is written anew by the next update, though that changes nothing (this is how keys are changed: a new
// first one, then every object is replaced by itself). Keys held by a KMS plugin are fetched before a value is decrypted; where they are
// there, as nearly always, and where no rule needs that, nothing waits. Who keeps them may be away: lists and watches go on then, and
// mark such values as unreadable, so that one resource does not affect the others.
import type { KindDefinition } from '#api/kind.ts';
import { reasonOf } from '#base/write-file.ts';
import {
  type ListOptions,
  type ListResult,
  type PutOptions,
  type PutResult,
  type Store,
  StoreError,
  type StoreEvent,
  type StoredValue,
  type TransformationObserver,
} from '../contract.ts';
import { formerKeyPrefix, keyPrefix } from '../keys.ts';
import type { ResourceName, Seals, SealingRules } from './sealing-rules.ts';

interface EncryptedStoreOptions {
  readonly store: Store;
  readonly rules: SealingRules;
  /** What can be sealed, by what its keys start with; what else lies in the store never is. */
  readonly resources: ReadonlyMap<string, ResourceName>;
}

/** The resources of kinds, as an encrypted store takes them. What is stored as another kind is sealed as that one is. */
export function sealableResources(kinds: readonly KindDefinition[]): ReadonlyMap<string, ResourceName> {
  const stored = kinds.filter(({ storedAs }) => storedAs === undefined);
  return new Map(
    // Former places first: one of them has come to be the place of another kind.
    [formerKeyPrefix, keyPrefix].flatMap((prefixOf) =>
      stored.map((kind) => [prefixOf(kind), { group: kind.group, resource: kind.names.plural }] as const),
    ),
  );
}

/** How values of one resource are sealed. */
interface Sealing {
  readonly seals: Seals;
  /** `secrets`, `deployments.apps`. */
  readonly resource: string;
}

const nothing = new Uint8Array();

export class EncryptedStore implements Store {
  readonly #store: Store;
  readonly #resources: ReadonlyMap<string, ResourceName>;
  /** By what keys start with; only what is sealed. */
  #seals: ReadonlyMap<string, Sealing>;
  #fetchesKeys = false;
  #observer: TransformationObserver | undefined;
  readonly #current = new Set<string>();
  /** Counts how often the way to seal changed. */
  #age = 0;

  readonly releaseMemory?: NonNullable<Store['releaseMemory']>;
  readonly claimCompaction?: NonNullable<Store['claimCompaction']>;

  constructor({ store, rules, resources }: EncryptedStoreOptions) {
    this.#store = store;
    this.#resources = resources;
    this.#seals = new Map();
    this.useRules(rules);
    if (store.releaseMemory !== undefined) this.releaseMemory = store.releaseMemory.bind(store);
    if (store.claimCompaction !== undefined) this.claimCompaction = store.claimCompaction.bind(store);
  }

  /** Seals by other rules from now on; values sealed before are outdated until they are read or written again. */
  useRules(rules: SealingRules): void {
    this.#seals = sealsOf(this.#resources, rules);
    this.#fetchesKeys = [...this.#seals.values()].some(({ seals }) => seals.fetchesKeys);
    this.outdateAll();
  }

  /** Values that were sealed until now count as outdated until they are read or written again: their key is another one today. */
  outdateAll(): void {
    this.#age++;
    this.#current.clear();
  }

  observeTransformations(observer: TransformationObserver): void {
    this.#observer = observer;
  }

  get isSoleWriter(): boolean {
    return this.#store.isSoleWriter;
  }

  get trouble(): string | undefined {
    return this.#store.trouble;
  }

  get revisionsPerCommit(): number {
    return this.#store.revisionsPerCommit ?? 1;
  }

  isOutdated(key: string): boolean {
    return this.#sealingOf(key) !== undefined && !this.#current.has(key);
  }

  async get(key: string, signal: AbortSignal): Promise<StoredValue | undefined> {
    return await this.#fetchedAndOpened(await this.#store.get(key, signal), signal);
  }

  async list(prefix: string, options: ListOptions, signal: AbortSignal): Promise<ListResult> {
    const found = await this.#store.list(prefix, options, signal);
    if (!this.#fetchesKeys) return { ...found, items: found.items.map((item) => this.#opened(item)) };
    const items: StoredValue[] = [];
    const failed = new Map<Sealing | undefined, StoreError>();
    for (const item of found.items) {
      const sealing = this.#sealingOf(item.key);
      // Whoever does not answer is asked once.
      const trouble = failed.get(sealing) ?? (await this.#troubleOf(item.key, item.value, signal));
      if (trouble !== undefined) failed.set(sealing, trouble);
      items.push(trouble === undefined ? this.#opened(item) : { ...item, value: nothing, trouble });
    }
    return { ...found, items };
  }

  async put(key: string, value: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<PutResult> {
    const along = options.along?.map((put) => ({ ...put, value: this.#seal(this.#sealingOf(put.key), put.value, put.key) }));
    if (along !== undefined) options = { ...options, along };
    const sealing = this.#sealingOf(key);
    if (sealing === undefined) return await this.#store.put(key, value, options, signal);
    const age = this.#age;
    const result = await this.#openedResult(await this.#store.put(key, this.#seal(sealing, value, key), options, signal), signal);
    // The way to seal may have changed while the write was under way.
    if (result.ok && this.#age === age) this.#current.add(key);
    return result;
  }

  async delete(key: string, expectedRevision: number, signal: AbortSignal): Promise<PutResult> {
    const result = await this.#store.delete(key, expectedRevision, signal);
    if (result.ok) this.#current.delete(key);
    return await this.#openedResult(result, signal);
  }

  async currentRevision(signal: AbortSignal): Promise<number> {
    return await this.#store.currentRevision(signal);
  }

  async *watch(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
    onProgress?: (revision: number) => void,
  ): AsyncIterable<readonly StoreEvent[]> {
    for await (const events of this.#store.watch(prefix, afterRevision, signal, onProgress)) {
      if (events.every(({ key }) => this.#sealingOf(key) === undefined)) yield events;
      else if (!this.#fetchesKeys) yield events.map((event) => this.#openedEvent(event));
      else yield await this.#fetchedAndOpenedEvents(events, signal);
    }
  }

  async compact(revision: number, signal: AbortSignal): Promise<void> {
    await this.#store.compact(revision, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  /** `/registry/secrets/…` or `/registry/services/specs/…`. */
  #sealingOf(key: string): Sealing | undefined {
    if (this.#seals.size === 0) return undefined;
    const first = key.indexOf('/', 1) + 1;
    const second = key.indexOf('/', first) + 1;
    return this.#seals.get(key.slice(0, key.indexOf('/', second) + 1)) ?? this.#seals.get(key.slice(0, second));
  }

  #opened<T extends StoredValue | undefined>(stored: T): T {
    if (stored === undefined) return stored;
    const sealing = this.#sealingOf(stored.key);
    if (sealing === undefined) return stored;
    const { value, isOutdated } = this.#open(sealing, stored.value, stored.key);
    if (isOutdated) this.#current.delete(stored.key);
    else this.#current.add(stored.key);
    return { ...stored, value };
  }

  async #openedResult(result: PutResult, signal: AbortSignal): Promise<PutResult> {
    return result.ok ? result : { ...result, current: await this.#fetchedAndOpened(result.current, signal) };
  }

  async #fetchedAndOpened<T extends StoredValue | undefined>(stored: T, signal: AbortSignal): Promise<T> {
    if (this.#fetchesKeys && stored !== undefined) await this.#fetchKey(stored.key, stored.value, signal);
    return this.#opened(stored);
  }

  async #fetchedAndOpenedEvents(events: readonly StoreEvent[], signal: AbortSignal): Promise<readonly StoreEvent[]> {
    const opened: StoreEvent[] = [];
    const failed = new Map<Sealing, StoreError>();
    for (const event of events) {
      const sealing = this.#sealingOf(event.key);
      if (sealing?.seals.fetchesKeys === true) {
        const trouble = failed.get(sealing) ?? (event.value && (await this.#troubleOf(event.key, event.value, signal)));
        if (trouble !== undefined) {
          failed.set(sealing, trouble);
          const { type, key, revision, createRevision } = event;
          opened.push({ type, key, revision, createRevision, value: nothing, previous: undefined, trouble });
          continue;
        }
        const { previous } = event;
        // Who wants to see the past finds out that it cannot be read.
        if (previous !== undefined) await this.#fetchKey(event.key, previous.value, signal).catch(() => signal.throwIfAborted());
      }
      opened.push(this.#openedEvent(event));
    }
    return opened;
  }

  /** Why the key of a value is not to be had. */
  async #troubleOf(key: string, stored: Uint8Array, signal: AbortSignal): Promise<StoreError | undefined> {
    try {
      await this.#fetchKey(key, stored, signal);
      return undefined;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unavailable') return error;
      throw error;
    }
  }

  /** Throws StoreError 'unavailable' where whoever keeps the key does not give it. */
  async #fetchKey(key: string, stored: Uint8Array, signal: AbortSignal): Promise<void> {
    const sealing = this.#sealingOf(key);
    if (sealing === undefined) return;
    try {
      await sealing.seals.fetchKey(stored);
    } catch (error) {
      this.#observer?.('from_storage', sealing.resource)(sealing.seals.prefixOf(stored) ?? 'unknown', false);
      throw new StoreError('unavailable', untransformed(key, error), { cause: error });
    }
    signal.throwIfAborted();
  }

  #openedEvent(event: StoreEvent): StoreEvent {
    const { type, key, revision, createRevision } = event;
    const sealing = this.#sealingOf(key);
    if (sealing === undefined) return event;
    const found = event.value === undefined ? undefined : this.#open(sealing, event.value, key);
    const open = (value: Uint8Array): Uint8Array => this.#open(sealing, value, key).value;
    if (found === undefined || found.isOutdated) this.#current.delete(key);
    else this.#current.add(key);
    return {
      type,
      key,
      revision,
      createRevision,
      value: found?.value,
      get previous() {
        const stored = event.previous;
        return stored && { ...stored, value: open(stored.value) };
      },
    };
  }

  #seal(sealing: Sealing | undefined, value: Uint8Array, key: string): Uint8Array {
    if (sealing === undefined) return value;
    const { seals, resource } = sealing;
    const end = this.#observer?.('to_storage', resource);
    try {
      const sealed = seals.seal(value, key);
      end?.(seals.prefix, true);
      return sealed;
    } catch (error) {
      end?.(seals.prefix, false);
      throw new StoreError('unavailable', reasonOf(error), { cause: error });
    }
  }

  #open({ seals, resource }: Sealing, stored: Uint8Array, key: string): ReturnType<Seals['open']> {
    const end = this.#observer?.('from_storage', resource);
    try {
      const found = seals.open(stored, key);
      end?.(seals.prefixOf(stored) || 'identity', true);
      return found;
    } catch (error) {
      end?.(seals.prefixOf(stored) ?? 'unknown', false);
      throw new StoreError('sealed', untransformed(key, error), { cause: error });
    }
  }
}

function untransformed(key: string, error: unknown): string {
  return `unable to transform key ${JSON.stringify(key)}: ${reasonOf(error)}`;
}

function sealsOf(resources: ReadonlyMap<string, ResourceName>, rules: SealingRules): ReadonlyMap<string, Sealing> {
  const found = new Map<string, Sealing>();
  for (const [prefix, name] of resources) {
    const seals = rules.find(name);
    if (seals !== undefined) found.set(prefix, { seals, resource: name.group === '' ? name.resource : `${name.resource}.${name.group}` });
  }
  return found;
}
