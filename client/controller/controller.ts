// Runs what define.ts declares. For each controller: subscriptions turn changes of objects into keys, the queue hands each key to
// one worker at a time, and a worker reconciles it against the caches. A throw puts the key back with a growing delay.
// Nothing else is kept, so a restart begins with every object as if it had just changed.
import type { ObjectKey } from '#api/meta/object.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Metrics } from '#base/metrics.ts';
import { type AnyKind, type Client, TransportError } from '../client.ts';
import type { ClusterCache } from '../cluster-cache.ts';
import { kindId } from '../cluster-cache.ts';
import { WorkQueue } from '../work-queue.ts';
import { observeUnfinishedWork, workQueueMetrics } from '../work-queue-metrics.ts';
import { declaredClient, declaredReader } from './declared-access.ts';
import { type CacheReader, type ControllerDefinition, type EventRecorder, TerminalError } from './define.ts';

interface ControllerDeps {
  /** Gives each controller its client, such as one with its own user agent or service account. */
  readonly client: (controller: string) => Client;
  /** Must hold every kind of `kindsOf(definitions)`. */
  readonly cluster: ClusterCache;
  /** Gives the recorder of the events that a controller sends. */
  readonly events: (controller: string) => EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** Every kind that these controllers read or wake for, each once: what their ClusterCache must hold. */
export function kindsOf(definitions: readonly ControllerDefinition[]): readonly AnyKind[] {
  const kinds: readonly AnyKind[] = definitions.flatMap(({ reconciles, reads, wakes = [] }) => [
    reconciles as unknown as AnyKind,
    ...reads,
    ...wakes.map((wake) => wake.kind as unknown as AnyKind),
  ]);
  return [...new Map(kinds.map((kind) => [kindId(kind), kind])).values()];
}

/** Runs controllers in one Service, each with its own queue and workers. The caches must have synced before (put them first). */
export function runControllers(definitions: readonly ControllerDefinition[], deps: ControllerDeps): Service {
  return {
    name: 'controllers',
    run: async (signal, ready) => {
      const controllers = definitions.map((definition) => new Controller(definition, deps));
      if (deps.metrics !== undefined) {
        observeUnfinishedWork(deps.metrics, new Map(controllers.map((controller) => [controller.name, controller.queue])), deps.clock);
      }
      const running = controllers.map((controller) => controller.run(signal, () => undefined));
      ready();
      await Promise.all(running);
    },
  };
}

/** One running controller. */
class Controller implements Service {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #definition: ControllerDefinition;
  readonly #deps: ControllerDeps;
  readonly #log: Log;
  readonly #client: Client;
  readonly #cache: CacheReader;
  readonly #events: EventRecorder;

  constructor(definition: ControllerDefinition, deps: ControllerDeps) {
    this.name = definition.queue ?? definition.name;
    this.#definition = definition;
    this.#deps = deps;
    this.#log = deps.log.child({ controller: this.name });
    this.#client = declaredClient(deps.client(definition.name), definition);
    this.#cache = declaredReader(deps.cluster, definition);
    this.#events = deps.events(definition.name);
    const observe = deps.metrics === undefined ? {} : { observe: workQueueMetrics(deps.metrics, this.name) };
    this.queue = new WorkQueue({ clock: deps.clock, ...observe });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const unsubscribe = this.#subscribe();
    ready();
    try {
      const workers = Array.from({ length: this.#definition.workers ?? 5 }, () => this.#work(signal));
      await Promise.all([this.queue.run(signal), ...workers]);
    } finally {
      for (const end of unsubscribe) end();
    }
  }

  #subscribe(): (() => void)[] {
    const { cluster } = this.#deps;
    const { reconciles, wakes = [] } = this.#definition;
    return [
      cluster.informer(reconciles).subscribe(({ object }) => this.queue.add(keyText(keyOf(object)))),
      ...wakes.map(({ kind, keys }) =>
        cluster.informer(kind).subscribe((change) => {
          const previous = change.type === 'updated' ? change.previous : undefined;
          for (const key of keys(change.object, previous, this.#cache, change.type)) this.queue.add(keyText(key));
        }),
      ),
    ];
  }

  /** Ends when the signal aborts, after the reconcile in progress. */
  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let key: string;
      try {
        key = await this.queue.take(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      try {
        await this.#reconcile(key, signal);
      } finally {
        this.queue.finish(key);
      }
    }
  }

  async #reconcile(text: string, signal: AbortSignal): Promise<void> {
    const key = parseKey(text);
    const log = this.#log.child({ key: text });
    try {
      const outcome = await this.#definition.reconcile({
        key,
        cache: this.#cache,
        client: this.#client,
        events: this.#events,
        clock: this.#deps.clock,
        log,
        signal,
      });
      this.queue.forget(text);
      if (outcome.kind === 'again') this.queue.addAfter(text, outcome.ms);
    } catch (error) {
      if (signal.aborted || isAbort(error, signal)) return;
      if (error instanceof TerminalError) {
        this.queue.forget(text);
        log.error({ err: error }, 'reconcile failed for good');
        return;
      }
      const delayMs = this.queue.addFailed(text);
      const fields = { err: error, failures: this.queue.failuresOf(text), delayMs };
      // Lost races and a server that restarts are everyday matters; retries get louder as the delay grows.
      const expected = hasReason(error, 'Conflict', 'AlreadyExists', 'NotFound') || error instanceof TransportError;
      if (expected && delayMs < 1_000) log.debug(fields, 'reconcile failed, trying again');
      else if (delayMs < 10_000) log.warn(fields, 'reconcile failed, trying again');
      else log.error(fields, 'reconcile keeps failing, trying again');
    }
  }
}

/** The opposite of `keyText`. */
function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return slash < 0 ? { namespace: undefined, name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
