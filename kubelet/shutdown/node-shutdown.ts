// Ends pods in the order of their priority when the machine is to shut down, which waits for that (pkg/kubelet/nodeshutdown). Without
// logind pods end with the machine: a kubelet that only stops leaves them running.
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { PodVerdict } from '../pods/desired-state.ts';
import type { ShutdownSource, ShutdownWatch } from './logind.ts';
import { groupsOf, neededSeconds, type ShutdownPeriod } from './plan.ts';

interface EndingPod {
  readonly pod: Pod;
  readonly isActive: boolean;
  /** True when nothing of it is left but its dead containers. */
  readonly isCleared: boolean;
  end(verdict: PodVerdict): void;
}

interface NodeShutdownDeps {
  readonly source: ShutdownSource;
  readonly periods: readonly ShutdownPeriod[];
  readonly pods: () => readonly EndingPod[];
  /** An event about the node. */
  readonly report: (reason: string, message: string) => void;
  /** Called when the node begins or ceases to shut down. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

const message = 'Pod was terminated in response to imminent node shutdown.';
const reconnectMs = 1_000;
/** A source that failed is unlikely to be back soon. */
const missingMs = 60_000;
const lookMs = 500;

export class NodeShutdown implements Service {
  readonly name = 'node shutdown';
  readonly #deps: NodeShutdownDeps;
  #isShuttingDown = false;

  constructor(deps: NodeShutdownDeps) {
    this.#deps = deps;
  }

  /** While true no pod is taken, and the node is not ready. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { source, periods, clock, log } = this.#deps;
    ready();
    let hasWarned = false;
    while (!signal.aborted) {
      let waitMs = reconnectMs;
      try {
        const watch = await source.watch(neededSeconds(periods), signal);
        hasWarned = false;
        for await (const isBeginning of watch.events) await this.#change(isBeginning, watch, signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        log[hasWarned ? 'debug' : 'warn']({ err: error }, 'shutdown notifications are unavailable, so pods end with the machine');
        hasWarned = true;
        waitMs = missingMs;
      }
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async #change(isBeginning: boolean, watch: ShutdownWatch, signal: AbortSignal): Promise<void> {
    const { report, onChange, log } = this.#deps;
    log.info({ isBeginning }, 'the machine is to shut down, or not any more');
    report('NodeShutdown', `Shutdown manager detected shutdown ${isBeginning ? 'event' : 'cancellation'}`);
    this.#isShuttingDown = isBeginning;
    onChange();
    if (!isBeginning) {
      watch.hold();
      return;
    }
    try {
      await this.#endPods(signal);
    } finally {
      watch.release();
    }
  }

  async #endPods(signal: AbortSignal): Promise<void> {
    const { periods, pods, clock, log } = this.#deps;
    const active = pods().filter(({ isActive }) => isActive);
    for (const group of groupsOf(periods, active, ({ pod }) => pod.spec.priority ?? 0)) {
      for (const one of group.pods) {
        const seconds = Math.min(group.seconds, one.pod.spec.terminationGracePeriodSeconds ?? group.seconds);
        one.end({ reason: 'Terminated', message, graceMs: seconds * 1_000, disruption: message });
      }
      const untilMs = clock.monotonicMs() + group.seconds * 1_000;
      while (!group.pods.every(({ isCleared }) => isCleared)) {
        const leftMs = untilMs - clock.monotonicMs();
        if (leftMs <= 0) {
          log.warn({ seconds: group.seconds }, 'not all pods ended in time');
          break;
        }
        await clock.sleep(Math.min(lookMs, leftMs), signal);
      }
    }
  }
}
