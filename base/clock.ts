/** Time, as everything in Coxswain sees it. The only place that may touch timers and the system's clocks. */
export interface Clock {
  /** Milliseconds since the epoch; may jump when the clock is set. For timestamps only. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never jumps. For durations. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `fire` after `ms`; the answer cancels it. */
  startTimer(ms: number, fire: () => void): () => void;
  /** A signal that aborts with `parent`, or with a `DeadlineExceeded` after `ms`. Dispose it, or it keeps its timer until then. */
  deadline(parent: AbortSignal, ms: number): DeadlineSignal;
}

/** The signal of one attempt, and the end of its timer. */
export interface DeadlineSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** Why a signal made by `Clock.deadline` aborted when its time was up. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

type StartTimer = Clock['startTimer'];

/** The machine's own time. */
export const systemClock: Clock = clockFrom({
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  startTimer: (ms, fire) => {
    const timer = setTimeout(fire, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
});

/** Builds a clock from its three primitives, so that real and fake time share the rules about signals. */
export function clockFrom(source: { nowMs(): number; monotonicMs(): number; startTimer: StartTimer }): Clock {
  return {
    nowMs: () => source.nowMs(),
    monotonicMs: () => source.monotonicMs(),
    startTimer: (ms, fire) => source.startTimer(ms, fire),
    sleep: (ms, signal) => sleep(source.startTimer, ms, signal),
    deadline: (parent, ms) => deadline(source.startTimer, parent, ms),
  };
}

function sleep(startTimer: StartTimer, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = startTimer(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function deadline(startTimer: StartTimer, parent: AbortSignal, ms: number): DeadlineSignal {
  const controller = new AbortController();
  const onAbort = (): void => {
    cancel();
    controller.abort(parent.reason);
  };
  const cancel = startTimer(ms, () => {
    parent.removeEventListener('abort', onAbort);
    controller.abort(new DeadlineExceeded(`not done within ${ms} ms`));
  });
  if (parent.aborted) onAbort();
  else parent.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      cancel();
      parent.removeEventListener('abort', onAbort);
    },
  };
}
