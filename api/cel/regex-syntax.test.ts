import { expect, test } from 'vitest';
import { regexProblem } from './regex-syntax.ts';

test.each([
  '',
  '^[a-z]([-a-z0-9]*[a-z0-9])?$',
  '(?i)a(?s-i:b)|(?P<name>c)(?<other>d)',
  '[[:alpha:]_\\d\\pL-]',
  '[]a]',
  '\\p{Greek}\\p{^old_italic}\\PN\\p{Uppercase_Letter}',
  'x{2,5}?y{3,}{',
  '\\Q(\\E\\x{1F600}\\012\\_',
  '(?:a{100}){10}',
  '😀+',
  'a*(?i)*',
])('takes %s', (pattern) => expect(regexProblem(pattern)).toBeUndefined());

test.each([
  ['(', 'missing closing ): `(`'],
  ['a)', 'unexpected ): `a)`'],
  ['[a', 'missing closing ]: `[a`'],
  ['b[z-a]', 'invalid character class range: `z-a`'],
  ['[[:nope:]]', 'invalid character class range: `[:nope:]`'],
  ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['*a', 'missing argument to repetition operator: `*`'],
  ['(|+)', 'missing argument to repetition operator: `+`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['(?:a{100}){11}', 'invalid repeat count: `{11}`'],
  ['a{5,2}', 'invalid repeat count: `{5,2}`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?i-:a)', 'invalid or unsupported Perl syntax: `(?i-:`'],
  ['(?P<n-m>a)', 'invalid named capture: `(?P<n-m>`'],
  ['\\1', 'invalid escape sequence: `\\1`'],
  ['\\x{110000}', 'invalid escape sequence: `\\x{110000`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
])('refuses %s', (pattern, problem) => expect(regexProblem(pattern)).toBe(`error parsing regexp: ${problem}`));

test('limits depth and size', () => {
  const deep = `${'('.repeat(1_001)}${')'.repeat(1_001)}`;
  expect(regexProblem(deep)).toBe(`error parsing regexp: expression nests too deeply: \`${deep}\``);
  expect(regexProblem(`${'(?:'.repeat(2_000)}${')'.repeat(2_000)}`)).toBeUndefined();
  expect(regexProblem(`(?:${'a'.repeat(9_000)}){1000}`)).toMatch(/^error parsing regexp: expression too large: /);
});
