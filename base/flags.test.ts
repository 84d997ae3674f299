import { expect, it } from 'vitest';
import { boolFlag, durationFlag, gatesFlag, helpText, intFlag, parseFlags } from './flags.ts';

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

it.each<[string, Record<string, string> | string]>([
  ['A=true,B=F, kube:C = 1', { A: 'true', B: 'F', 'kube:C': '1' }],
  ['A=true,A=false,', { A: 'false' }],
  ['A', 'missing bool value for A'],
  ['A=yes', 'invalid value of A=yes, err: strconv.ParseBool: parsing "yes": invalid syntax'],
])('takes gates that are on or off: %s', (text, expected) => {
  const parse = () => parseFlags('x', { gates: gatesFlag('Gates') }, ['--gates', text]).values.gates;
  if (typeof expected === 'string') expect(parse).toThrow(`for --gates: ${expected}`);
  else expect(parse()).toEqual(expected);
});
