import { type Clock, clockFrom } from './clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that moves only when a test says so. Timers fire in order of their due time, with pending promises settled between. */
export class FakeClock implements Clock {
  readonly startTimer: Clock['startTimer'];
  readonly sleep: Clock['sleep'];
  readonly deadline: Clock['deadline'];
  #nowMs: number;
  readonly #startMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs milliseconds since the epoch; default 2026-01-01T00:00:00Z. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
    const inner = clockFrom({
      nowMs: () => this.#nowMs,
      monotonicMs: () => this.monotonicMs(),
      startTimer: (ms, fire) => {
        const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fire };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
    });
    this.startTimer = inner.startTimer;
    this.sleep = inner.sleep;
    this.deadline = inner.deadline;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  /** How many timers, sleepers and deadlines wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward by `ms`, firing what falls due on the way. Needs real event-loop turns, so await it. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#nextDue(targetMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
      await settle();
    }
    this.#nowMs = targetMs;
    await settle();
  }

  #nextDue(untilMs: number): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (best === undefined || timer.dueMs < best.dueMs || (timer.dueMs === best.dueMs && timer.order < best.order)) best = timer;
    }
    return best;
  }
}

/** Lets promise chains and immediate I/O callbacks run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
