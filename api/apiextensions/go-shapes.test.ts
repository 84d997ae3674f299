import { expect, test } from 'vitest';
import { createProblems } from '../testing.ts';
import { customResourceDefinition as crd } from './custom-resource-definition.ts';
import { goSchema } from './go-shapes.ts';
import type { JsonSchema } from './json-schema.ts';

const definition = (versions: string): string =>
  `metadata: {name: widgets.acme.io}\nspec: {group: acme.io, scope: Namespaced, names: {plural: widgets, kind: Widget}, versions: [${versions}]}`;

/** What a schema's form holds besides what every form holds. */
function told(schema: JsonSchema): Record<string, unknown> {
  const empty = goSchema({});
  return Object.fromEntries(
    Object.entries(goSchema(schema)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(empty[name])),
  );
}

test('versions are shown without what they have alike', () => {
  const version = (name: string, more: string): string =>
    `{name: ${name}, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}, ${more}}`;
  const alike = '"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null';
  const text = 'must have exactly one version marked as storage version';
  expect(createProblems(crd, definition(version('v1', 'subresources: {status: {}}')))).toContain(
    `spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,${alike}}]: ${text}`,
  );
  const columns = 'additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]';
  const scale = 'subresources: {scale: {specReplicasPath: .spec.r, statusReplicasPath: .status.r}}';
  const [problem = ''] = createProblems(crd, definition(`${version('v1', columns)}, ${version('v2', `deprecated: true, ${scale}`)}`));
  expect(problem).toBe(
    [
      'spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null',
      '"AdditionalPrinterColumns":[{"Name":"Size","Type":"integer","Format":"","Description":"","Priority":0,"JSONPath":".spec.size"}],"SelectableFields":null}',
      '{"Name":"v2","Served":true,"Storage":false,"Deprecated":true,"DeprecationWarning":null,"Schema":null',
      '"Subresources":{"Status":null,"Scale":{"SpecReplicasPath":".spec.r","StatusReplicasPath":".status.r","LabelSelectorPath":null}}',
      `"AdditionalPrinterColumns":null,"SelectableFields":null}]: ${text}`,
    ].join(','),
  );
});

test('schemas that differ are shown whole', () => {
  const version = (name: string, type: string): string =>
    `{name: ${name}, served: true, storage: true, schema: {openAPIV3Schema: {type: ${type}}}}`;
  const problems = createProblems(crd, definition(`${version('v1', 'object')}, ${version('v2', 'array')}`));
  expect(problems.find((problem) => problem.startsWith('spec.versions:'))).toContain(
    `"Schema":${JSON.stringify({ OpenAPIV3Schema: { ...goSchema({}), Type: 'object' } })}`,
  );
});

test.each<[JsonSchema, Record<string, unknown>]>([
  [
    { $ref: '#/a', nullable: true, default: { b: 1 }, maximum: 0, enum: ['a'] },
    { Ref: '#/a', Nullable: true, Default: { b: 1 }, Maximum: 0, Enum: ['a'] },
  ],
  [{ items: { type: 'string' } }, { Items: { Schema: { ...goSchema({}), Type: 'string' }, JSONSchemas: null } }],
  [{ items: [{ type: 'string' }] }, { Items: { Schema: null, JSONSchemas: [{ ...goSchema({}), Type: 'string' }] } }],
  [{ additionalProperties: false }, { AdditionalProperties: { Allows: false, Schema: null } }],
  [{ additionalProperties: {} }, { AdditionalProperties: { Allows: true, Schema: goSchema({}) } }],
  [
    { dependencies: { b: ['c'], a: {} } },
    { Dependencies: { a: { Schema: goSchema({}), Property: null }, b: { Schema: null, Property: ['c'] } } },
  ],
  [{ externalDocs: { url: 'u' } }, { ExternalDocs: { Description: '', URL: 'u' } }],
  [
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-validations': [{ rule: 'self' }] },
    {
      XListType: 'map',
      XValidations: [{ Rule: 'self', Message: '', MessageExpression: '', Reason: null, FieldPath: '', OptionalOldSelf: null }],
    },
  ],
])('%j', (schema, expected) => expect(told(schema)).toEqual(expected));

test('maps are in order, and depth is no matter', () => {
  expect(Object.keys(goSchema({ properties: { b: {}, a: {} } })['Properties'] as object)).toEqual(['a', 'b']);
  let deep: JsonSchema = {};
  for (let level = 0; level < 20_000; level++) deep = { not: deep };
  expect(goSchema(deep)['Not']).toBeTypeOf('object');
});
