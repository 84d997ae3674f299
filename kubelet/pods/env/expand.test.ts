import { describe, expect, test } from 'vitest';
import { expand, expandStrictly } from './expand.ts';

const values: Readonly<Record<string, string>> = { VAR_A: 'A', VAR_REF: '$(VAR_A)', VAR_EMPTY: '' };

describe('expand', () => {
  test.each<[name: string, input: string, expected: string]>([
    ['whole text', '$(VAR_A)', 'A'],
    ['in the middle', 'foo-$(VAR_A)-bar', 'foo-A-bar'],
    ['value is not expanded again', '$(VAR_REF)', '$(VAR_A)'],
    ['empty value', 'x$(VAR_EMPTY)y', 'xy'],
    ['unknown stays', '$(NOPE)-$(VAR_A)', '$(NOPE)-A'],
    ['escaped reference', '$$(VAR_A)', '$(VAR_A)'],
    ['double dollars', 'a$$$$b', 'a$$b'],
    ['escaped then real', '$$$(VAR_A)', '$A'],
    ['shell style is not ours', '$VAR_A', '$VAR_A'],
    ['unclosed', '$(VAR_A', '$(VAR_A'],
    ['dollar at the end', 'cost: 5$', 'cost: 5$'],
    ['nested parentheses end at the first', '$(VAR_A))', 'A)'],
    ['empty name', '$()', '$()'],
  ])('%s', (_, input, expected) => {
    expect(expand(input, (name) => values[name])).toBe(expected);
  });

  test('strict expansion names what is missing', () => {
    expect(expandStrictly('$(VAR_A)/$(B)/$(C)', (name) => values[name])).toEqual({ text: 'A/$(B)/$(C)', missing: ['B', 'C'] });
  });
});
