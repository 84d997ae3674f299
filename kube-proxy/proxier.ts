// How it works: informers mark Services dirty; one loop takes all dirty ones, works out what each wants now, and hands the difference to the
// backend. While the backend works, further changes gather, so a storm of changes becomes few transactions. After a refused
// transaction, and where somebody took the rules away, everything is replaced.
import type { Node } from '#api/core/node/node.ts';
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
import { type ThisNode, wantedDispatches, zoneLabel } from './model/wanted.ts';
import type { ProxyMetrics } from './proxy-metrics.ts';

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

interface ProxierDeps {
  readonly services: Informer<KubeService>;
  readonly slices: Informer<EndpointSlice>;
  /** This node's own, or all. */
  readonly nodes: Informer<Node>;
  readonly backend: ProxyBackend;
  /** Its zone is what its object says. */
  readonly node: Omit<ThisNode, 'zone'>;
  readonly metrics: ProxyMetrics;
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
  #behindSinceMs: number | undefined;

  constructor(deps: ProxierDeps) {
    this.#deps = deps;
  }

  /** When the rules last equalled the wish, in milliseconds since the epoch; undefined before the first time. */
  get lastAppliedMs(): number | undefined {
    return this.#lastAppliedMs;
  }

  /** Since when known changes wait to be in the rules, by the monotonic clock; undefined while none does. */
  get behindSinceMs(): number | undefined {
    return this.#behindSinceMs;
  }

  /** Needs synced informers: rules made from half the Services would cut off the others. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { services, slices, nodes, node, metrics } = this.#deps;
    let zone = this.#zone();
    const unsubscribe = [
      nodes.subscribe(({ object }) => {
        if (object.metadata.name !== node.name || zone === this.#zone()) return;
        zone = this.#zone();
        for (const one of services.list()) this.#mark(keyText(keyOf(one)));
      }),
      services.subscribe(({ object }) => {
        metrics.serviceChanges.inc();
        this.#mark(keyText(keyOf(object)));
      }),
      slices.subscribe((change) => {
        metrics.endpointChanges.inc();
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
      try {
        await this.#apply(() => (changes.size === 0 ? Promise.resolve() : this.#deps.backend.change(changes, signal)));
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
        await this.#apply(() => backend.replace(this.#claims.all(), signal));
        return;
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        log.error({ err }, 'rules could not be made');
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  /** Runs one transaction, and notes how it went. */
  async #apply(work: () => Promise<void>): Promise<void> {
    const { clock, metrics } = this.#deps;
    const startMs = clock.monotonicMs();
    try {
      await work();
    } catch (error) {
      metrics.syncFailures.inc();
      throw error;
    }
    metrics.syncSeconds.observe((clock.monotonicMs() - startMs) / 1_000);
    this.#lastAppliedMs = clock.nowMs();
    metrics.lastSyncSeconds.set(this.#lastAppliedMs / 1_000);
    // What came meanwhile waits since this transaction began, at most.
    this.#behindSinceMs = this.#dirty.size > 0 ? startMs : undefined;
  }

  #takeChanges(): Map<string, Dispatch | undefined> {
    const { services, slices } = this.#deps;
    const node = { ...this.#deps.node, zone: this.#zone() };
    const keys = [...this.#dirty];
    this.#dirty.clear();
    const changes = new Map<string, Dispatch | undefined>();
    for (const key of keys) {
      const [namespace, name = ''] = key.split('/');
      const object = services.get({ namespace, name });
      const wanted = object === undefined ? [] : wantedDispatches(object, slices.byIndex(byServiceIndex, key), node);
      for (const [front, dispatch] of this.#claims.set(key, wanted)) changes.set(front, dispatch);
    }
    return changes;
  }

  #zone(): string | undefined {
    const { nodes, node } = this.#deps;
    return nodes.get({ name: node.name })?.metadata.labels?.[zoneLabel];
  }

  #mark(key: string): void {
    this.#dirty.add(key);
    this.#behindSinceMs ??= this.#deps.clock.monotonicMs();
    this.#wake.resolve();
  }
}
