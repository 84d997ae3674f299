// Keeps the files of ConfigMaps, Secrets, tokens and the downward API of one running pod up to date. A refresh that fails leaves the old
// files in place, is reported as an event, and is retried with a growing delay.
import type { Pod } from '#api/core/pod/pod.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { RuntimePod } from '../runtime/contract.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { StepRunnerDeps } from './step-runner.ts';

interface VolumeRefreshDeps {
  readonly volumes: Pick<PodVolumes, 'mount' | 'isDue'>;
  readonly hostIps: () => readonly string[];
  readonly record: StepRunnerDeps['record'];
  readonly clock: Clock;
  /** Longest delay between two attempts. */
  readonly maxRetryMs: number;
}

export class VolumeRefresh {
  readonly #deps: VolumeRefreshDeps;
  readonly #backoff: Backoff;
  #isRequested = false;
  #retryAtMs = Infinity;

  constructor(deps: VolumeRefreshDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff({ initialMs: 1_000, maxMs: deps.maxRetryMs, jitter: 0.1 });
  }

  /** When a refresh that failed is due again, in milliseconds of the clock; `Infinity` where none is. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Makes the next `run` refresh: the pod, or an object that it refers to, has changed. */
  request(): void {
    this.#isRequested = true;
  }

  /** The same where the content of the pod's volumes has expired, as that of a token does. */
  requestIfDue(uid: string): void {
    this.#isRequested ||= this.#deps.volumes.isDue(uid);
  }

  /** Refreshes a running pod if requested or due; others get their volumes before they start. Rejects only when `signal` aborts. */
  async run(pod: Pod, observed: RuntimePod | undefined, isRunning: boolean, signal: AbortSignal): Promise<void> {
    const { volumes, record, clock } = this.#deps;
    const isDue = this.#isRequested || clock.nowMs() >= this.#retryAtMs;
    if (isDue || !isRunning) this.#retryAtMs = Infinity;
    if (!isDue || !isRunning) return;
    this.#isRequested = false;
    const hostIps = this.#deps.hostIps();
    const podIps = pod.spec.hostNetwork === true ? hostIps : (observed?.sandboxes[0]?.ips ?? []);
    try {
      await volumes.mount(pod, { podIps, hostIps }, signal);
      this.#backoff.reset();
    } catch (error) {
      this.#retryAtMs = clock.nowMs() + this.#backoff.next();
      signal.throwIfAborted();
      record(pod, undefined, 'Warning', 'FailedMount', error instanceof Error ? error.message : String(error));
    }
  }
}
