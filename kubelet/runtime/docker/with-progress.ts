import type { Clock } from '#base/clock.ts';

/**
 * Does `work`, which calls `progressed` whenever it has come further. When that does not happen for `limitMs`, the signal that it was given
 * aborts, and `stalled()` is thrown in place of whatever comes of that.
 */
export async function withProgress<R>(
  { limitMs, stalled }: { readonly limitMs: number; readonly stalled: () => Error },
  work: (signal: AbortSignal, progressed: () => void) => Promise<R>,
  clock: Clock,
  signal: AbortSignal,
): Promise<R> {
  const [stall, done] = [new AbortController(), new AbortController()];
  const watched = AbortSignal.any([signal, done.signal]);
  let failure: Error | undefined;
  let lastMs = clock.monotonicMs();
  const watch = async (): Promise<void> => {
    for (let leftMs = limitMs; leftMs > 0; leftMs = lastMs + limitMs - clock.monotonicMs()) await clock.sleep(leftMs, watched);
    failure = stalled();
    stall.abort(failure);
  };
  // Ends with the work.
  const watching = watch().catch(() => undefined);
  try {
    return await work(AbortSignal.any([signal, stall.signal]), () => (lastMs = clock.monotonicMs()));
  } catch (error) {
    throw failure ?? error;
  } finally {
    done.abort(new Error('the work is done'));
    await watching;
  }
}
