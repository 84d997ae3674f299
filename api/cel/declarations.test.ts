import { describe, expect, test } from 'vitest';
import { declareFunctions, parseType } from './declarations.ts';
import { standardLibrary } from './standard-library.ts';

describe('types', () => {
  test.each([
    ['int', { kind: 'int' }],
    ['list(A)', { kind: 'list', element: { kind: 'param', name: 'A' } }],
    ['map(string, list(dyn))', { kind: 'map', key: { kind: 'string' }, value: { kind: 'list', element: { kind: 'dyn' } } }],
    ['optional_type(V)', { kind: 'opaque', name: 'optional_type', parameters: [{ kind: 'param', name: 'V' }] }],
    ['net.IP()', { kind: 'opaque', name: 'net.IP', parameters: [] }],
    ['kubernetes.Quantity', { kind: 'object', name: 'kubernetes.Quantity' }],
    ['type', { kind: 'type', of: undefined }],
    ['type(int)', { kind: 'type', of: { kind: 'int' } }],
    ['wrapper(int)', { kind: 'wrapper', of: 'int' }],
  ])('%s', (text, type) => expect(parseType(text)).toEqual(type));

  test.each(['', 'list', 'list(int', 'int int', 'wrapper(null)'])('refuses %j', (text) => expect(() => parseType(text)).toThrow());
});

test('declares functions and members', () => {
  const string = { kind: 'string' };
  expect(
    declareFunctions(`
find
  string_find: string.(string, int) -> string
now
  now: () -> timestamp
`),
  ).toEqual([
    { name: 'find', overloads: [{ id: 'string_find', isMember: true, parameters: [string, string, { kind: 'int' }], result: string }] },
    { name: 'now', overloads: [{ id: 'now', isMember: false, parameters: [], result: { kind: 'timestamp' } }] },
  ]);
  expect(() => declareFunctions('  lonely: () -> int')).toThrow('without a function');
  expect(() => declareFunctions('f\n  f() int')).toThrow('not a declaration');
});

test('the standard library compares numbers across their types', () => {
  const { functions, variables } = standardLibrary();
  const ids = functions.flatMap(({ overloads }) => overloads.map(({ id }) => id));
  expect(ids.filter((id) => id.startsWith('less_equals')).length).toBe(14);
  expect(ids).toContain('greater_equals_uint64_double');
  expect(variables.find(({ name }) => name === 'null_type')).toEqual({ name: 'null_type', type: { kind: 'type', of: { kind: 'null' } } });
  // Equality, logic and containment have the one overload each that costs and messages refer to.
  expect(functions.find(({ name }) => name === '_==_')?.overloads.map(({ id }) => id)).toEqual(['equals']);
});
