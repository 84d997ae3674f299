import type { V1Probe } from '#api/generated/types.ts';

/** The last results of one probe: how many alike in a row. Plain data. */
interface Tally {
  readonly last: 'success' | 'failure' | undefined;
  readonly run: number;
}

export const emptyTally: Tally = { last: undefined, run: 0 };

/** Counts a result; `verdict` is defined once as many alike came in a row as the probe asks for. */
export function count(
  tally: Tally,
  result: 'success' | 'failure',
  { successThreshold = 1, failureThreshold = 3 }: V1Probe,
): { readonly tally: Tally; readonly verdict: 'success' | 'failure' | undefined } {
  const run = tally.last === result ? tally.run + 1 : 1;
  const needed = result === 'success' ? successThreshold : failureThreshold;
  return { tally: { last: result, run }, verdict: run >= needed ? result : undefined };
}
