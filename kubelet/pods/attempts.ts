import { Backoff, type BackoffOptions } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';
import { resizeStep, type Waiting } from './plan.ts';
import type { WaitReason } from './status/container-statuses.ts';

/** How soon what failed is tried again. Starts that end too soon have delays of their own (restart.ts). */
const startRetry: BackoffOptions = { initialMs: 1_000, maxMs: 10_000, jitter: 0.1 };
const mountRetry: BackoffOptions = { initialMs: 500, maxMs: 122_000 };

/** What of a pod failed lately: why, for its status, and when to try again. Keys are container names, '' is the pod as a whole. */
export class Attempts {
  readonly #clock: Clock;
  readonly #backoffs = new Map<string, Backoff>();
  readonly notBefore = new Map<string, number>();
  readonly reasons = new Map<string, WaitReason>();
  readonly #announced = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A container could not be started. */
  failStart(name: string, why: WaitReason, retryAfterMs?: number): void {
    this.reasons.set(name, why);
    this.#delay(name, startRetry, retryAfterMs);
  }

  /** Containers wait because they ended too often, in the pod that messages call `where`. `say` is called for each new one. */
  waitToStart(waiting: readonly Waiting[], where: string, say: (container: string, message: string) => void): void {
    for (const one of waiting) {
      if (this.#wait(one, where)) say(one.name, `Back-off restarting failed container ${one.name} in pod ${where}`);
    }
  }

  /** False: that was said before. */
  #wait({ name, delayMs, untilMs }: Waiting, where: string): boolean {
    const message = `back-off ${formatDuration(delayMs)} restarting failed container=${name} pod=${where}`;
    this.reasons.set(name, { reason: 'CrashLoopBackOff', message });
    const isKnown = this.#announced.get(name) === untilMs;
    this.#announced.set(name, untilMs);
    return !isKnown;
  }

  /** Running containers could not be given other limits. */
  failResize(): void {
    this.#delay(resizeStep, startRetry);
  }

  /** The pod as a whole could not be made ready for containers. */
  failPod(kind: 'mount' | 'sandbox'): void {
    this.#delay('', kind === 'mount' ? mountRetry : startRetry);
  }

  succeed(name: string): void {
    this.reasons.delete(name);
    this.notBefore.delete(name);
    this.#backoffs.delete(name);
  }

  /** Something changed that may have been the cause: try everything again now. */
  retryNow(): void {
    this.notBefore.clear();
  }

  #delay(key: string, options: BackoffOptions, atMostMs = Number.POSITIVE_INFINITY): void {
    const backoff = this.#backoffs.get(key) ?? new Backoff(options);
    this.#backoffs.set(key, backoff);
    this.notBefore.set(key, this.#clock.nowMs() + Math.min(backoff.next(), Math.max(0, atMostMs)));
  }
}
