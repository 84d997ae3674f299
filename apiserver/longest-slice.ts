import { setImmediate } from 'node:timers/promises';

/**
 * For tests: how much is counted at most between two turns of the event loop while `work` goes on. It counts work, not time, so that a
 * busy machine changes nothing.
 */
export async function longestSlice(counted: () => number, work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = counted();
  let isDone = false;
  const look = (): void => {
    longest = Math.max(longest, counted() - before);
    before = counted();
  };
  const watching = (async () => {
    while (!isDone) {
      await setImmediate();
      look();
    }
  })();
  try {
    await work();
  } finally {
    isDone = true;
    await watching;
    look();
  }
  return longest;
}
