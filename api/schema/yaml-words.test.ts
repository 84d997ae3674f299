import { parseDocument } from 'yaml';
import { expect, test } from 'vitest';
import { yamlProblem } from './yaml-words.ts';

const key = 'did not find expected key';
const start = 'found character that cannot start any token';
const mapping = 'mapping values are not allowed in this context';

// Words and lines as libyaml gives them for the same texts.
test.each([
  ['a: b: c', mapping],
  ['a: b\n c: d\n', `line 2: ${mapping}`],
  ['kind: Pod\nmetadata:\n  name: a\n   labels: b', `line 4: ${mapping}`],
  ['a\nb: c', `line 2: ${mapping}`],
  ['\ta: b', start],
  ['a:\n\t- b', `line 2: ${start}`],
  ['a: @x', start],
  ['a: b\nc: `x', `line 2: ${start}`],
  ['a: "\\q"', 'found unknown escape character'],
  ['a: "x', 'found unexpected end of stream'],
  ['[1, 2', "did not find expected ',' or ']'"],
  ['{a: 1', "did not find expected ',' or '}'"],
  ['key: [a, b\nother: c', "line 1: did not find expected ',' or ']'"],
  ['a:\n  b: 1\n c: 2', `line 2: ${key}`],
  ['kind: Pod\nmetadata:\n  name: a\n labels: b', `line 3: ${key}`],
  ['a: b\n- c', `line 1: ${key}`],
  ['a: {b: 1}}', key],
  ['a: b\nc', "line 2: could not find expected ':'"],
  ['%FOO\na: b', 'line 1: did not find expected <document start>'],
])('%j: %s', (text, expected) => {
  const [error] = parseDocument(text, { prettyErrors: false }).errors;
  expect(error && yamlProblem(error, text)).toBe(`yaml: ${expected}`);
});

test('what has no counterpart keeps its own words, with the line that people count', () => {
  const problem = { code: 'IMPOSSIBLE' as const, message: 'Odd at line 2, column 1:\n\nx', pos: [3, 4] as [number, number] };
  expect(yamlProblem(problem, 'a:\nb')).toBe('yaml: line 2: Odd');
});
