// Moves all objects between a store and a file, or another store.
import { UsageError } from '#base/lifecycle.ts';
import type { Store, StoredValue } from '../contract.ts';
import { rootPrefix } from '../keys.ts';
import type { SnapshotItem } from './snapshot-file.ts';

const pageLimit = 500;
/** Writes under way at a time: enough for etcd to put them into few transactions of its log. */
const lanes = 64;

/** All objects of a store at one revision. */
export interface StoreState {
  readonly revision: number;
  pages(): AsyncIterable<readonly StoredValue[]>;
}

export async function stateOf(store: Store, signal: AbortSignal): Promise<StoreState> {
  const { revision } = await store.list(rootPrefix, { limit: 1 }, signal);
  return {
    revision,
    async *pages() {
      let after: string | undefined;
      do {
        const at = store.isSoleWriter ? undefined : revision;
        const { items, more } = await store.list(rootPrefix, { limit: pageLimit, after, revision: at }, signal);
        yield items;
        after = more ? items.at(-1)?.key : undefined;
      } while (after !== undefined);
    },
  };
}

/** Throws UsageError where a store holds objects: what is there is never mixed with what comes. */
export async function requireEmpty(store: Store, name: string, signal: AbortSignal): Promise<void> {
  const { items } = await store.list(rootPrefix, { limit: 1 }, signal);
  if (items.length > 0) throw new UsageError(`${name} holds objects already: nothing is overwritten`, { exitCode: 1 });
}

interface FillOptions {
  /** How long objects with this key live, counted from now; undefined: for ever. */
  readonly ttlSecondsOf: (key: string) => number | undefined;
  readonly progress: (count: number) => void;
}

/** Writes objects into an empty store; answers how many. */
export async function fill(
  store: Store,
  items: Iterable<SnapshotItem> | AsyncIterable<SnapshotItem>,
  { ttlSecondsOf, progress }: FillOptions,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  let batch: Promise<void>[] = [];
  const put = async ({ key, value }: SnapshotItem): Promise<void> => {
    const { ok } = await store.put(key, value, { expectedRevision: 0, ttlSeconds: ttlSecondsOf(key) }, signal);
    if (!ok) throw new UsageError(`the store is being written to: ${key} exists already`, { exitCode: 1 });
    count++;
  };
  for await (const item of items) {
    const writing = put(item);
    // Reported to the caller that awaits the batch.
    writing.catch(() => undefined);
    batch.push(writing);
    if (batch.length < lanes) continue;
    await Promise.all(batch);
    batch = [];
    progress(count);
  }
  await Promise.all(batch);
  return count;
}
