import { expect, test } from 'vitest';
import { Problems } from './problems.ts';
import { Seen } from './seen.ts';
import { Warnings } from './warnings.ts';

const texts = (problems: Problems): string[] => problems.found.map(({ field, message }) => `${field}: ${message}`);

test('paths name members, items and entries, and lead back', () => {
  const at = new Problems('spec');
  const paths: string[] = [];
  const note = (value: unknown, own: Problems): void => void paths.push(`${own.path()}=${String(value)} ${own.path('x')}`);
  at.member('a', 1, note);
  at.member('b', undefined, note);
  at.each('list', ['p', 'q'], (value, item) => item.member('c', value, note));
  at.each('none', undefined, note);
  at.entries('map', { 'example.com/k': 'v' }, note);
  paths.push(at.path());
  expect(paths).toEqual([
    'spec.a=1 spec.a.x',
    'spec.list[0].c=p spec.list[0].c.x',
    'spec.list[1].c=q spec.list[1].c.x',
    'spec.map[example.com/k]=v spec.map[example.com/k].x',
    'spec',
  ]);
});

test('paths of what is around the value at hand', () => {
  const at = new Problems('spec');
  const paths: string[] = [];
  at.each('list', [1], (_value, item) =>
    item.member('m', 1, (_one, own) => paths.push(own.path('', 1), own.path('x', 2), own.path('x', 3))),
  );
  expect(paths).toEqual(['spec.list[0]', 'spec.list.x', 'spec.x']);
});

test('rules get what else they look at, the place in the list and the key', () => {
  const at = new Problems('spec');
  const got: unknown[] = [];
  at.each('list', ['a', 'b'], (value, _own, context, index) => got.push([value, context, index]), 7);
  at.entries('map', { k: 'c' }, (value, _own, context, key) => got.push([value, context, key]), 8);
  at.member('m', 'd', (value, _own, context) => got.push([value, context]), 9);
  expect(got).toEqual([
    ['a', 7, 0],
    ['b', 7, 1],
    ['c', 8, 'k'],
    ['d', 9],
  ]);
});

test.each<[string, (at: Problems) => void, string[]]>([
  ['required', (at) => at.required('a', 'because'), ['spec.a: Required value: because']],
  ['the value itself', (at) => at.required(''), ['spec: Required value']],
  ['invalid', (at) => at.invalid('a', 'x', 'must be y'), ['spec.a: Invalid value: "x": must be y']],
  ['invalid for each reason', (at) => at.invalidEach('a', 1, ['p', 'q']), ['spec.a: Invalid value: 1: p', 'spec.a: Invalid value: 1: q']],
  ['forbidden', (at) => at.forbidden('a', 'no'), ['spec.a: Forbidden: no']],
  ['duplicate', (at) => at.duplicate('a', 'x'), ['spec.a: Duplicate value: "x"']],
  ['not found', (at) => at.notFound('a', 'x'), ['spec.a: Not found: "x"']],
  ['one of', (at) => at.oneOf('a', 'x', ['x']), []],
  ['one of, missing', (at) => at.oneOf('a', undefined, ['x']), ['spec.a: Required value']],
  ['one of, empty', (at) => at.oneOf('a', '', ['x']), ['spec.a: Required value']],
  ['one of others', (at) => at.oneOf('a', 'y', ['x']), ['spec.a: Unsupported value: "y": supported values: "x"']],
  ['one of, if set', (at) => at.oneOfIfSet('a', undefined, ['x']), []],
  ['one of others, if set', (at) => at.oneOfIfSet('a', '', ['x']), ['spec.a: Unsupported value: "": supported values: "x"']],
  ['not negative', (at) => at.notNegative('a', 0), []],
  ['negative', (at) => at.notNegative('a', -1), ['spec.a: Invalid value: -1: must be greater than or equal to 0']],
  ['port', (at) => at.port('a', 80), []],
  ['no port', (at) => at.port('a', undefined), ['spec.a: Invalid value: 0: must be between 1 and 65535, inclusive']],
  ['named port', (at) => at.port('a', '80'), ['spec.a: Invalid value: "80": must contain at least one letter (a-z)']],
])('words of problems: %s', (_name, check, expected) => {
  const at = new Problems('spec');
  check(at);
  expect(texts(at)).toEqual(expected);
});

test('warnings say where, too', () => {
  const warnings = Warnings.of('spec', { list: ['a'] }, ({ list }, at) => at.each('list', list, (value, own) => own.warn('x', value)));
  expect(warnings).toEqual(['spec.list[0].x: a']);
});

test.each([1, 2, 20])('%i names are seen once', (count) => {
  const seen = new Seen();
  const names = Array.from({ length: count }, (_, at) => (at === 0 ? '' : `name-${at}`));
  expect(names.map((name) => seen.has(name) || !seen.add(name))).toEqual(names.map(() => false));
  expect(names.map((name) => seen.has(name) && !seen.add(name))).toEqual(names.map(() => true));
  expect(seen.has('other')).toBe(false);
});
