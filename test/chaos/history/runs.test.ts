import { expect, test } from 'vitest';
import type { Run } from './operation.ts';
import { checkRuns, starts } from './runs.ts';

let id = 0;
const run = (host: string, startMs: number, endMs: number | undefined, rest: Partial<Run> = {}): Run => ({
  host,
  namespace: 'default',
  pod: 'db-0',
  container: 'main',
  uid: 'u',
  id: `c${id++}`,
  startMs,
  endMs,
  ...rest,
});

test.each<[string, readonly Run[], RegExp[]]>([
  ['nothing', [], []],
  ['one after the other', [run('host4', 0, 10), run('host5', 11, undefined)], []],
  ['one that begins as the other ends', [run('host4', 0, 10), run('host5', 10, 20)], []],
  [
    'two at a time on two hosts',
    [run('host4', 0, 10), run('host5', 9, 20)],
    [/default\/db-0\/main ran twice, for 1 ms: c\d+ of u on host4 .* on host5/],
  ],
  ['two at a time on one host', [run('host4', 0, 10), run('host4', 5, 20)], [/for 5 ms/]],
  ['told in another order', [run('host5', 9, 20), run('host4', 0, 10)], [/for 1 ms: .*host4.*host5/]],
  ['one that never ended', [run('host4', 0, undefined), run('host5', 50, 60)], [/for 10 ms/]],
  ['two that never ended', [run('host4', 0, undefined), run('host5', 50, undefined)], [/for Infinity ms/]],
  [
    'one within the other, and one that meets the longer one',
    [run('host4', 0, 100), run('host5', 10, 20), run('host5', 30, 40)],
    [/for 10/, /for 10/],
  ],
  ['another container of the pod', [run('host4', 0, 10), run('host5', 5, 20, { container: 'other' })], []],
  ['another pod', [run('host4', 0, 10), run('host5', 5, 20, { pod: 'db-1' })], []],
  ['another namespace', [run('host4', 0, 10), run('host5', 5, 20, { namespace: 'other' })], []],
  ['another pod of that name', [run('host4', 0, 10, { uid: 'a' }), run('host5', 5, 20, { uid: 'b' })], [/of a on host4 .* of b on host5/]],
])('%s', (_, runs, wanted) => {
  const problems = checkRuns(runs);
  expect(problems).toHaveLength(wanted.length);
  for (const [at, pattern] of wanted.entries()) expect(problems[at]).toMatch(pattern);
});

test('starts are counted by name', () => {
  const runs = [run('host4', 0, 1), run('host5', 2, 3), run('host4', 0, 1, { pod: 'db-1' })];
  expect(starts(runs)).toEqual(
    new Map([
      ['default/db-0/main', 2],
      ['default/db-1/main', 1],
    ]),
  );
});
