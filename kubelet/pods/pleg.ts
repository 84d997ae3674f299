import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { KubeletMetrics } from '../kubelet-metrics.ts';
import type { Runtime, RuntimePodSummary } from '../runtime/contract.ts';

interface PlegDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Log;
  /** Called for every pod whose containers changed. */
  readonly onChange: (podUid: string) => void;
  /** Called with all pods after every relist. */
  readonly onRelist: (pods: readonly RuntimePodSummary[]) => void;
  /** Called after every relist. */
  readonly metrics?: KubeletMetrics | undefined;
  /** How often all pods are looked at, in case an event was missed; default 30 s. */
  readonly relistMs?: number;
}

/** How long the first look may take before the node is not ready for it. */
const firstLookMs = 30_000;

/** Pod lifecycle events: the runtime's own as they come, and a look at everything now and then that repairs what they missed. */
export class Pleg implements Service {
  readonly name = 'pod lifecycle events';
  readonly #deps: PlegDeps;
  #seen = new Map<string, string>();
  #lastRelistMs: number | undefined;
  readonly #madeMs: number;

  constructor(deps: PlegDeps) {
    this.#deps = deps;
    this.#madeMs = deps.clock.monotonicMs();
  }

  /** Undefined while it works; else since when it has not been able to look. */
  problem(): string | undefined {
    const { clock, relistMs = 30_000 } = this.#deps;
    const idleMs = clock.monotonicMs() - (this.#lastRelistMs ?? this.#madeMs);
    if (this.#lastRelistMs === undefined) {
      // A node with running pods must not turn unready because its kubelet was started again a moment ago.
      return idleMs <= firstLookMs ? undefined : 'PLEG is not healthy: pleg has yet to be successful';
    }
    const limitMs = Math.max(180_000, 3 * relistMs);
    if (idleMs <= limitMs) return undefined;
    return `PLEG is not healthy: pleg was last seen active ${Math.round(idleMs / 1_000)}s ago; threshold is ${limitMs / 1_000}s`;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await Promise.all([this.#follow(signal), this.#sweep(signal)]);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const event of this.#deps.runtime.events(signal)) {
      if (event.type === 'everything') await this.#relist(signal);
      else this.#deps.onChange(event.podUid);
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, relistMs = 30_000 } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(relistMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#relist(signal);
    }
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { runtime, log, onChange, onRelist, clock, metrics } = this.#deps;
    const startMs = clock.monotonicMs();
    try {
      const pods = await runtime.pods(signal);
      const nowMs = clock.monotonicMs();
      const sinceLastMs = this.#lastRelistMs === undefined ? undefined : nowMs - this.#lastRelistMs;
      metrics?.relisted(pods, { tookMs: nowMs - startMs, atMs: clock.nowMs(), sinceLastMs });
      this.#lastRelistMs = nowMs;
      const now = new Map(pods.map((pod) => [pod.pod.uid, digest(pod)]));
      const changed = [...new Set([...now.keys(), ...this.#seen.keys()])].filter((uid) => now.get(uid) !== this.#seen.get(uid));
      this.#seen = now;
      for (const uid of changed) onChange(uid);
      onRelist(pods);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'could not list the pods of the runtime');
    }
  }
}

function digest({ sandboxes, containers }: RuntimePodSummary): string {
  return [...sandboxes, ...containers].map(({ id, state }) => `${id}=${state}`).join(' ');
}
