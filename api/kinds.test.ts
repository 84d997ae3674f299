import { expect, test } from 'vitest';
import { builtinKinds } from './kinds.ts';
import { resourceText } from './meta/status.ts';
import { builtinSchemas } from './schema/schemas.ts';

test('kinds are listed once, groups by priority and resources by name', () => {
  const names = builtinKinds.map(({ group, version, names: { plural } }) => `${group}/${version}/${plural}`);
  expect(new Set(names).size).toBe(names.length);
  const groups = [...new Set(builtinKinds.map(({ group }) => group))];
  const expected = ['', 'apps', 'events.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io'];
  expect(groups.filter((group) => expected.includes(group))).toEqual(expected);
  for (const group of groups) {
    const plurals = builtinKinds.filter((kind) => kind.group === group).map(({ names: { plural } }) => plural);
    expect(plurals).toEqual(plurals.toSorted());
  }
});

test.each(builtinKinds.map((kind) => [resourceText({ group: kind.group, plural: kind.names.plural }), kind] as const))(
  '%s has a schema and sound columns',
  (_name, kind) => {
    expect(builtinSchemas().get(kind.schema).name).toBe(kind.schema);
    const columns = kind.columns?.map(({ name }) => name) ?? [];
    expect(new Set(columns).size).toBe(columns.length);
    expect(kind.storedAs === undefined).toBe(kind.toStored === undefined);
    expect(kind.storedAs === undefined).toBe(kind.fromStored === undefined);
  },
);
