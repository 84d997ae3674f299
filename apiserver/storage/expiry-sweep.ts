import type { Clock } from '#base/clock.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';

const periodMs = 1_000;
const sweepLimit = 1_000;

/** A key whose time is up, and the revision that this was true for. */
export interface ExpiredKey {
  readonly key: string;
  readonly revision: number;
}

interface ExpirySweepDeps {
  /** Keys due by `nowMs`, oldest first, at most `limit`. */
  readonly due: (nowMs: number, limit: number) => readonly ExpiredKey[];
  /** Deletes a key if it still has that revision. */
  readonly remove: (expired: ExpiredKey, signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Deletes what has outlived its TTL, looking every second, until the signal aborts. What fails is tried again at the next look. */
export async function sweepExpired({ due, remove, clock, log }: ExpirySweepDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(periodMs, signal);
      const expired = due(clock.nowMs(), sweepLimit);
      await Promise.all(expired.map((one) => remove(one, signal)));
    } catch (error) {
      if (isAbort(error, signal)) return;
      log.warn({ err: error }, 'removing expired keys failed');
    }
  }
}
