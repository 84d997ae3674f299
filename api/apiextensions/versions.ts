// Versions of a custom resource, each with its schema, columns, fields to select by and sub-resources. What all versions say alike is
// judged once, and messages name it as if it stood beside the versions: upstream keeps it there.
import type {
  V1CustomResourceColumnDefinition,
  V1CustomResourceDefinitionVersion,
  V1CustomResourceSubresources,
  V1SelectableField,
} from '#api/generated/types.ts';
import { equalValues } from '../meta/equality.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, required, tooMany } from '../meta/field-problem.ts';
import { byteLength, dns1035LabelProblems } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { findField } from './field-path.ts';
import { goSchema, goVersions } from './go-shapes.ts';
import { everySchema, type JsonSchema } from './json-schema.ts';
import { unstructurable, validateSchema } from './schema-rules.ts';
import { validateStructural } from './structural.ts';

export type Version = Unchecked<V1CustomResourceDefinitionVersion>;

const maxSelectableFields = 8;
const warningLimitBytes = 256;
const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const selectableTypes = ['string', 'boolean', 'integer'];
/** What may stand at the root of a schema whose status is written apart; the words are Go's names. */
const rootMembers = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
} as const;

/** Which parts are the same in all versions. */
export interface Shared {
  readonly schema: boolean;
  readonly subresources: boolean;
  readonly columns: boolean;
  readonly selectable: boolean;
}

export function validateVersions(versions: readonly Version[]): FieldProblem[] {
  const shared = sharedParts(versions);
  const [first] = versions;
  const problems = validateSchemasThere(versions, shared);
  versions.forEach((version, at) => problems.push(...validateVersion(version, shared, `spec.versions[${at}]`)));
  const names = versions.map(({ name }) => name);
  if (new Set(names).size < names.length)
    problems.push(invalid('spec.versions', goVersions(versions, shared), 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage === true).length !== 1) {
    problems.push(invalid('spec.versions', goVersions(versions, shared), 'must have exactly one version marked as storage version'));
  }
  return first === undefined ? problems : [...problems, ...validateFirst(first)];
}

/** The parts that are the same in all versions, of the first. Comes after the names, as upstream has it. */
export function validateSharedParts(versions: readonly Version[]): FieldProblem[] {
  const [first] = versions;
  if (first === undefined) return [];
  const shared = sharedParts(versions);
  const hasStatus = versions.some(({ subresources }) => subresources?.status !== undefined);
  return [
    ...(shared.schema ? validateVersionSchema(first, hasStatus, 'spec.validation') : []),
    ...(shared.subresources ? validateSubresources(first.subresources, 'spec.subresources') : []),
    ...(shared.columns ? validateColumns(first.additionalPrinterColumns, 'spec.additionalPrinterColumns') : []),
    ...(shared.selectable ? validateSelectableFields(first.selectableFields, first.schema?.openAPIV3Schema, 'spec.selectableFields') : []),
  ];
}

function sharedParts(versions: readonly Version[]): Shared {
  const [first] = versions;
  const isSame = (part: keyof Version): boolean => versions.every((version) => equalValues(version[part], first?.[part]));
  const schema = isSame('schema');
  return {
    schema,
    subresources: isSame('subresources'),
    columns: isSame('additionalPrinterColumns'),
    selectable: schema && isSame('selectableFields'),
  };
}

/** The first version's name has a place of its own upstream. */
function validateFirst({ name = '' }: Version): FieldProblem[] {
  const texts = name === '' ? [] : dns1035LabelProblems(name);
  return texts.length === 0 ? [] : [invalid('spec.version', name, texts.join(','))];
}

function validateSchemasThere(versions: readonly Version[], { schema }: Shared): FieldProblem[] {
  if (schema && versions[0]?.schema?.openAPIV3Schema !== undefined) return [];
  return versions.flatMap((version, at) => {
    const isThere = !schema && version.schema?.openAPIV3Schema !== undefined;
    return isThere ? [] : [required(`spec.versions[${at}].schema.openAPIV3Schema`)];
  });
}

function validateVersion(version: Version, shared: Shared, path: string): FieldProblem[] {
  const { name = '', deprecated = false, deprecationWarning, selectableFields, subresources } = version;
  const nameTexts = dns1035LabelProblems(name);
  const problems = nameTexts.length === 0 ? [] : [invalid(`${path}.name`, name, nameTexts.join(','))];
  for (const text of deprecationProblems(deprecated, deprecationWarning)) {
    problems.push(invalid(`${path}.deprecationWarning`, deprecationWarning, text));
  }
  const hasStatus = subresources?.status !== undefined;
  if (!shared.schema) problems.push(...validateVersionSchema(version, hasStatus, `${path}.schema`));
  if (!shared.subresources) problems.push(...validateSubresources(subresources, `${path}.subresources`));
  if (!shared.columns) problems.push(...validateColumns(version.additionalPrinterColumns, `${path}.additionalPrinterColumns`));
  if (shared.selectable || (selectableFields ?? []).length === 0) return problems;
  const field = `${path}.selectableFields`;
  const schema = shared.schema ? undefined : version.schema?.openAPIV3Schema;
  // The words are upstream's, which means the opposite.
  const text = 'may only be set when `version.schema.openAPIV3Schema` is not included';
  return [...problems, ...(schema === undefined ? [invalid(field, '', text)] : validateSelectableFields(selectableFields, schema, field))];
}

