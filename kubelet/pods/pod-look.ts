import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import type { Runtime, RuntimePod } from '../runtime/contract.ts';
import { terminationMessage } from './termination-message.ts';

interface PodLookDeps {
  readonly runtime: Pick<Runtime, 'podStatus' | 'logs'>;
  readonly clock: Clock;
}

/** How long a look holds where nothing says that anything changed. */
const holdsMs = 300_000;

/** The last look at one pod in the runtime, and what its ended containers left as their last words, each read once. */
export class PodLook {
  readonly #uid: string;
  readonly #deps: PodLookDeps;
  readonly #messages = new Map<string, string>();
  #pod: RuntimePod | undefined;
  #atMs: number | undefined;

  constructor(uid: string, deps: PodLookDeps) {
    this.#uid = uid;
    this.#deps = deps;
  }

  /** Undefined before the first look, and when the runtime does not know the pod. */
  get pod(): RuntimePod | undefined {
    return this.#pod;
  }

  /** False before the first look. */
  get hasLooked(): boolean {
    return this.#atMs !== undefined;
  }

  /** By the ids of containers that have ended. */
  get messages(): ReadonlyMap<string, string> {
    return this.#messages;
  }

  /**
   * Observes the pod. A routine observation, triggered only by elapsed time, mostly needs no request: the runtime's events and the
   * relist would have reported. It observes what those do not show, such as limits changed by another program, within five minutes.
   */
  async take(why: 'reason' | 'routine', pod: Pod, signal: AbortSignal): Promise<void> {
    const { runtime, clock } = this.#deps;
    const holds = this.#atMs !== undefined && clock.monotonicMs() - this.#atMs < holdsMs;
    if (why === 'routine' && holds) return;
    const startMs = clock.monotonicMs();
    this.#pod = await runtime.podStatus(this.#uid, signal);
    this.#atMs = startMs;
    await this.#readMessages(pod, signal);
  }

  /** Reads those that are new, and forgets those of containers that are gone. */
  async #readMessages({ spec }: Pod, signal: AbortSignal): Promise<void> {
    const containers = this.#pod?.containers ?? [];
    const count = spec.containers.length + (spec.initContainers ?? []).length;
    for (const container of containers) {
      if (container.state !== 'exited' || this.#messages.has(container.id)) continue;
      this.#messages.set(container.id, await terminationMessage(container, count, this.#deps.runtime, signal));
    }
    for (const id of this.#messages.keys()) if (!containers.some((one) => one.id === id)) this.#messages.delete(id);
  }
}
