import { expect, test } from 'vitest';
import { compareGroups } from './groups.ts';
import { builtinKinds } from './kinds.ts';
import { resourceText } from './meta/status.ts';
import { builtinSchemas } from './schema/schemas.ts';

const schemas = builtinSchemas();

test('kinds are listed once, groups by priority and resources by name', () => {
  const names = builtinKinds.map(({ group, version, names: { plural } }) => `${group}/${version}/${plural}`);
  expect(new Set(names).size).toBe(names.length);
  const groups = [...new Set(builtinKinds.map(({ group }) => group))];
  expect(groups).toEqual(groups.toSorted(compareGroups));
  for (const group of groups) {
    const plurals = builtinKinds.filter((kind) => kind.group === group).map(({ names: { plural } }) => plural);
    expect(plurals).toEqual(plurals.toSorted());
  }
});

test('deletions answer the object for the kinds for which they do upstream', () => {
  const upstream = [
    'persistentvolumeclaims',
    'persistentvolumes',
    'pods',
    'podtemplates',
    'resourcequotas',
    'serviceaccounts',
    'services',
    'csidrivers.storage.k8s.io',
    'csinodes.storage.k8s.io',
    'storageclasses.storage.k8s.io',
    'volumeattachments.storage.k8s.io',
    'volumeattributesclasses.storage.k8s.io',
    'deviceclasses.resource.k8s.io',
    'resourceclaims.resource.k8s.io',
    'resourceclaimtemplates.resource.k8s.io',
    'resourceslices.resource.k8s.io',
    'devicetaintrules.resource.k8s.io',
    'resourcepoolstatusrequests.resource.k8s.io',
  ];
  const nameOf = ({ group, names: { plural } }: (typeof builtinKinds)[number]): string => resourceText({ group, plural });
  const served = new Set(builtinKinds.map(nameOf));
  const flagged = builtinKinds.filter(({ answersDeleted }) => answersDeleted === true).map(nameOf);
  expect(flagged.toSorted()).toEqual(upstream.filter((name) => served.has(name)).toSorted());
});

test.each(builtinKinds.map((kind) => [resourceText({ group: kind.group, plural: kind.names.plural }), kind] as const))(
  '%s has a schema and sound columns',
  (_name, kind) => {
    expect(schemas.get(kind.schema).name).toBe(kind.schema);
    const columns = kind.columns?.map(({ name }) => name) ?? [];
    expect(new Set(columns).size).toBe(columns.length);
    for (const { name, description = schemas.columnText(kind.schema, name) } of kind.columns ?? []) {
      expect(description, name).not.toBe('');
    }
    expect(kind.storedAs === undefined).toBe(kind.toStored === undefined);
    expect(kind.storedAs === undefined).toBe(kind.fromStored === undefined);
  },
);
