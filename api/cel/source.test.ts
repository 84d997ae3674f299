import { describe, expect, test } from 'vitest';
import type { CelProblem } from './ast.ts';
import { showProblems, Source } from './source.ts';

const shown = (text: string, ...problems: CelProblem[]): string[] => showProblems(new Source(text), problems).split('\n');

describe('places', () => {
  test.each([
    [0, { line: 1, column: 0 }],
    [2, { line: 1, column: 2 }],
    [3, { line: 2, column: 0 }],
    [4, { line: 3, column: 0 }],
    [9, { line: 3, column: 5 }],
  ])('at %i', (offset, place) => {
    expect(new Source('ab\n\ncd').locate(offset)).toEqual(place);
  });

  test('count code points', () => {
    const source = new Source('😀\n😀x');
    expect([source.length, source.at(0), source.at(3), source.slice(1, 4), source.line(2)]).toEqual([4, '😀', 'x', '\n😀x', '😀x']);
  });
});

describe('problems', () => {
  test('are shown with their line and a pointer', () => {
    expect(shown('a &&\n\tb c', { at: 8, message: 'what is c' })).toEqual(['ERROR: <input>:2:4: what is c', ' |  b c', ' | ...^']);
  });

  test('have wide pointers below what is not ASCII', () => {
    expect(shown('é + ü', { at: 2, message: 'm' }).at(-1)).toBe(' | ．.^');
    expect(shown('é + ü', { at: 4, message: 'm' }).at(-1)).toBe(' | ．...＾');
  });

  test('are sorted by place, those without one first', () => {
    const heads = shown('ab', { at: 1, message: 'second' }, { at: undefined, message: 'whole' }, { at: 0, message: 'first' });
    expect(heads.filter((line) => line.startsWith('ERROR'))).toEqual([
      'ERROR: <input>:-1:0: whole',
      'ERROR: <input>:1:1: first',
      'ERROR: <input>:1:2: second',
    ]);
  });

  test('past a hundred are counted', () => {
    const many = Array.from({ length: 102 }, (_, at) => ({ at, message: 'm' }));
    const lines = shown('x'.repeat(102), ...many);
    expect([lines.length, lines.at(-1)]).toEqual([301, '2 more errors were truncated']);
  });

  test('of an empty text and of a very long line stand alone', () => {
    expect(shown('', { at: 0, message: 'm' })).toEqual(['ERROR: <input>:1:0: m']);
    expect(shown('é'.repeat(8193), { at: 1, message: 'm' })).toEqual(['ERROR: <input>:1:2: m']);
    expect(shown('é'.repeat(8192), { at: 1, message: 'm' })).toHaveLength(3);
  });

  test('before the text point at its beginning', () => {
    expect(shown('é.', { at: -1, message: 'm' })).toEqual(['ERROR: <input>:1:0: m', ' | é.', ' | ＾']);
  });

  test('at the end point behind the last character', () => {
    expect(shown('a +', { at: 3, message: 'm' }).at(-1)).toBe(' | ...^');
  });
});
