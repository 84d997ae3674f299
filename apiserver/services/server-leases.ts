// Which API servers there are. Each keeps a key with its address in the store they share, which the store forgets some seconds after the
// server stopped renewing it (upstream's pkg/controlplane/reconcilers/lease.go, same key and same times).
import type { Store } from '../storage/contract.ts';

interface ServerLeasesDeps {
  readonly store: Pick<Store, 'get' | 'list' | 'put' | 'delete' | 'isSoleWriter'>;
}

const prefix = '/registry/masterleases/';
const ttlSeconds = 15;
const attempts = 5;

export class ServerLeases {
  readonly #store: ServerLeasesDeps['store'];

  constructor({ store }: ServerLeasesDeps) {
    this.#store = store;
  }

  /** Says that the server at `address` lives. Where a store has one server only, nothing needs to be written. */
  async renew(address: string, signal: AbortSignal): Promise<void> {
    if (this.#store.isSoleWriter) return;
    const value = Buffer.from(JSON.stringify({ kind: 'Endpoints', apiVersion: 'v1', subsets: [{ addresses: [{ ip: address }] }] }));
    let expectedRevision = (await this.#store.get(prefix + address, signal))?.modRevision ?? 0;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const result = await this.#store.put(prefix + address, value, { expectedRevision, ttlSeconds }, signal);
      if (result.ok) return;
      // It ended in between, or another server has this address, too.
      expectedRevision = result.current?.modRevision ?? 0;
    }
    throw new Error(`the lease of ${address} is written by another server, too`);
  }

  /** Addresses of all servers that live, sorted; `own` is always among them. */
  async addresses(own: string, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#store.isSoleWriter) return [own];
    const { items } = await this.#store.list(prefix, {}, signal);
    return [...new Set([own, ...items.map(({ key }) => key.slice(prefix.length))])].sort();
  }

  /** Says that the server at `address` stops. */
  async release(address: string, signal: AbortSignal): Promise<void> {
    if (this.#store.isSoleWriter) return;
    const found = await this.#store.get(prefix + address, signal);
    if (found !== undefined) await this.#store.delete(prefix + address, found.modRevision, signal);
  }
}
