// What a schema of a custom resource may say (apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go). Expressions
// (x-kubernetes-validations) and patterns are not compiled, default values are not held against their schemas.
import { oneOfIfSet } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { findField } from './field-path.ts';
import { goSchema } from './go-shapes.ts';
import { type Child, childrenIn, childrenOf, type JsonSchema, judgements, oneChild, schemaIn } from './json-schema.ts';

interface Node {
  readonly schema: JsonSchema;
  readonly path: string;
  readonly isRoot: boolean;
  /** Describes metadata, kind or apiVersion of an object. */
  readonly isInsideMeta: boolean;
  /** Why defaults are not allowed here; undefined where they are. */
  readonly noDefaults: string | undefined;
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const metaFields = ['metadata', 'kind', 'apiVersion'];
/** Members that no schema may have, as long as they hold something. */
const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const;
const lineBreak = /[\n\r]/;

/** All rules but those about structure. */
export function validateSchema(root: JsonSchema, rootPath: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const waiting: Node[] = [{ schema: root, path: rootPath, isRoot: true, isInsideMeta: false, noDefaults: undefined }];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    problems.push(...validateNode(node));
    waiting.push(...below(node).toReversed());
  }
  return problems;
}

function below(node: Node): Node[] {
  const { schema, path, isRoot, isInsideMeta, noDefaults } = node;
  const at = ({ schema: own, step }: Child): Node => ({ schema: own, path: `${path}${step}`, isRoot: false, isInsideMeta, noDefaults });
  const mapDefaults = isInsideMeta ? 'inside additionalProperties applying to object metadata' : noDefaults;
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  const properties = Object.entries(schemaIn(schema.properties) ?? {}).flatMap(([name, value]) => {
    const isMeta = isObject && metaFields.includes(name);
    return oneChild(value, `.properties[${name}]`).map((child) => ({
      ...at(child),
      isInsideMeta: isInsideMeta || isMeta,
      noDefaults: isMeta && isRoot ? `in top-level ${name}` : noDefaults,
    }));
  });
  return [
    ...oneChild(schema.additionalProperties, '.additionalProperties').map((child) => ({ ...at(child), noDefaults: mapDefaults })),
    ...properties,
    ...judgements(schema).map(at),
    ...childrenIn(schema.definitions, '.definitions').map(at),
    ...oneChild(schema.items, '.items').map(at),
    ...childrenOf(schema.items, '.items').map(at),
    ...childrenIn(schema.dependencies, '.dependencies').map(at),
  ];
}

