import { expect, test } from 'vitest';
import { slowStart } from './slow-start.ts';

/** Runs with attempts that fail from the given one on, and tells how many ran at once. */
async function run(count: number, failFrom = Number.POSITIVE_INFINITY) {
  const batches: number[] = [];
  let running = 0;
  let tried = 0;
  const outcome = await slowStart(count, async () => {
    const mine = tried++;
    running++;
    await Promise.resolve();
    if (running > 0) batches.push(running);
    running = 0;
    await Promise.resolve();
    if (mine >= failFrom) throw new Error(`attempt ${mine}`);
  });
  return { ...outcome, tried, batches };
}

test.each<[count: number, batches: number[]]>([
  [0, []],
  [1, [1]],
  [3, [1, 2]],
  [10, [1, 2, 4, 3]],
])('%i attempts come in batches of %j', async (count, batches) => {
  expect(await run(count)).toEqual({ succeeded: count, error: undefined, tried: count, batches });
});

test.each<[failFrom: number, tried: number, succeeded: number]>([
  [0, 1, 0],
  [2, 3, 2],
  [4, 7, 4],
])('failing from attempt %i on, only %i of 100 are tried and %i succeed', async (failFrom, tried, succeeded) => {
  const outcome = await run(100, failFrom);
  expect(outcome).toMatchObject({ tried, succeeded });
  expect(outcome.error).toEqual(new Error(`attempt ${failFrom}`));
});
