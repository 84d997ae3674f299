import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { StorageConfig } from '../storage-config.ts';
import type { Store } from './contract.ts';

interface OpenStoreDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the store that the flags name, loading only the engine that is asked for. Rejects with StoreError. */
export async function openStore(config: StorageConfig, { clock, log }: OpenStoreDeps, signal: AbortSignal): Promise<Store> {
  if (config.engine === 'embedded') {
    const { LmdbStore } = await import('./lmdb.ts');
    return await LmdbStore.open({ folder: config.folder, clock, log });
  }
  const { EtcdStore } = await import('./etcd/etcd-store.ts');
  const { servers, tls, prefix } = config;
  return await EtcdStore.open({ servers, tls, clock, log, place: { store: '/registry', etcd: prefix } }, signal);
}
