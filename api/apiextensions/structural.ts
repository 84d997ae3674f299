// Whether a schema is structural: it says by itself what every value looks like, and the parts that only judge values add nothing to
// that (apiextensions-apiserver/pkg/apiserver/schema/validation.go and complete.go).
import { equalValues } from '../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../meta/field-problem.ts';
import { type Child, childrenIn, type JsonSchema, judgements, oneChild, schemaIn } from './json-schema.ts';

type Level = 'root' | 'item' | 'field';

interface Node {
  readonly schema: JsonSchema;
  readonly path: string;
  readonly level: Level;
  /** Below a part that only judges values. */
  readonly isJudgement: boolean;
  /** The two types of an int-or-string may stand here although types may not. */
  readonly skipsAnyOf: boolean;
}

const intOrString = [{ type: 'integer' }, { type: 'string' }];
const emptyTypeTexts: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};
/** What judging parts may not say, with the words for it. */
const forbiddenInJudgements = {
  type: 'must be empty to be structural',
  additionalProperties: 'must be undefined to be structural',
  default: 'must be undefined to be structural',
  title: 'must be empty to be structural',
  description: 'must be empty to be structural',
  nullable: 'must be false to be structural',
  'x-kubernetes-preserve-unknown-fields': 'must be false to be structural',
  'x-kubernetes-embedded-resource': 'must be false to be structural',
  'x-kubernetes-int-or-string': 'must be false to be structural',
  'x-kubernetes-list-map-keys': 'must be empty to be structural',
  'x-kubernetes-list-type': 'must be undefined to be structural',
  'x-kubernetes-map-type': 'must be undefined to be structural',
  'x-kubernetes-validations': 'must be empty to be structural',
} as const;

/** Problems sorted by their text, as upstream has them. */
export function validateStructural(schema: JsonSchema, path: string): FieldProblem[] {
  const problems = [...validateInvariants(schema, path), ...validateCompleteness(schema, path)];
  const text = ({ field, message }: FieldProblem): string => `${field}: ${message}`;
  return problems.toSorted((left, right) => (text(left) < text(right) ? -1 : 1));
}

function validateInvariants(root: JsonSchema, rootPath: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const waiting: Node[] = [{ schema: root, path: rootPath, level: 'root', isJudgement: false, skipsAnyOf: false }];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    problems.push(...(node.isJudgement ? validateJudgement(node) : validateStructure(node)));
    waiting.push(...below(node));
  }
  return problems;
}

/** The nodes below one. */
function below(node: Node): Node[] {
  const { schema, path, level, isJudgement } = node;
  const at = (child: Child, own: Partial<Node>): Node => ({
    schema: child.schema,
    path: `${path}${child.step}`,
    level,
    isJudgement,
    skipsAnyOf: false,
    ...own,
  });
  const isPair = equalValues(schema.anyOf, intOrString);
  const skips = isJudgement ? node.skipsAnyOf : isPair;
  const [firstOfAll] = schema.allOf ?? [];
  const firstIsPair = !isJudgement && equalValues(firstOfAll?.anyOf, intOrString);
  const judging = judgements(schema)
    .filter(({ step }) => !(skips && step.startsWith('.anyOf')))
    .map((child) => at(child, { isJudgement: true, skipsAnyOf: firstIsPair && child.step === '.allOf[0]' }));
  return [
    ...oneChild(schema.items, '.items').map((child) => at(child, isJudgement ? {} : { level: 'item' })),
    ...childrenIn(schema.properties, '.properties').map((child) => at(child, { level: 'field' })),
    ...(isJudgement ? [] : oneChild(schema.additionalProperties, '.additionalProperties').map((child) => at(child, { level: 'field' }))),
    ...judging,
  ];
}

