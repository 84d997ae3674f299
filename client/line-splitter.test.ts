import { describe, expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('LineSplitter', () => {
  test.each([
    { name: 'one whole line', chunks: ['{"a":1}\n'], lines: ['{"a":1}'] },
    { name: 'several lines in a chunk', chunks: ['a\nb\nc\n'], lines: ['a', 'b', 'c'] },
    { name: 'a line over three chunks', chunks: ['ab', 'cd', 'e\nf'], lines: ['abcde'] },
    { name: 'empty lines are left out', chunks: ['\n\na\n\n'], lines: ['a'] },
    { name: 'newline alone ends the line before', chunks: ['abc', '\n'], lines: ['abc'] },
  ])('$name', ({ chunks, lines }) => {
    const splitter = new LineSplitter(100);
    expect(chunks.flatMap((chunk) => splitter.push(bytes(chunk)))).toEqual(lines);
  });

  test('a character may be cut anywhere', () => {
    const whole = bytes('{"name":"Küste 🚣"}\n');
    for (let at = 0; at <= whole.length; at++) {
      const splitter = new LineSplitter(100);
      expect([...splitter.push(whole.subarray(0, at)), ...splitter.push(whole.subarray(at))]).toEqual(['{"name":"Küste 🚣"}']);
    }
  });

  test('a line over the limit is refused, also when it comes in parts', () => {
    const splitter = new LineSplitter(4);
    expect(splitter.push(bytes('abcd\n'))).toEqual(['abcd']);
    splitter.push(bytes('abc'));
    expect(() => splitter.push(bytes('de'))).toThrow('longer than 4 bytes');
  });
});
