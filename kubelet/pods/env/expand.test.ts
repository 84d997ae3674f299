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

  test.each<[text: string, expanded: string, missing?: string[]]>([
    ['foo', 'foo'],
    ['$(VAR_A)/bar', 'A/bar'],
    ['$(VAR_A)/$(C)/$(B)/$(C)', 'A/$(C)/$(B)/$(C)', ['B', 'C']],
    ['foo/$(VAR_EMPTY)', 'foo/', ['VAR_EMPTY']],
    ['$()', '$()', ['']],
    ['$(VAR_A$(VAR_EMPTY))', '$(VAR_A$(VAR_EMPTY))', ['VAR_A$(VAR_EMPTY']],
  ])('strict expansion of %s names what is missing or empty', (text, expanded, missing = []) => {
    expect(expandStrictly(text, (name) => values[name])).toEqual({ text: expanded, missing });
  });
});
