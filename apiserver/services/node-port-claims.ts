// Node ports of a store that several servers write to. One key holds all of them (port-bitmap.ts): whose guarded write sets a bit has the
// port. What Services ask for or give back while such a write is under way shares the next one, so a server never has two under way, and
// many Services cost few writes.
//
// Invariant: an answer rests on a bitmap that was the newest when the store judged the write. Where nothing can be written it is read
// anew: another server may have given a port back, or out what is given back here.
import { internalError } from '#api/meta/status.ts';
import type { Log } from '#base/log.ts';
import type { Store } from '../storage/contract.ts';
import { PortBitmap, type PortRange } from './port-bitmap.ts';

export const nodePortsKey = '/registry/ranges/servicenodeports';

interface NodePortClaimsDeps {
  readonly store: Pick<Store, 'get' | 'put' | 'isSoleWriter'>;
  readonly range: PortRange;
  readonly log: Log;
}

interface PortClaim {
  readonly do: 'claim' | 'release';
  readonly ports: readonly number[];
  readonly granted: (ports: ReadonlySet<number>) => void;
  readonly failed: (error: unknown) => void;
}

interface Known {
  readonly bitmap: PortBitmap;
  readonly revision: number;
}

export class NodePortClaims {
  readonly #deps: NodePortClaimsDeps;
  #waiting: PortClaim[] = [];
  #isWorking = false;
  #known: Known | undefined;
  /** Never aborted: a write with an unknown outcome would leak ports until the repair loop frees them. */
  readonly #signal = new AbortController().signal;

  constructor(deps: NodePortClaimsDeps) {
    this.#deps = deps;
  }

  /** True where memory is authoritative: no other process writes to the store. */
  get isIdle(): boolean {
    return this.#deps.store.isSoleWriter;
  }

  /** Those of `ports` that are the caller's now; the others have been taken elsewhere. */
  async claim(ports: readonly number[]): Promise<ReadonlySet<number>> {
    return await new Promise((granted, failed) => this.#add({ do: 'claim', ports, granted, failed }));
  }

  /** Gives ports back; resolves when they are. Failures are left to the repair loop. Undefined where there is nothing to wait for. */
  release(ports: readonly number[]): Promise<void> | undefined {
    if (this.isIdle || ports.length === 0) return undefined;
    return new Promise((done) => {
      const failed = (err: unknown): void => {
        this.#deps.log.warn({ err, ports }, 'cannot release node ports, leaving them to repair');
        done();
      };
      this.#add({ do: 'release', ports, granted: () => done(), failed });
    });
  }

  #add(claim: PortClaim): void {
    this.#waiting.push(claim);
    if (this.#isWorking) return;
    this.#isWorking = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#perform(batch);
      } catch (error) {
        this.#known = undefined;
        for (const { failed } of batch) failed(error);
      }
    }
    this.#isWorking = false;
  }

  async #perform(batch: readonly PortClaim[]): Promise<void> {
    let isFresh = this.#known === undefined;
    for (;;) {
      const known = this.#known ?? (await this.#read());
      this.#known = undefined;
      const { bitmap, answers, isChanged, isPartial } = outcome(known.bitmap, batch);
      if (isChanged) {
        const options = { expectedRevision: known.revision };
        const result = await this.#deps.store.put(nodePortsKey, bitmap.encode(), options, this.#signal);
        if (!result.ok) {
          if (result.current !== undefined) this.#known = this.#checked(result.current);
          isFresh = true;
          continue;
        }
        this.#known = { bitmap, revision: result.revision };
      } else if (isPartial && !isFresh) {
        isFresh = true;
        continue;
      } else {
        this.#known = known;
      }
      answers.forEach((ports, at) => batch[at]?.granted(ports));
      return;
    }
  }

  async #read(): Promise<Known> {
    return this.#checked(await this.#deps.store.get(nodePortsKey, this.#signal));
  }

  #checked(stored: { readonly value: Uint8Array; readonly modRevision: number } | undefined): Known {
    const bitmap = stored === undefined ? undefined : PortBitmap.decode(stored.value);
    // Repair makes it, when a server starts.
    if (stored === undefined || bitmap === undefined) {
      throw internalError('cannot allocate resources of type servicenodeportallocations at this time');
    }
    const { first, last } = this.#deps.range;
    if (bitmap.range.first !== first || bitmap.range.last !== last) {
      throw internalError('the provided port range does not match the current port range');
    }
    return { bitmap, revision: stored.modRevision };
  }
}

function outcome(
  before: PortBitmap,
  batch: readonly PortClaim[],
): { bitmap: PortBitmap; answers: ReadonlySet<number>[]; isChanged: boolean; isPartial: boolean } {
  const bitmap = before.copy();
  let isPartial = false;
  const answers = batch.map(({ do: what, ports }) => {
    const done = ports.filter((port) => (what === 'claim' ? bitmap.take(port) : bitmap.free(port)));
    if (done.length < ports.length) isPartial = true;
    return new Set(done);
  });
  // Also what is given back and taken again in one go: the guard of the write proves that this was the newest.
  return { bitmap, answers, isChanged: answers.some(({ size }) => size > 0), isPartial };
}