function validateStructure({ schema, path, level }: Node): FieldProblem[] {
  const { type = '', items, additionalProperties, properties } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const problems: FieldProblem[] = [];
  if (type === 'array' && items === undefined) problems.push(required(`${path}.items`, 'must be specified'));
  if (level === 'root' && additionalProperties !== undefined) {
    problems.push(forbiddenField(`${path}.additionalProperties`, 'must not be used at the root'));
  }
  const falseText = 'must be false if x-kubernetes-int-or-string is true';
  if (isIntOrString && keepsUnknown) problems.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, true, falseText));
  if (isIntOrString && isEmbedded) problems.push(invalid(`${path}.x-kubernetes-embedded-resource`, true, falseText));
  if (isEmbedded && type !== 'object') {
    const text = 'must be object if x-kubernetes-embedded-resource is true';
    problems.push(type === '' ? required(`${path}.type`, text) : invalid(`${path}.type`, type, text));
  } else if (type === '' && !isIntOrString && !keepsUnknown) {
    problems.push(required(`${path}.type`, emptyTypeTexts[level]));
  }
  if (isEmbedded && additionalProperties !== undefined) {
    const text = 'must not be used if x-kubernetes-embedded-resource is set';
    problems.push(forbiddenField(`${path}.additionalProperties`, text));
  }
  if (level === 'root' && type !== '' && type !== 'object') problems.push(invalid(`${path}.type`, type, 'must be object at the root'));
  problems.push(...validateMetaFields(schema, level, isEmbedded, path));
  if (isEmbedded && !keepsUnknown && Object.keys(properties ?? {}).length === 0) {
    const text = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    problems.push(required(`${path}.properties`, text));
  }
  return problems;
}

/** What every object has is known: a schema may only restrict names. */
function validateMetaFields({ properties }: JsonSchema, level: Level, isEmbedded: boolean, path: string): FieldProblem[] {
  const isObject = level === 'root' || isEmbedded;
  const problems: FieldProblem[] = [];
  for (const name of ['kind', 'apiVersion']) {
    const own = schemaIn(properties?.[name]);
    if (isObject && own !== undefined && own.type !== 'string') {
      problems.push(invalid(`${path}.properties[${name}].type`, own.type ?? '', 'must be string'));
    }
  }
  const metadata = schemaIn(properties?.['metadata']);
  if (metadata === undefined) return problems;
  const field = `${path}.properties[metadata]`;
  if (isObject && metadata.type !== 'object') problems.push(invalid(`${field}.type`, metadata.type ?? '', 'must be object'));
  if (level !== 'root') return problems;
  const { type: _type, default: _default, properties: own, ...rest } = metadata;
  const isNames = Object.keys(own ?? {}).every((name) => name === 'name' || name === 'generateName');
  if (isNames && Object.values(rest).every((value) => value === undefined)) return problems;
  const text = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
  return [...problems, forbiddenField(field, text)];
}

function validateJudgement({ schema, path }: Node): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [name, text] of Object.entries(forbiddenInJudgements)) {
    if (isSet(schema[name as keyof typeof forbiddenInJudgements])) problems.push(forbiddenField(`${path}.${name}`, text));
  }
  if (schemaIn(schema.properties?.['metadata']) === undefined) return problems;
  return [...problems, forbiddenField(`${path}.properties[metadata]`, 'must not be specified in a nested context')];
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0);
}

/** A part that judges, and the part of the structure that it judges. */
interface Pair {
  readonly judgement: JsonSchema;
  readonly structure: JsonSchema | undefined;
  readonly path: string;
  readonly judgementPath: string;
}

/** Whatever is judged must be there. */
function validateCompleteness(root: JsonSchema, rootPath: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const waiting: Pair[] = judgedBy(root, root, rootPath, rootPath);
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const { judgement, structure, path, judgementPath } = pair;
    if (structure === undefined) {
      problems.push(required(path, `because it is defined in ${judgementPath}`));
      continue;
    }
    waiting.push(...judgedBy(judgement, structure, path, judgementPath));
    for (const { schema, step } of oneChild(judgement.items, '.items')) {
      const own = { structure: schemaIn(structure.items), path: `${path}${step}`, judgementPath: `${judgementPath}${step}` };
      waiting.push({ judgement: schema, ...own });
    }
    for (const [name, value] of Object.entries(schemaIn(judgement.properties) ?? {})) {
      const step = `.properties[${name}]`;
      const own = { structure: schemaIn(schemaIn(structure.properties)?.[name as never]), path: `${path}${step}` };
      for (const { schema } of oneChild(value, '')) waiting.push({ judgement: schema, ...own, judgementPath: `${judgementPath}${step}` });
    }
  }
  return problems;
}

function judgedBy(judge: JsonSchema, structure: JsonSchema, path: string, judgementPath: string): Pair[] {
  return judgements(judge).map(({ schema, step }) => ({ judgement: schema, structure, path, judgementPath: `${judgementPath}${step}` }));
}
