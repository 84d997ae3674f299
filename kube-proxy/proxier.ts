// How it works: informers mark Services dirty; one loop takes all dirty ones, computes the desired dispatches of each, and applies the
// difference through the backend. Changes that arrive during a transaction are batched into the next one. After a rejected
// transaction, or when the rules were removed by another program, the whole rule set is replaced.
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
/** Interval of the check that the rules still exist. */
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
  /** This node's object, or all nodes. */
  readonly nodes: Informer<Node>;
  readonly backend: ProxyBackend;
  /** The zone is read from the Node object. */
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
  #areRulesRemoved = false;
  #lastAppliedMs: number | undefined;
  #behindSinceMs: number | undefined;

  constructor(deps: ProxierDeps) {
    this.#deps = deps;
  }

  /** When the rules last matched the desired state, in milliseconds since the epoch; undefined before the first sync. */
  get lastAppliedMs(): number | undefined {
    return this.#lastAppliedMs;
  }

  /** Since when observed changes are not yet applied, on the monotonic clock; undefined when all are. */
  get behindSinceMs(): number | undefined {
    return this.#behindSinceMs;
  }

  /** Requires synced informers: rules from a partial list would cut off the other Services. */
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
      await Promise.all([this.#applyChanges(signal), this.#checkPeriodically(signal)]);
    } finally {
      for (const end of unsubscribe) end();
    }
  }

  async #applyChanges(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake.resolve();
    signal.addEventListener('abort', stop, { once: true });
    for (;;) {
      await this.#wake.promise;
      signal.throwIfAborted();
      this.#wake = Promise.withResolvers<void>();
      if (this.#areRulesRemoved) {
        this.#areRulesRemoved = false;
        await this.#replaceAll(signal);
        continue;
      }
      const changes = this.#takeChanges();
      try {
        await this.#apply(() => (changes.size === 0 ? Promise.resolve() : this.#deps.backend.change(changes, signal)));
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        this.#deps.log.error({ err, fronts: changes.size }, 'transaction rejected; replacing all rules');
        await this.#replaceAll(signal);
      }
    }
  }

  async #checkPeriodically(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(checkEveryMs, signal);
      if (await this.#deps.backend.isIntact(signal)) continue;
      this.#deps.log.warn({}, 'rules were removed by another program; replacing them');
      this.#areRulesRemoved = true;
      this.#wake.resolve();
    }
  }

  /** Retries until it succeeds: without its rules a node forwards no Service traffic at all. */
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
        log.error({ err }, 'rules could not be applied');
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  /** Runs one transaction and records its metrics. */
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
    // Changes that arrived meanwhile have waited since the start of this transaction at most.
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
