// The inner types of apiextensions.k8s.io as messages show them (apiextensions-apiserver/pkg/apis/apiextensions/types*.go).
import { type GoStruct, goTree } from '../meta/go-form.ts';
import { type JsonSchema, schemaIn } from './json-schema.ts';
import type { Shared, Version } from './versions.ts';

type Form = Record<string, unknown>;
/** Makes room for the form of a schema, which is written there later: nothing recurses, however deep a tree is. */
type Begin = (schema: JsonSchema) => Form;
type Show = (value: unknown, begin: Begin) => unknown;

const column: GoStruct = { Name: '', Type: '', Format: '', Description: '', Priority: 0, JSONPath: '' };
const selectable: GoStruct = { JSONPath: '' };
const scale: GoStruct = { SpecReplicasPath: '', StatusReplicasPath: '', LabelSelectorPath: null };
const rule: GoStruct = { Rule: '', Message: '', MessageExpression: '', Reason: null, FieldPath: '', OptionalOldSelf: null };
const docs: GoStruct = { Description: '', URL: '' };

const text: Show = (value) => value ?? '';
const flag: Show = (value) => value ?? false;
const pointer: Show = (value) => value ?? null;
const one: Show = (value, begin) => some(schemaIn(value), begin);
const each: Show = (value, begin) => (Array.isArray(value) ? value.map((item) => begin(schemaIn(item) ?? {})) : null);
const orArray: Show = (value, begin) => some(value, () => ({ Schema: one(value, begin), JSONSchemas: each(value, begin) }));
const orBool: Show = (value, begin) => some(value, () => ({ Allows: value !== false, Schema: one(value, begin) }));
const orNames: Show = (value, begin) => ({ Schema: one(value, begin), Property: Array.isArray(value) ? value : null });
const map =
  (show: Show): Show =>
  (value, begin) =>
    some(schemaIn(value), (members) => Object.fromEntries(byKey(members).map(([key, item]) => [key, show(item, begin)])));

/** Members by Go's names in Go's order, with their names in a document. */
const schemaMembers: Readonly<Record<string, readonly [keyof JsonSchema, Show]>> = {
  ID: ['id', text],
  Schema: ['$schema', text],
  Ref: ['$ref', pointer],
  Description: ['description', text],
  Type: ['type', text],
  Nullable: ['nullable', flag],
  Format: ['format', text],
  Title: ['title', text],
  Default: ['default', pointer],
  Maximum: ['maximum', pointer],
  ExclusiveMaximum: ['exclusiveMaximum', flag],
  Minimum: ['minimum', pointer],
  ExclusiveMinimum: ['exclusiveMinimum', flag],
  MaxLength: ['maxLength', pointer],
  MinLength: ['minLength', pointer],
  Pattern: ['pattern', text],
  MaxItems: ['maxItems', pointer],
  MinItems: ['minItems', pointer],
  UniqueItems: ['uniqueItems', flag],
  MultipleOf: ['multipleOf', pointer],
  Enum: ['enum', pointer],
  MaxProperties: ['maxProperties', pointer],
  MinProperties: ['minProperties', pointer],
  Required: ['required', pointer],
  Items: ['items', orArray],
  AllOf: ['allOf', each],
  OneOf: ['oneOf', each],
  AnyOf: ['anyOf', each],
  Not: ['not', one],
  Properties: ['properties', map(one)],
  AdditionalProperties: ['additionalProperties', orBool],
  PatternProperties: ['patternProperties', map(one)],
  Dependencies: ['dependencies', map(orNames)],
  AdditionalItems: ['additionalItems', orBool],
  Definitions: ['definitions', map(one)],
  ExternalDocs: ['externalDocs', (value) => some(schemaIn(value), (there) => goTree(there, docs))],
  Example: ['example', pointer],
  XPreserveUnknownFields: ['x-kubernetes-preserve-unknown-fields', pointer],
  XEmbeddedResource: ['x-kubernetes-embedded-resource', flag],
  XIntOrString: ['x-kubernetes-int-or-string', flag],
  XListMapKeys: ['x-kubernetes-list-map-keys', pointer],
  XListType: ['x-kubernetes-list-type', pointer],
  XMapType: ['x-kubernetes-map-type', pointer],
  XValidations: ['x-kubernetes-validations', (value) => goList(value, rule)],
};

/** A schema as its inner type. */
export function goSchema(root: JsonSchema): Form {
  const waiting: { readonly schema: JsonSchema; readonly form: Form }[] = [];
  const begin: Begin = (schema) => {
    const form: Form = {};
    waiting.push({ schema, form });
    return form;
  };
  const answer = begin(root);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const [name, [wire, show]] of Object.entries(schemaMembers)) next.form[name] = show(next.schema[wire], begin);
  }
  return answer;
}

/** Versions as their inner type, without what all of them have alike: that stands beside them. */
export function goVersions(versions: readonly Version[], shared: Shared): Form[] {
  return versions.map((version) => ({
    Name: version.name ?? '',
    Served: version.served ?? false,
    Storage: version.storage ?? false,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: shared.schema
      ? null
      : some(version.schema, ({ openAPIV3Schema }) => ({ OpenAPIV3Schema: some<JsonSchema>(openAPIV3Schema, goSchema) })),
    Subresources: shared.subresources
      ? null
      : some(version.subresources, (there) => ({
          Status: some(there.status, () => ({})),
          Scale: some(there.scale, (value) => goTree(value, scale)),
        })),
    AdditionalPrinterColumns: shared.columns ? null : goList(version.additionalPrinterColumns, column),
    SelectableFields: shared.selectable ? null : goList(version.selectableFields, selectable),
  }));
}

function goList(value: unknown, struct: GoStruct): Form[] | null {
  return Array.isArray(value) ? value.map((item: object) => goTree(item, struct)) : null;
}

function some<T>(value: T | undefined, show: (value: T) => unknown): unknown {
  return value === undefined ? null : show(value);
}

/** Go writes maps by their keys. */
function byKey(map: object): [string, unknown][] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
