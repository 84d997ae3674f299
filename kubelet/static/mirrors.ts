// Keeps the mirror pods of this node as mirror-plan.ts wants them. Whatever may matter only wakes the loop, which looks at everything;
// what could not be done is tried again, for the API server may not be there.
import { mirrorAnnotation } from '#api/core/pod/mirror.ts';
import type { Node } from '#api/core/node/node.ts';
import { pod as podKind } from '#api/core/pod/pod.ts';
import { keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { NodePods } from '../pods/node-pods.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import type { StatusWriter } from '../pods/status/status-writer.ts';
import { Wakeup } from '../pods/wakeup.ts';
import { type MirrorStep, type MirrorView, planMirrors } from './mirror-plan.ts';

interface MirrorsDeps {
  /** Undefined: mirrors are not known yet. */
  readonly view: () => MirrorView | undefined;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

interface MirrorParts extends Omit<MirrorsDeps, 'view'> {
  readonly pods: NodePods;
  readonly workers: Pick<PodWorkers, 'servedStatics' | 'staticNames'>;
  readonly statuses: Pick<StatusWriter, 'observeMirror'>;
  readonly node: () => Node | undefined;
}

/** The mirrors of a whole kubelet. */
export function mirrorsOf({ pods, workers, statuses, node, ...deps }: MirrorParts): Mirrors {
  const view = (): MirrorView | undefined =>
    pods.knowsMirrors
      ? {
          statics: workers.servedStatics(),
          kept: workers.staticNames(),
          mirrors: pods.mirrors(),
          node: node(),
          hasSynced: pods.hasSynced,
        }
      : undefined;
  const mirrors = new Mirrors({ view, ...deps });
  pods.onMirror(({ type, object }) => {
    const staticUid = object.metadata.annotations?.[mirrorAnnotation] ?? '';
    statuses.observeMirror(staticUid, type === 'removed' ? undefined : object);
    mirrors.wake();
  });
  void pods.synced.then(() => mirrors.wake());
  return mirrors;
}

const resyncMs = 60_000;
/** How long a deleted mirror pod stays deleted, so that the client observes it; about as long as upstream takes. */
const deletedMs = 1_000;
const retry = { initialMs: 1_000, maxMs: 10_000, jitter: 0.1 };

export class Mirrors implements Service {
  readonly name = 'mirror pods';
  readonly #deps: MirrorsDeps;
  readonly #wakeup = new Wakeup();
  readonly #backoff = new Backoff(retry);

  constructor(deps: MirrorsDeps) {
    this.#deps = deps;
  }

  /** Something changed that the plan may follow from. */
  wake(): void {
    this.#wakeup.set();
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, view } = this.#deps;
    ready();
    while (!signal.aborted) {
      const seen = view();
      const hasFailed = seen !== undefined && (await this.#doAll(planMirrors(seen), signal));
      if (!hasFailed) this.#backoff.reset();
      await this.#wakeup.wait(hasFailed ? this.#backoff.next() : resyncMs, clock, signal).catch(() => undefined);
    }
  }

  /** True when anything has to be tried again. */
  async #doAll(steps: readonly MirrorStep[], signal: AbortSignal): Promise<boolean> {
    let hasFailed = false;
    for (const step of steps) {
      try {
        await this.#do(step, signal);
      } catch (err) {
        if (isAbort(err, signal)) return false;
        hasFailed = true;
        this.#deps.log.warn({ err, step: step.do, pod: keyOf(step.mirror) }, 'could not bring a mirror pod up to date, trying again');
      }
    }
    return hasFailed;
  }

  async #do(step: MirrorStep, signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#deps;
    const { mirror } = step;
    if (step.do === 'create') {
      await client.create(podKind, mirror, {}, signal);
      log.info({ pod: keyOf(mirror) }, 'made a mirror pod');
      return;
    }
    const { uid, deletionTimestamp } = mirror.metadata;
    // `kubectl delete` asks once whether it is still there, and only then begins to watch for its end.
    if (deletionTimestamp !== undefined) await clock.sleep(deletedMs, signal);
    try {
      await client.delete(podKind, keyOf(mirror), { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { uid }) }, signal);
      log.info({ pod: keyOf(mirror) }, 'deleted a mirror pod');
    } catch (error) {
      // Gone, or another one: seen soon.
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    }
  }
}
