import { describe, expect, test } from 'vitest';
import { judgeRestart, type RestartHistory, rememberedHistory } from './restart.ts';

/** Delays in seconds of a container that ends as soon as it starts. */
function delays(count: number, longestMs?: number): number[] {
  let history: RestartHistory | undefined;
  let nowMs = 1_000_000;
  return Array.from({ length: count }, () => {
    const endMs = nowMs;
    const first = judgeRestart(history, endMs, nowMs, longestMs);
    nowMs = first.kind === 'wait' ? first.untilMs : nowMs;
    const verdict = judgeRestart(history, endMs, nowMs, longestMs);
    if (verdict.kind === 'now') history = verdict.history;
    return (nowMs - endMs) / 1_000;
  });
}

describe('a container that keeps ending waits', () => {
  test.each<[name: string, longestMs: number | undefined, expected: number[]]>([
    ['longer and longer, up to five minutes', undefined, [0, 10, 20, 40, 80, 160, 300, 300]],
    ['up to what the node says', 25_000, [0, 10, 20, 25, 25]],
    ['no longer than that from the start', 3_000, [0, 3, 3, 3]],
  ])('%s', (_, longestMs, expected) => expect(delays(expected.length, longestMs)).toEqual(expected));
});

test('one that ran for more than ten minutes begins with short delays', () => {
  const history = { delayMs: 300_000, lastMs: 0 };
  expect(judgeRestart(history, 600_000, 600_000, 5_000)).toMatchObject({ kind: 'wait' });
  expect(judgeRestart(history, 600_001, 600_001, 5_000)).toEqual({ kind: 'now', history: { delayMs: 5_000, lastMs: 600_001 } });
});

test('a new kubelet goes on where the one before it was', () => {
  expect(rememberedHistory(0, 7)).toBeUndefined();
  expect([1, 2, 4, 20].map((attempt) => rememberedHistory(attempt, 7)?.delayMs)).toEqual([10_000, 20_000, 80_000, 300_000]);
  expect(rememberedHistory(20, 7, 15_000)).toEqual({ delayMs: 15_000, lastMs: 7 });
});
