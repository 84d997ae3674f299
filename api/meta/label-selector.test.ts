import { expect, test } from 'vitest';
import { labelSelectorOf, mapSelectorOf, parseLabelSelector, selectNothing } from './label-selector.ts';

test.each([
  ['', {}, true],
  ['a=b', { a: 'b' }, true],
  ['a==b', { a: 'c' }, false],
  ['a!=b', {}, true],
  ['a!=b', { a: 'b' }, false],
  ['a', { a: '' }, true],
  ['!a', { a: '' }, false],
  ['!a', {}, true],
  ['a in (b, c),d', { a: 'c', d: '1' }, true],
  ['a in (b, c),d', { a: 'c' }, false],
  ['a notin (b)', {}, true],
  ['a notin (b)', { a: 'b' }, false],
  ['a in ()', { a: '' }, true],
  ['a in (,)', { a: '' }, true],
  ['a=', { a: '' }, true],
  ['n>3', { n: '10' }, true],
  ['n<3', { n: '10' }, false],
  ['n>3', { n: 'x' }, false],
  ['constructor', {}, false],
  ['a in (in, notin)', { a: 'notin' }, true],
] as const)('%s matches %j: %s', (text, labels, expected) => {
  expect(parseLabelSelector(text).matches(labels as Record<string, string>)).toBe(expected);
});

const nameText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

test.each([
  ['a,', "found '', expected: identifier after ','"],
  [',a', "found ',', expected: !, identifier, or 'end of string'"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['@=b', `unable to parse requirement: <nil>: Invalid value: "@": ${nameText}`],
  [
    'a=b@',
    "unable to parse requirement: values[0][a]: Invalid value: \"b@\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  ],
  ['n>x', "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"],
])('%s is refused', (text, message) => {
  let said = '';
  try {
    parseLabelSelector(text);
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said).toBe(message);
});

test('objects become selectors', () => {
  const selector = labelSelectorOf({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['b', 'a'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  expect(selector.matches({ app: 'web', tier: 'a' })).toBe(true);
  expect(selector.matches({ app: 'web', tier: 'a', old: '' })).toBe(false);
  expect(String(selector)).toBe('app=web,!old,tier in (a,b)');
  expect(labelSelectorOf({}).matches({})).toBe(true);
  expect(labelSelectorOf(undefined)).toBe(selectNothing);
  expect(selectNothing.matches({})).toBe(false);
  expect(() => labelSelectorOf({ matchExpressions: [{ key: 'a', operator: 'Is' }] })).toThrow(
    '"Is" is not a valid label selector operator',
  );
  expect(mapSelectorOf({ app: 'web' }).matches({ app: 'web', x: 'y' })).toBe(true);
});

test('the text form reads back the same', () => {
  for (const text of ['a=b', 'a==b', 'a!=b', 'a', '!a', 'a in (b,c)', 'a notin (b,c)', 'a>1', 'a<1']) {
    expect(String(parseLabelSelector(text))).toBe(text);
  }
});
