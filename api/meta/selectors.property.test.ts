// Selectors as clients may write them: read, or refused in words; and what was read selects what it says.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFieldSelector } from './field-selector.ts';
import { SelectorError } from './label-requirement.ts';
import { parseLabelSelector } from './label-selector.ts';

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return undefined;
  }
}

const token = fc.constantFrom(
  'a',
  'b.c/d',
  'in',
  'notin',
  '(',
  ')',
  ',',
  '=',
  '==',
  '!=',
  '!',
  '>',
  '<',
  ' ',
  'x,y',
  '1',
  '\\',
  '\u0000',
  'ä',
);
const key = fc.constantFrom('a', 'b', 'example.com/c');
const value = fc.constantFrom('', '1', 'x', 'A.b-c_d');
const labels = fc.dictionary(key, value, { maxKeys: 3 });

describe('label selectors', () => {
  test('of any tokens and any text', () => {
    const any = fc.oneof(
      fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(any, labels, (text, some) => void tried(() => parseLabelSelector(text))?.matches(some)),
      { numRuns: 1_000 },
    );
  });

  test('a set of wanted labels selects what has them', () => {
    fc.assert(
      fc.property(labels, labels, (wanted, some) => {
        const text = Object.entries(wanted).map(([name, one]) => `${name}=${one}`);
        const expected = Object.entries(wanted).every(([name, one]) => some[name] === one);
        expect(parseLabelSelector(text.join(',')).matches(some)).toBe(expected);
        const lists = Object.entries(wanted).map(([name, one]) => `${name} in (${one}, other)`);
        expect(parseLabelSelector(lists.join(', ')).matches(some)).toBe(expected);
      }),
    );
  });

  test('long ones are read in one go', () => {
    const values = Array.from({ length: 50_000 }, (_, at) => `v${at}`).join(',');
    expect(parseLabelSelector(`a in (${values})`).matches({ a: 'v49999' })).toBe(true);
    expect(tried(() => parseLabelSelector('('.repeat(100_000)))).toBeUndefined();
    expect(tried(() => parseLabelSelector('a,'.repeat(100_000)))).toBeUndefined();
  });
});

describe('field selectors', () => {
  test('of any text', () => {
    const any = fc.oneof(
      fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(any, (text) => void tried(() => parseFieldSelector(text))),
      { numRuns: 1_000 },
    );
    expect(tried(() => parseFieldSelector('a=\\'.repeat(50_000)))).toBeUndefined();
  });
});
