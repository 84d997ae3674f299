import { expect, test } from 'vitest';
import { checkLeases, takeovers } from './leases.ts';
import type { LeaseVersion } from './operation.ts';

let revision = 0;
/** Seconds: when it was acquired and renewed. */
const version = (
  holder: string,
  transitions: number,
  [acquired, renewed]: [number, number],
  rest: Partial<LeaseVersion> = {},
): LeaseVersion => ({
  name: 'kube-scheduler',
  revision: ++revision,
  holder,
  transitions,
  acquiredMs: acquired * 1_000,
  renewedMs: renewed * 1_000,
  durationSeconds: 15,
  heardMs: renewed * 1_000,
  ...rest,
});
const a = version('a', 0, [0, 100]);

test.each<[string, readonly LeaseVersion[], RegExp[]]>([
  ['renewals', [a, version('a', 0, [0, 102])], []],
  ['another holder when the time is up', [a, version('b', 1, [115, 115])], []],
  ['another holder at once, since it was given back', [a, version('', 0, [101, 101]), version('b', 1, [102, 102])], []],
  ['another holder too early', [a, version('b', 1, [114, 114])], [/taken by b 1000 ms before a had lost it/]],
  ['a holder that is not counted', [a, version('b', 0, [120, 120])], [/counts 0 transitions/]],
  ['a count without another holder', [a, version('a', 1, [0, 102])], [/counts 1 transitions/]],
  ['a clock that was moved', [a, version('b', 1, [60, 60], { heardMs: 3_600_000 })], []],
  ['two leases', [a, version('b', 5, [101, 101], { name: 'kube-controller-manager' })], []],
])('%s', (_, versions, wanted) => {
  const problems = checkLeases(versions);
  expect(problems).toHaveLength(wanted.length);
  for (const [at, pattern] of wanted.entries()) expect(problems[at]).toMatch(pattern);
});

test('who comes to lead is counted once, given back or not', () => {
  const versions = [a, version('', 0, [1, 1]), version('b', 1, [2, 2]), version('b', 1, [2, 4]), version('a', 2, [20, 20])];
  expect(takeovers(versions)).toEqual(new Map([['kube-scheduler', 2]]));
});
