import { describe, expect, test } from 'vitest';
import { delayMs, planSupervision, type Seen } from './plan.ts';

const base: Seen = { name: 'kubelet', wanted: 'a', running: undefined, failures: 0, lastStartMs: undefined };

describe('planSupervision', () => {
  test.each<[string, Partial<Seen>, number, string[]]>([
    ['starts what never ran', {}, 0, ['start kubelet']],
    ['leaves what runs as wanted', { running: { command: 'a', startedMs: 0 } }, 5, []],
    ['replaces what runs another command', { running: { command: 'b', startedMs: 0 } }, 5, ['replace kubelet']],
    ['restarts at once what ended after a steady life', { lastStartMs: 1_000, failures: 0 }, 61_000, ['start kubelet']],
    ['waits after a first failure', { lastStartMs: 1_000, failures: 1 }, 1_249, []],
    ['tries again after the wait', { lastStartMs: 1_000, failures: 1 }, 1_250, ['start kubelet']],
    ['stops what nobody wants any more', { wanted: undefined, running: { command: 'a', startedMs: 0 } }, 5, ['stop kubelet']],
    ['forgets what nobody wants and is not there', { wanted: undefined, lastStartMs: 0 }, 5, []],
    ['waits longer after more failures', { lastStartMs: 1_000, failures: 4 }, 2_999, []],
  ])('%s', (_name, seen, nowMs, expected) => {
    expect(planSupervision([{ ...base, ...seen }], nowMs).map((step) => `${step.do} ${step.name}`)).toEqual(expected);
  });

  test('the wait grows to half a minute and no further', () => {
    expect([0, 1, 2, 3, 8, 40].map(delayMs)).toEqual([0, 250, 500, 1_000, 30_000, 30_000]);
  });
});
