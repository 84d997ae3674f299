import { expect, test } from 'vitest';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import { parseObject } from './decoded-objects.ts';

test.each([
  ['plain numbers', '{"a":1,"b":[-2,0.5,123456789012345]}'],
  ['more digits than a double has', '{"a":12345678901234567890,"b":[-9007199254740993,-0.1234567890123456]}'],
  ['a double with an exponent', '{"a":1e+21}'],
  ['numbers and exponents in texts', '{"a":":12345678901234567890","b":",1e5","c":"4e5f0000-0000-0000-0000-000000000000"}'],
])('what was stored with %s is written again as it was', (_name, text) => {
  expect(stringifyDeep(parseObject(Buffer.from(text)))).toBe(text);
});
