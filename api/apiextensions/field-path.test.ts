import { expect, test } from 'vitest';
import { findField } from './field-path.ts';

const leaf = { type: 'string' };
const root = { type: 'object', properties: { "it's": leaf, 'a\tb': leaf, 'a\\b': leaf, m: { additionalProperties: leaf } } };

test.each<[string, unknown]>([
  ["['it\\'s']", leaf],
  ["['a\\tb']", leaf],
  ["['a\\\\b']", leaf],
  [".m['\\n']", leaf],
  ["['a\\xb']", 'invalid string literal: invalid escape char \\x'],
  ["['tb']", 'does not refer to a valid field'],
  ['[m]', 'expected single quoted string but got m'],
])('keys in brackets are written as literals: %s', (path, expected) => {
  expect(findField(root, path, 'allowed')).toEqual(expected);
});