function deprecationProblems(isDeprecated: boolean, warning: string | undefined): string[] {
  if (warning === undefined) return [];
  if (!isDeprecated) return ['can only be set for deprecated versions'];
  const texts = byteLength(warning) > warningLimitBytes ? ['must be <= 256 characters long'] : [];
  if (warning === '') texts.push('must not be an empty string');
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning);
  if (odd === null) return texts;
  const at = byteLength(warning.slice(0, odd.index));
  return [...texts, `must only contain printable UTF-8 characters; non-printable character found at index ${at}`];
}

function validateVersionSchema(version: Version, hasStatus: boolean, path: string): FieldProblem[] {
  const schema: JsonSchema | undefined = version.schema?.openAPIV3Schema;
  if (schema === undefined) return [];
  const field = `${path}.openAPIV3Schema`;
  const problems = hasStatus ? validateRootWithStatus(schema, field) : [];
  if (schema.nullable === true) problems.push(forbiddenField(`${field}.nullable`, 'nullable cannot be true at the root'));
  const why = unstructurable(everySchema(schema));
  if (why === undefined) problems.push(...validateStructural(schema, field));
  problems.push(...validateSchema(schema, field));
  return why === undefined || problems.length > 0 ? problems : [invalid(field, '', why)];
}

/** The status' part of the schema must be found on its own. */
function validateRootWithStatus(schema: JsonSchema, field: string): FieldProblem[] {
  const condition = 'if the status subresource is enabled';
  if (schema.type !== undefined && schema.type !== '' && schema.type !== 'object') {
    return [invalid(`${field}.type`, schema.type, `only "object" is allowed as the type at the root of the schema ${condition}`)];
  }
  const isOther = Object.entries(schema).some(([name, value]) => value !== undefined && !Object.hasOwn(rootMembers, name));
  if (!isOther) return [];
  const list = Object.values(rootMembers).join(' ');
  return [invalid(field, goSchema(schema), `only [${list}] fields are allowed at the root of the schema ${condition}`)];
}

function validateSubresources(subresources: Unchecked<V1CustomResourceSubresources> | undefined, path: string): FieldProblem[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const { specReplicasPath = '', statusReplicasPath = '', labelSelectorPath = '' } = scale;
  const problems: FieldProblem[] = [];
  const check = (name: string, value: string, roots: readonly string[], text: string): void => {
    const field = `${path}.scale.${name}`;
    if (!value.startsWith('.')) problems.push(invalid(field, value, 'must be a simple json path starting with .'));
    else if (!roots.some((root) => value.startsWith(root))) problems.push(invalid(field, value, `should be a json path under ${text}`));
  };
  if (specReplicasPath === '') problems.push(required(`${path}.scale.specReplicasPath`));
  else check('specReplicasPath', specReplicasPath, ['.spec.'], '.spec');
  if (statusReplicasPath === '') problems.push(required(`${path}.scale.statusReplicasPath`));
  else check('statusReplicasPath', statusReplicasPath, ['.status.'], '.status');
  if (labelSelectorPath !== '') check('labelSelectorPath', labelSelectorPath, ['.spec.', '.status.'], 'either .spec or .status');
  return problems;
}

function validateColumns(columns: readonly Unchecked<V1CustomResourceColumnDefinition>[] | undefined, path: string): FieldProblem[] {
  return (columns ?? []).flatMap(({ name = '', type = '', format = '', jsonPath = '' }, at) => {
    const own = `${path}[${at}]`;
    const problems = name === '' ? [required(`${own}.name`)] : [];
    const typeText = `must be one of ${columnTypes.join(',')}`;
    if (type === '') problems.push(required(`${own}.type`, typeText));
    else if (!columnTypes.includes(type)) problems.push(invalid(`${own}.type`, type, typeText));
    if (format !== '' && !columnFormats.includes(format)) {
      problems.push(invalid(`${own}.format`, format, `must be one of ${columnFormats.join(',')}`));
    }
    if (jsonPath === '') problems.push(required(`${own}.JSONPath`));
    else if (!jsonPath.startsWith('.')) problems.push(invalid(`${own}.JSONPath`, jsonPath, 'must be a simple json path starting with .'));
    return problems;
  });
}

function validateSelectableFields(
  fields: readonly Unchecked<V1SelectableField>[] | undefined,
  schema: JsonSchema | undefined,
  path: string,
): FieldProblem[] {
  const seen = new Set<string>();
  const problems = (fields ?? []).flatMap(({ jsonPath = '' }, at) => {
    const field = `${path}[${at}].jsonPath`;
    if (jsonPath === '') return [required(field)];
    const found = findField(schema, jsonPath, 'refused');
    if (typeof found === 'string') return [invalid(field, jsonPath, `is an invalid path: ${found}`)];
    const own: FieldProblem[] = [];
    if (/^\.metadata(\.|$)/.test(jsonPath)) own.push(invalid(field, jsonPath, 'must not point to fields in metadata'));
    if (!selectableTypes.includes(found.type ?? '')) {
      const text = 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      own.push(invalid(field, jsonPath, text));
    }
    if (seen.has(jsonPath)) own.push(duplicate(field, jsonPath));
    seen.add(jsonPath);
    return own;
  });
  return seen.size > maxSelectableFields ? [...problems, tooMany(path, seen.size, maxSelectableFields)] : problems;
}
