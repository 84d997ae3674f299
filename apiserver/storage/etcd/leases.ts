// Time to live: etcd removes a key when the lease that it hangs on runs out. Leases cost etcd more than keys do, so that keys which go
// at about the same time share one: as upstream's, a lease lives a twentieth (at most a minute) longer than asked for, and serves all
// who come in that time.
import { randomInt } from 'node:crypto';
import type { Clock } from '#base/clock.ts';
import type { CallOptions, EtcdConnection } from './connection.ts';
import { encodeGrant, methods } from './messages.ts';

const longestExtraSeconds = 60;
const extraShare = 0.05;
/** As upstream: what a lease holds goes in one transaction when its time is up. */
const keyLimit = 1_000;

export interface LeasesDeps {
  readonly connection: Pick<EtcdConnection, 'call'>;
  readonly clock: Clock;
}

interface Lease {
  /** Resolves when etcd knows it. */
  readonly id: Promise<number>;
  /** Monotonic; known to be alive until then. */
  readonly untilMs: number;
  keys: number;
}

export class Leases {
  readonly #deps: LeasesDeps;
  /** The newest one, by seconds asked for. */
  readonly #newest = new Map<number, Lease>();

  constructor(deps: LeasesDeps) {
    this.#deps = deps;
  }

  /** A lease that ends in `ttlSeconds`, or a little later. Rejects as calls do. */
  async leaseFor(ttlSeconds: number, options: CallOptions): Promise<number> {
    const nowMs = this.#deps.clock.monotonicMs();
    const known = this.#newest.get(ttlSeconds);
    if (known !== undefined && nowMs + ttlSeconds * 1_000 <= known.untilMs && known.keys < keyLimit) {
      known.keys++;
      return await known.id;
    }
    const longSeconds = ttlSeconds + Math.min(longestExtraSeconds, Math.floor(ttlSeconds * extraShare));
    const lease: Lease = { id: this.#grant(longSeconds, options), untilMs: nowMs + longSeconds * 1_000, keys: 1 };
    this.#newest.set(ttlSeconds, lease);
    try {
      return await lease.id;
    } catch (error) {
      this.#drop(ttlSeconds, lease);
      throw error;
    }
  }

  /** Forgets a lease that etcd does not know any more. */
  forget(ttlSeconds: number): void {
    this.#newest.delete(ttlSeconds);
  }

  #drop(ttlSeconds: number, lease: Lease): void {
    if (this.#newest.get(ttlSeconds) === lease) this.#newest.delete(ttlSeconds);
  }

  /** A grant whose answer is lost leaves a lease without keys, which ends by itself. */
  async #grant(ttlSeconds: number, options: CallOptions): Promise<number> {
    const id = randomInt(1, 2 ** 48 - 1);
    await this.#deps.connection.call(methods.grant, encodeGrant(id, ttlSeconds), options);
    return id;
  }
}
