import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';

interface KeepObjectsOptions {
  /** What is kept, for the log: `the system objects`. */
  readonly what: string;
  /** One look: makes and repairs what needs it. */
  readonly reconcile: (signal: AbortSignal) => Promise<void>;
  /** Default: ten seconds. */
  readonly intervalMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

const defaultIntervalMs = 10_000;

/** Looks at once and after every interval (at most ten seconds after a failure) until the signal aborts; ready after the first look that went well. */
export async function keepObjects(
  { what, reconcile, intervalMs = defaultIntervalMs, clock, log }: KeepObjectsOptions,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  let isReady = false;
  while (!signal.aborted) {
    // A look that went wrong is no reason to wait long.
    let waitMs = Math.min(intervalMs, defaultIntervalMs);
    try {
      await reconcile(signal);
      waitMs = intervalMs;
      if (!isReady) ready();
      isReady = true;
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, what }, 'cannot keep objects of the server, trying again');
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}
