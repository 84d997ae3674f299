import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonError, parseJson } from './json.ts';
import { NumberText } from './json-parser.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const parse = (text: string): unknown => parseJson(bytes(text)).value;

describe('parseJson', () => {
  test.each<[string, string]>([
    ['', 'unexpected end of JSON input'],
    ['   ', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['[1', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['tru', 'unexpected end of JSON input'],
    ['1e', 'unexpected end of JSON input'],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['01', "invalid character '1' after top-level value"],
    ['[1.]', "invalid character ']' after decimal point in numeric literal"],
    ['[1ex]', "invalid character 'x' in exponent of numeric literal"],
    ['[1e+]', "invalid character ']' in exponent of numeric literal"],
    ['[-x]', "invalid character 'x' in numeric literal"],
    ['[trux]', "invalid character 'x' in literal true (expecting 'e')"],
    ['[nul]', "invalid character ']' in literal null (expecting 'l')"],
    ['["\\x"]', "invalid character 'x' in string escape code"],
    ['["\\u12g4"]', "invalid character 'g' in \\u hexadecimal character escape"],
    ['["a\nb"]', "invalid character '\\n' in string literal"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    ["'", "invalid character '\\'' looking for beginning of value"],
  ])('words the fault in %j as Go does', (text, message) => {
    expect(() => parse(text)).toThrow(new JsonError(message));
  });

  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('never fails in another way than by JsonError, nor takes what JSON.parse refuses', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'a',
      '1',
      '-',
      '.',
      'e',
      '+',
      'true',
      'null',
      ' ',
      '"k":',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let expected: unknown;
        let isValid = true;
        try {
          expected = JSON.parse(text);
        } catch {
          isValid = false;
        }
        if (isValid) expect(JSON.stringify(parse(text))).toBe(JSON.stringify(expected));
        else expect(() => parse(text)).toThrow(JsonError);
      }),
      { numRuns: 2_000 },
    );
  });

  test('finds duplicate keys and keeps the last value', () => {
    const { value, duplicates } = parseJson(bytes('{"a":1,"b":{"x":1,"x":2,"x":3},"a":{"y":1}}'));
    expect(value).toEqual({ a: { y: 1 }, b: { x: 3 } });
    expect([...(duplicates ?? [])].map(([, members]) => members)).toEqual([
      [
        ['x', 1],
        ['x', 2],
        ['x', 3],
      ],
      [
        ['a', 1],
        ['b', { x: 3 }],
        ['a', { y: 1 }],
      ],
    ]);
  });

  test('a key written in two ways is one key', () => {
    expect(parseJson(bytes('{"a":1,"\\u0061":2}')).duplicates?.size).toBe(1);
  });

  test('__proto__ and the like are data', () => {
    for (const text of ['{"__proto__":{"x":1},"constructor":1}', '{"__proto__":{"x":1},"constructor":1.5,"__proto__":{"x":2}}']) {
      const value = parse(text) as object;
      expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });

  test('keeps the text of numbers that a double may not hold as written', () => {
    const value = parse('[1.0, 12345678901234567890, 1e3, 5]') as unknown[];
    expect(value.map((item) => (item instanceof NumberText ? item.text : item))).toEqual(['1.0', '12345678901234567890', '1e3', 5]);
    expect(JSON.stringify(value)).toBe('[1,12345678901234567890,1000,5]');
  });

  test('takes 10,000 levels and refuses more', () => {
    expect(() => parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)).not.toThrow();
    expect(() => parse(`${'['.repeat(10_001)}${']'.repeat(10_001)}`)).toThrow(new JsonError("invalid character '[' exceeded max depth"));
    expect(() => parse('{"a":'.repeat(1_000_000))).toThrow(JsonError);
  });
});
