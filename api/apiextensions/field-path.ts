// Paths to the fields of a schema, such as `.spec.color` and `.metadata.labels['a.b']` (apiextensions-apiserver/pkg/apiserver/schema/cel,
// ValidFieldPath).
import { type JsonSchema, schemaIn } from './json-schema.ts';

const escape = /\\(.)/gs;
const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};
const notThere = 'does not refer to a valid field';

/** The schema that a path leads to, or what is wrong with the path. `brackets`: whether keys may be written in them. */
export function findField(root: JsonSchema | undefined, path: string, brackets: 'allowed' | 'refused'): JsonSchema | string {
  const tokens = tokensOf(path);
  let schema = root ?? {};
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (token !== '.' && token !== '[') return `expected [ or . but got: ${token}`;
    if (token === '[' && brackets === 'refused') return 'array notation is not allowed';
    const next = tokens[++at];
    if (next === undefined) return 'unexpected end of JSON path';
    const isQuoted = next.length > 1 && next.startsWith("'") && next.endsWith("'");
    if (token === '[' && !isQuoted) return `expected single quoted string but got ${next}`;
    const odd = token === '[' ? [...next.matchAll(escape)].find(([, char = '']) => !Object.hasOwn(escapes, char)) : undefined;
    if (odd !== undefined) return `invalid string literal: invalid escape char ${odd[0]}`;
    const found = fieldOf(schema, token === '[' ? next.slice(1, -1).replaceAll(escape, (_, char: string) => escapes[char] ?? char) : next);
    if (found === undefined) return notThere;
    schema = found;
    if (token === '.') continue;
    const end = tokens[++at];
    if (end === undefined) return 'unexpected end of JSON path';
    if (end !== ']') return `expected ] but got ${end}`;
  }
  return schema;
}

/** A property by its name; of a map, whatever its keys lead to. */
function fieldOf({ properties, additionalProperties }: JsonSchema, name: string): JsonSchema | undefined {
  const named = schemaIn(properties) as Readonly<Record<string, unknown>> | undefined;
  if (named === undefined) return schemaIn(additionalProperties);
  return Object.hasOwn(named, name) ? schemaIn(named[name]) : undefined;
}

/** Dots, brackets, quoted texts, and what is between them. */
function tokensOf(path: string): string[] {
  return path.match(/[.[\]]|'(?:[^'\\]|\\.)*'|[^.[\]]+/gs) ?? [];
}
