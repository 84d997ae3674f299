// What `snapshot` and `migrate` have in common: which store is meant, and how one is filled.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtinKinds } from '#api/kinds.ts';
import { keyPrefix } from '#apiserver/storage/keys.ts';
import type { StorageConfig } from '#apiserver/storage-config.ts';
import { type Store, StoreError } from '#apiserver/storage/contract.ts';
import type { EtcdStore } from '#apiserver/storage/etcd/etcd-store.ts';
import type { LmdbStore } from '#apiserver/storage/lmdb.ts';
import { openStore } from '#apiserver/storage/open.ts';
import type { SnapshotItem } from '#apiserver/storage/snapshot/snapshot-file.ts';
import { fill, requireEmpty } from '#apiserver/storage/snapshot/transfer.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { CommandContext } from './context.ts';

/** How the store is called in what users read. */
export function nameOf(config: StorageConfig): string {
  return config.engine === 'embedded' ? `the embedded store in ${config.folder}` : `etcd at ${config.servers.join(', ')}`;
}

/** Opens a store for a command. An embedded one that an API server uses is refused: it has one process at a time. */
async function openFor({ clock, log, signal }: CommandContext, config: StorageConfig): Promise<Store> {
  return await openStore(config, { clock, log: log.child({ store: config.engine }) }, signal).catch(refuse);
}

/** Opens a store to read from; one that is not there is not made. */
export async function openSource(context: CommandContext, config: StorageConfig): Promise<Store> {
  if (config.engine === 'embedded' && !existsSync(join(config.folder, 'store.mdb'))) {
    throw new UsageError(`there is no embedded store in ${config.folder}`, { exitCode: 1 });
  }
  return await openFor(context, config);
}

/** Writes objects into an empty store that counts above `revision` from then on; answers how many. */
export async function fillEmpty(
  context: CommandContext,
  config: StorageConfig,
  { revision, items }: { readonly revision: number; readonly items: Iterable<SnapshotItem> | AsyncIterable<SnapshotItem> },
): Promise<number> {
  const { signal, steps } = context;
  await steps.step(`${nameOf(config)} is empty`, async () => {
    await using store = (await openFor(context, config)) as EtcdStore | LmdbStore;
    await requireEmpty(store, nameOf(config), signal);
    await store.startAbove(revision, signal);
  });
  return await steps.step('objects are written', async (detail) => {
    await using store = await openFor(context, config);
    const progress = (count: number): void => detail(`${count}`);
    return await fill(store, items, { ttlSecondsOf, progress }, signal).catch((error: unknown) => refuse(error, nameOf(config)));
  });
}

const mortal = builtinKinds
  .filter(({ ttlSeconds, storedAs }) => ttlSeconds !== undefined && storedAs === undefined)
  .map((kind) => ({ prefix: keyPrefix(kind), ttlSeconds: kind.ttlSeconds }));

/** Kinds whose objects go by themselves live as long again. */
function ttlSecondsOf(key: string): number | undefined {
  return mortal.find(({ prefix }) => key.startsWith(prefix))?.ttlSeconds;
}

/** What a store refuses is for the user to mend: one sentence. `partial` names a store that may hold a part now. */
function refuse(error: unknown, partial?: string): never {
  if (!(error instanceof StoreError)) throw error;
  const hint = partial === undefined ? '' : `; ${partial} holds a part of the objects now: empty it before the next attempt`;
  throw new UsageError(`${error.message}${hint}`, { exitCode: 1, cause: error });
}
