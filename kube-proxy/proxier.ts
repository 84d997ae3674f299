// How it works: informers mark Services dirty; one loop takes all dirty ones, works out what each wants now, and hands the difference to the
// backend. While the backend works, further changes gather, so a storm of changes becomes few transactions. After a refused
// transaction, and where somebody took the rules away, everything is replaced.
import type { Service as KubeService } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Informer } from '#client/informer.ts';
import type { ProxyBackend } from './backends/contract.ts';
import { Claims } from './model/claims.ts';
import type { Dispatch } from './model/dispatch.ts';
import { wantedDispatches } from './model/wanted.ts';

const serviceNameLabel = 'kubernetes.io/service-name';
/** How often it is checked that the rules are still there. */
const checkEveryMs = 30_000;

/** Names the index of EndpointSlices by `namespace/service`, which the informer must have. */
export const byServiceIndex = 'service';

/** The index function for `byServiceIndex`. */
export function serviceOfSlice(slice: EndpointSlice): string[] {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined ? [] : [keyText({ namespace: slice.metadata.namespace, name })];
}

export interface ProxierDeps {
  readonly services: Informer<KubeService>;
  readonly slices: Informer<EndpointSlice>;
  readonly backend: ProxyBackend;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class Proxier implements Service {
  readonly name = 'proxier';
  readonly #deps: ProxierDeps;
  readonly #claims = new Claims();
  readonly #dirty = new Set<string>();
  #wake = Promise.withResolvers<void>();
  #rulesAreGone = false;
  #lastAppliedMs: number | undefined;

  constructor(deps: ProxierDeps) {
    this.#deps = deps;
  }

  /** When the rules last equalled the wish, in milliseconds since the epoch; undefined before the first time. */
  get lastAppliedMs(): number | undefined {
    return this.#lastAppliedMs;
  }

  /** True while known changes are not in the rules yet. */
  get isBehind(): boolean {
    return this.#dirty.size > 0;
  }

  /** Needs synced informers: rules made from half the Services would cut off the others. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { services, slices } = this.#deps;
    const unsubscribe = [
      services.subscribe(({ object }) => this.#mark(keyText(keyOf(object)))),
      slices.subscribe((change) => {
        for (const key of serviceOfSlice(change.object)) this.#mark(key);
        if (change.type === 'updated') for (const key of serviceOfSlice(change.previous)) this.#mark(key);
      }),
    ];
    try {
      await this.#replaceAll(signal);
      ready();
      await Promise.all([this.#follow(signal), this.#watchOver(signal)]);
    } finally {
      for (const end of unsubscribe) end();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake.resolve();
    signal.addEventListener('abort', stop, { once: true });
    for (;;) {
      await this.#wake.promise;
      signal.throwIfAborted();
      this.#wake = Promise.withResolvers<void>();
      if (this.#rulesAreGone) {
        this.#rulesAreGone = false;
        await this.#replaceAll(signal);
        continue;
      }
      const changes = this.#takeChanges();
      if (changes.size === 0) continue;
      try {
        await this.#deps.backend.change(changes, signal);
        this.#lastAppliedMs = this.#deps.clock.nowMs();
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        this.#deps.log.error({ err, fronts: changes.size }, 'rules were refused; replacing all of them');
        await this.#replaceAll(signal);
      }
    }
  }

  async #watchOver(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(checkEveryMs, signal);
      if (await this.#deps.backend.isIntact(signal)) continue;
      this.#deps.log.warn({}, 'somebody removed the rules; making them again');
      this.#rulesAreGone = true;
      this.#wake.resolve();
    }
  }

  /** Retries until it holds: without its rules a node carries no Service traffic at all. */
  async #replaceAll(signal: AbortSignal): Promise<void> {
    const { backend, clock, log } = this.#deps;
    const backoff = new Backoff({ initialMs: 100, maxMs: 30_000, jitter: 0.2 });
    for (;;) {
      this.#takeChanges();
      try {
        await backend.replace(this.#claims.all(), signal);
        this.#lastAppliedMs = clock.nowMs();
        return;
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        log.error({ err }, 'rules could not be made');
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  #takeChanges(): Map<string, Dispatch | undefined> {
    const { services, slices, nodeName } = this.#deps;
    const keys = [...this.#dirty];
    this.#dirty.clear();
    const changes = new Map<string, Dispatch | undefined>();
    for (const key of keys) {
      const [namespace, name = ''] = key.split('/');
      const object = services.get({ namespace, name });
      const wanted = object === undefined ? [] : wantedDispatches(object, slices.byIndex(byServiceIndex, key), nodeName);
      for (const [front, dispatch] of this.#claims.set(key, wanted)) changes.set(front, dispatch);
    }
    return changes;
  }

  #mark(key: string): void {
    this.#dirty.add(key);
    this.#wake.resolve();
  }
}