function validateNode(node: Node): FieldProblem[] {
  const { schema, path } = node;
  const problems = validateStandard(node);
  if (schema.uniqueItems === true) {
    const text = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    problems.push(forbiddenField(`${path}.uniqueItems`, text));
  }
  const hasProperties = Object.keys(schema.properties ?? {}).length > 0;
  if (hasProperties && schema.additionalProperties !== undefined && schema.additionalProperties !== true) {
    problems.push(forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    problems.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  return [...problems, ...validateMapType(schema, path), ...validateListType(schema, path), ...validateExpressions(schema, path)];
}

/** What the standard has and custom resources do not. */
function validateStandard({ schema, path, isInsideMeta, noDefaults }: Node): FieldProblem[] {
  const { type = '', items } = schema;
  const problems: FieldProblem[] = [];
  if (type !== '' && !types.includes(type)) problems.push(notSupported(`${path}.type`, type, types));
  if (schema.default !== undefined && schema.default !== null && noDefaults !== undefined) {
    problems.push(forbiddenField(`${path}.default`, `must not be set ${noDefaults}`));
  }
  for (const name of unsupported) {
    if (isUsed(schema[name])) problems.push(forbiddenField(`${path}.${name}`, `${name} is not supported`));
  }
  if (type === 'null') problems.push(forbiddenField(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(items) && items.length > 0) {
    problems.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (isInsideMeta && schema['x-kubernetes-embedded-resource'] === true) {
    problems.push(forbiddenField(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  }
  return problems;
}

function isUsed(value: unknown): boolean {
  const map = schemaIn(value);
  return map === undefined ? value !== undefined && value !== '' && value !== null : Object.keys(map).length > 0;
}

/** Why no structure can be made of a schema; undefined where it can. Mostly said by the rules already. */
export function unstructurable(schemas: Iterable<JsonSchema>): string | undefined {
  for (const schema of schemas) {
    const found = unsupported.find((name) => isUsed(schema[name]));
    if (found !== undefined) return `OpenAPIV3Schema '${found}' is not supported`;
    if (schema.$schema) return "OpenAPIV3Schema 'schema' is not supported";
    if (Array.isArray(schema.items) && schema.items.length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  }
  return undefined;
}

function validateMapType(schema: JsonSchema, path: string): FieldProblem[] {
  const mapType = schema['x-kubernetes-map-type'];
  const problems = requireType(schema, 'object', mapType, 'x-kubernetes-map-type', path);
  return [...problems, ...oneOfIfSet(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular'])];
}

/** A list or map type needs that kind of value. */
function requireType(schema: JsonSchema, wanted: string, given: string | undefined, name: string, path: string): FieldProblem[] {
  const { type = '' } = schema;
  if (given === undefined || type === wanted) return [];
  const text = `must be ${wanted} if ${name} is specified`;
  return [type === '' ? required(`${path}.type`, text) : invalid(`${path}.type`, type, text)];
}

function validateListType(schema: JsonSchema, path: string): FieldProblem[] {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const field = `${path}.x-kubernetes-list-type`;
  const items = schemaIn(schema.items);
  const problems = requireType(schema, 'array', listType, 'x-kubernetes-list-type', path);
  if (problems.length === 0 && listType === 'set' && items !== undefined) problems.push(...validateSetItems(items, path));
  problems.push(...oneOfIfSet(field, listType, ['atomic', 'set', 'map']));
  const mapText = 'must be map if x-kubernetes-list-map-keys is non-empty';
  if (keys.length > 0 && listType === undefined) problems.push(required(field, mapText));
  if (keys.length > 0 && listType !== undefined && listType !== 'map') problems.push(invalid(field, listType, mapText));
  if (listType === 'map') problems.push(...validateMapItems(schema, keys, path));
  if (items !== undefined && (listType === 'set' || listType === 'map')) {
    if (items.nullable === true) {
      problems.push(forbiddenField(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
    }
    if (listType === 'map') problems.push(...validateKeyProperties(items, keys, path));
  }
  return problems;
}

/** Elements of a set are compared as wholes. */
function validateSetItems(items: JsonSchema, path: string): FieldProblem[] {
  const text = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, text)];
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    // Upstream shows the other type here.
    return [invalid(`${path}.items.x-kubernetes-map-type`, listType, text)];
  }
  return [];
}

function validateMapItems(schema: JsonSchema, keys: readonly string[], path: string): FieldProblem[] {
  const keysField = `${path}.x-kubernetes-list-map-keys`;
  const problems = keys.length === 0 ? [required(keysField, 'must not be empty if x-kubernetes-list-type is map')] : [];
  if (schema.items === undefined) return [...problems, required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  const items = schemaIn(schema.items);
  if (items === undefined) {
    const text = 'must only have a single schema if x-kubernetes-list-type is map';
    return [...problems, invalid(`${path}.items`, goSchema({ items: schema.items })['Items'], text)];
  }
  if (items.type !== 'object') {
    const text = "must be object if parent array's x-kubernetes-list-type is map";
    return [...problems, invalid(`${path}.items.type`, items.type ?? '', text)];
  }
  keys.forEach((key, at) => {
    const property = schemaIn(items.properties?.[key]);
    if (property === undefined) {
      problems.push(invalid(keysField, keys, 'entries must all be names of item properties'));
    } else if (property.type === 'array' || property.type === 'object') {
      const text = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      problems.push(invalid(`${path}.items.properties[${key}].type`, items.type, text));
    }
    if (keys.indexOf(key) < at) problems.push(invalid(keysField, keys, 'must not contain duplicate entries'));
  });
  return problems;
}

/** Every element has its keys. */
function validateKeyProperties(items: JsonSchema, keys: readonly string[], path: string): FieldProblem[] {
  const isKey = 'this property is in x-kubernetes-list-map-keys, so it';
  return keys.flatMap((key) => {
    const property = schemaIn(items.properties?.[key]);
    if (property === undefined) return [];
    const field = `${path}.items.properties[${key}]`;
    const isThere = items.required?.includes(key) === true || (property.default !== undefined && property.default !== null);
    return [
      ...(isThere ? [] : [required(`${field}.default`, `${isKey} must have a default or be a required property`)]),
      ...(property.nullable === true ? [forbiddenField(`${field}.nullable`, `${isKey} cannot be nullable`)] : []),
    ];
  });
}

function validateExpressions(schema: JsonSchema, path: string): FieldProblem[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap((entry, at) => {
    const { rule = '', message = '', messageExpression = '', reason, fieldPath = '' } = entry;
    const own = `${path}.x-kubernetes-validations[${at}]`;
    const problems: FieldProblem[] = [];
    const isBlank = (text: string): boolean => text !== '' && text.trim() === '';
    if (rule.trim() === '') problems.push(required(`${own}.rule`, 'rule is not specified'));
    else if (isBlank(message)) problems.push(invalid(`${own}.message`, message, 'must be non-empty if specified'));
    else if (lineBreak.test(message.trim())) problems.push(invalid(`${own}.message`, message, 'must not contain line breaks'));
    else if (lineBreak.test(rule.trim()) && message === '') {
      problems.push(required(`${own}.message`, 'message must be specified if rule contains line breaks'));
    }
    if (isBlank(messageExpression)) {
      problems.push(required(`${own}.messageExpression`, 'messageExpression must be non-empty if specified'));
    }
    problems.push(...oneOfIfSet(`${own}.reason`, reason, reasons));
    if (isBlank(fieldPath)) problems.push(invalid(`${own}.fieldPath`, fieldPath, 'must be non-empty if specified'));
    if (lineBreak.test(fieldPath)) problems.push(invalid(`${own}.fieldPath`, fieldPath, 'must not contain line breaks'));
    if (fieldPath !== '' && typeof findField(schema, fieldPath, 'allowed') === 'string') {
      problems.push(invalid(`${own}.fieldPath`, fieldPath, 'must be a valid path'));
    }
    return problems;
  });
}
