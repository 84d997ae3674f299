import { describe, expect, test } from 'vitest';
import { parseType } from '../declarations.ts';
import { standardLibrary } from '../standard-library.ts';
import { bindingLibrary } from './bindings.ts';
import { jsonPatchLibrary } from './json-patch.ts';
import { kubernetesLibraries } from './kubernetes-base.ts';

const libraries = kubernetesLibraries();
const functions = libraries.flatMap((library) => library.functions);

function overloadsOf(name: string): string[] {
  return functions.filter((declared) => declared.name === name).flatMap(({ overloads }) => overloads.map(({ id }) => id));
}

describe("Kubernetes' functions", () => {
  test('are as many as upstream has, each overload once', () => {
    const ids = functions.flatMap(({ name, overloads }) => overloads.map(({ id }) => `${name} ${id}`));
    const names = new Set(functions.map(({ name }) => name));
    expect([names.size, ids.length, new Set(ids).size]).toEqual([112, 177, 177]);
  });

  test('have no overload of the standard library', () => {
    const standard = new Set(standardLibrary().functions.flatMap(({ overloads }) => overloads.map(({ id }) => id)));
    expect(functions.flatMap(({ overloads }) => overloads.map(({ id }) => id)).filter((id) => standard.has(id))).toEqual([]);
  });

  test.each([
    ['indexOf', ['list_a_index_of_int', 'string_index_of_string', 'string_index_of_string_int']],
    ['compareTo', ['quantity_compare_to', 'semver_compare_to']],
    ['ip', ['string_to_ip', 'cidr_ip']],
    ['string', ['ip_to_string', 'cidr_to_string']],
    ['reverse', ['list_reverse']],
    ['check', ['pathcheck_check', 'resourcecheck_check']],
    ['format.uuid', ['format.uuid']],
    ['sum', ['list_int_sum_int', 'list_uint_sum_uint', 'list_double_sum_double', 'list_duration_sum_duration']],
  ])('%s is tried in the order of the libraries', (name, ids) => {
    expect(overloadsOf(name)).toEqual(ids);
  });

  test('know their types', () => {
    const [overload] = functions.find(({ name }) => name === 'cidr')?.overloads ?? [];
    expect(overload).toEqual({ id: 'string_to_cidr', isMember: false, parameters: [{ kind: 'string' }], result: parseType('net.CIDR()') });
    const sorted = functions.find(({ name }) => name === 'sort')?.overloads.map(({ result }) => result);
    expect(sorted?.slice(4, 6)).toEqual([parseType('list(duration)'), parseType('list(timestamp)')]);
  });

  test('come with names of types', () => {
    const variables = libraries.flatMap((library) => library.variables).map(({ name, type }) => [name, type]);
    expect(variables).toEqual([
      ['optional_type', parseType('type(optional_type(dyn))')],
      ['net.IP', parseType('type(net.IP())')],
      ['net.CIDR', parseType('type(net.CIDR())')],
    ]);
  });

  test('come with macros', () => {
    const macros = libraries.flatMap(({ macros = [] }) => macros).map(({ name, args }) => `${name}/${args}`);
    expect(macros.join(' ')).toBe(
      'optMap/2 optFlatMap/2 all/3 exists/3 existsOne/3 exists_one/3 transformList/3 transformList/4 ' +
        'transformMap/3 transformMap/4 transformMapEntry/3 transformMapEntry/4 sortBy/2',
    );
  });
});

test('libraries that only some expressions have', () => {
  expect(bindingLibrary().macros?.map(({ name }) => name)).toEqual(['bind']);
  expect(jsonPatchLibrary().functions.map(({ name }) => name)).toEqual(['jsonpatch.escapeKey']);
});
