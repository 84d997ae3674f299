/**
 * Runs `count` attempts in batches of 1, 2, 4, …: where the first fails, as when a quota is used up, the others are not even tried.
 * Answers how many succeeded, and the first failure.
 */
export async function slowStart(
  count: number,
  attempt: () => Promise<void>,
): Promise<{ readonly succeeded: number; readonly error: unknown }> {
  let succeeded = 0;
  for (let batch = Math.min(count, 1); batch > 0; batch = Math.min(2 * batch, count - succeeded)) {
    const outcomes = await Promise.allSettled(Array.from({ length: batch }, () => attempt()));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    succeeded += batch - failed.length;
    if (failed[0] !== undefined) return { succeeded, error: failed[0].reason };
  }
  return { succeeded, error: undefined };
}
