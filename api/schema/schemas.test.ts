import { describe, expect, test } from 'vitest';
import { alwaysThere, pointerStrings, requiredPointers, valueScalars } from './facts-go.ts';
import { namedStrings } from './facts-string-types.ts';
import { atomicStructs, listFacts, mapTypeFacts } from './facts-lists.ts';
import { packageDefinitions } from './facts-names.ts';
import { specialReferences, unions } from './facts-special.ts';
import type { Property } from './schema.ts';
import { builtinSchemas } from './schemas.ts';

const schemas = builtinSchemas();

/** The property that a word of a table names. */
function propertyOf(name: string, word: string): Property | undefined {
  const at = word.indexOf('.');
  const definition = `${name}.${word.slice(0, at)}`;
  return schemas.has(definition) ? schemas.get(definition).properties[word.slice(at + 1)] : undefined;
}

function isRequired(name: string, word: string): boolean {
  const at = word.indexOf('.');
  return schemas.get(`${name}.${word.slice(0, at)}`).required.includes(word.slice(at + 1));
}

function* entriesOf(words: Readonly<Record<string, string>>): Iterable<[name: string, word: string]> {
  for (const [name, list] of Object.entries(words)) for (const word of list.trim().split(/\s+/)) yield [name, word];
}

describe('facts', () => {
  test('every definition can be built', () => {
    const names = [...entriesOf(packageDefinitions)].map(([name, kind]) => `${name}.${kind}`).filter((name) => schemas.has(name));
    expect(names.length).toBeGreaterThan(750);
    for (const name of names) expect(schemas.get(name).name).toBe(name);
  });

  test.each<[string, Readonly<Record<string, string>>[]]>([
    ['pointers and values', [pointerStrings, requiredPointers, valueScalars, alwaysThere]],
    ['named strings', Object.values(namedStrings)],
    ['lists', listFacts.map(({ of }) => of)],
    ['special types', Object.values(specialReferences)],
    ['maps', [mapTypeFacts.atomic, mapTypeFacts.granular]],
  ])('about %s name properties that exist', (_name, tables) => {
    for (const table of tables)
      for (const [name, word] of entriesOf(table)) expect(propertyOf(name, word), `${name} ${word}`).toBeDefined();
  });

  test('about structs name structs that exist', () => {
    for (const [name, word] of entriesOf(atomicStructs)) expect(schemas.get(`${name}.${word}`).mapType).toBe('atomic');
    for (const [name, { fields }] of Object.entries(unions))
      expect(Object.keys(schemas.get(name).properties)).toEqual(expect.arrayContaining(Object.keys(fields)));
  });

  test('fit the types that they are about', () => {
    for (const [name, word] of entriesOf(pointerStrings)) {
      expect([propertyOf(name, word)?.schema.type, isRequired(name, word)], word).toEqual(['string', false]);
    }
    for (const [name, word] of entriesOf(valueScalars)) {
      expect(['integer', 'boolean', 'number'], word).toContain(propertyOf(name, word)?.schema.type);
      expect(isRequired(name, word), word).toBe(false);
    }
    for (const [name, word] of entriesOf(requiredPointers)) expect(isRequired(name, word), word).toBe(true);
    for (const [name, word] of entriesOf(alwaysThere)) expect(isRequired(name, word), word).toBe(false);
    for (const { rules, of } of listFacts) {
      // Bytes are a list to Go.
      const wanted = rules.listType === undefined ? ['object', 'array'] : ['array', 'string'];
      for (const [name, word] of entriesOf(of)) expect(wanted, word).toContain(propertyOf(name, word)?.schema.type);
    }
  });
});

describe('SchemaSet', () => {
  test('types may hold themselves', () => {
    const props = schemas.get('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps');
    const { schema } = props.properties.properties as Property;
    expect(schema.type === 'map' && schema.values).toBe(props);
  });

  test('knows kinds by name and names by kind', () => {
    const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
    expect(schemas.find(scale)).toBe('io.k8s.api.autoscaling.v1.Scale');
    expect(schemas.kindOf('io.k8s.api.autoscaling.v1.Scale')).toEqual(scale);
    expect(schemas.find({ group: '', version: 'v1', kind: 'Status' })).toBe('io.k8s.apimachinery.pkg.apis.meta.v1.Status');
    expect(schemas.kindOf('io.k8s.api.core.v1.PodSpec')).toBeUndefined();
    expect(schemas.kindOf('io.k8s.api.core.v1.ObjectReference')).toBeUndefined();
    expect(schemas.find({ group: 'apps', version: 'v1', kind: 'Pod' })).toBeUndefined();
  });

  test.each(['', 'io.k8s.api.core.v1.Podd', '__proto__', 'constructor'])('refuses the name %j', (name) => {
    expect(schemas.has(name)).toBe(false);
    expect(() => schemas.get(name)).toThrow('no built-in type');
    expect(schemas.texts(name).text).toBeUndefined();
  });

  test('a list carries its merge rules', () => {
    expect(schemas.get('io.k8s.api.core.v1.PodSpec').properties.containers).toMatchObject({
      listType: 'map',
      mapKeys: ['name'],
      patchMergeKey: 'name',
      patchStrategy: 'merge',
      presence: 'fill',
    });
  });
});
