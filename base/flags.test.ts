import { expect, it } from 'vitest';
import { boolFlag, durationFlag, helpText, intFlag } from './flags.ts';

it('writes the defaults of durations as they are given, and none where nothing is the default', () => {
  const flags = {
    wait: durationFlag(120_000, 'Waits'),
    delay: durationFlag(0, 'Delays'),
    port: intFlag(6443, 'Port'),
    on: boolFlag(false, 'On'),
  };
  expect(helpText('x', flags, '').trimEnd().split('\n').slice(4)).toEqual([
    '      --delay duration                       Delays',
    '      --on                                   On',
    '      --port int                             Port (default 6443)',
    '      --wait duration                        Waits (default 2m0s)',
  ]);
});
