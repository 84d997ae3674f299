// Takes events at once and hands them on later, several at a time. Who brings events only writes to `#waiting`; `run` alone takes from it.
// The buffer has a bound: what comes when it is full is lost and counted, and no request waits.
import type { Clock } from '#base/clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { AuditEvent, AuditSink } from './contract.ts';
import type { PluginFailure } from './plugin-failure.ts';

export interface BatchOptions {
  readonly bufferSize: number;
  readonly maxSize: number;
  /** How long a batch may wait to be filled; 0: not at all. */
  readonly maxWaitMs: number;
  /** Batches a second, and at once after a quiet time; undefined: any number. */
  readonly throttle: { readonly qps: number; readonly burst: number } | undefined;
  /** Batches that may be on their way at a time. */
  readonly maxSending: number;
}

interface BatchingDeps {
  readonly sink: AuditSink;
  readonly options: BatchOptions;
  readonly failed: PluginFailure;
  readonly clock: Clock;
}

export class BatchingSink implements AuditSink, Service {
  readonly name = 'audit batches';
  readonly #deps: BatchingDeps;
  readonly #sending = new Set<Promise<unknown>>();
  #waiting: AuditEvent[] = [];
  #isClosed = false;
  /** Resolves as soon as there is something, or enough for a batch. */
  #wake: (() => void) | undefined;
  #wanted = 1;
  #tokens: number;
  #filledAtMs: number;

  constructor(deps: BatchingDeps) {
    this.#deps = deps;
    this.#tokens = deps.options.throttle?.burst ?? 0;
    this.#filledAtMs = deps.clock.monotonicMs();
  }

  /** Always true: nothing that is buffered holds a request up. */
  process(events: readonly AuditEvent[]): boolean {
    const { options, failed } = this.#deps;
    if (this.#isClosed) {
      failed('buffered', new Error('audit backend shut down'), events);
      return true;
    }
    const room = options.bufferSize - this.#waiting.length;
    if (events.length > room) failed('buffered', new Error('audit buffer queue blocked'), events.slice(Math.max(0, room)));
    for (const event of events.slice(0, Math.max(0, room))) this.#waiting.push(event);
    if (this.#waiting.length >= this.#wanted) this.#wake?.();
    return true;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { maxSize, maxWaitMs } = this.#deps.options;
    const over = aborted(signal);
    while (!signal.aborted) {
      await Promise.race([this.#until(1), over]);
      if (maxWaitMs > 0 && this.#waiting.length < maxSize) await Promise.race([this.#until(maxSize), this.#slept(maxWaitMs, signal), over]);
      await Promise.race([this.#allowed(signal), over]);
      if (!signal.aborted) this.#send();
    }
    this.#isClosed = true;
    while (this.#waiting.length > 0) this.#send();
    await Promise.all(this.#sending);
  }

  #until(count: number): Promise<void> {
    this.#wanted = count;
    if (this.#waiting.length >= count) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Waits for a free place, and as long as the rate asks for. */
  async #allowed(signal: AbortSignal): Promise<void> {
    const { options, clock } = this.#deps;
    while (this.#sending.size >= options.maxSending) await Promise.race(this.#sending);
    if (options.throttle === undefined) return;
    const { qps, burst } = options.throttle;
    const nowMs = clock.monotonicMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * qps);
    this.#filledAtMs = nowMs;
    const missing = 1 - this.#tokens;
    if (missing > 0) await this.#slept((missing / qps) * 1_000, signal);
    this.#tokens--;
  }

  /** An abort ends it, too. */
  #slept(ms: number, signal: AbortSignal): Promise<void> {
    return this.#deps.clock.sleep(ms, signal).catch(() => undefined);
  }

  #send(): void {
    const batch = this.#waiting.slice(0, this.#deps.options.maxSize);
    if (batch.length === 0) return;
    this.#waiting = this.#waiting.slice(batch.length);
    const kept = this.#deps.sink.process(batch);
    if (typeof kept === 'boolean') return;
    const sent = kept.finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }
}
