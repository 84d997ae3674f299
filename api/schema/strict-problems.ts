// What strict decoding says about a body before its kind is known.
import type { Json } from '../meta/object.ts';
import type { Duplicates } from './json.ts';

/** Upstream names so many at most. */
const maxProblems = 100;
const yamlPrefixes = ['yaml: unmarshal errors:\n', 'error converting YAML to JSON: yaml: unmarshal errors:\n'];

/** `duplicate field "spec.ports[0].name"` for each key that comes twice, in the order of the document. */
export function duplicateProblems(root: Json, duplicates: Duplicates | undefined): string[] {
  const problems: string[] = [];
  if (duplicates === undefined) return problems;
  const waiting: [value: Json, path: string][] = [[root, '']];
  for (let next = waiting.pop(); next !== undefined && problems.length < maxProblems; next = waiting.pop()) {
    const [value, path] = next;
    if (typeof value !== 'object' || value === null) continue;
    const isList = Array.isArray(value);
    const at = (key: string): string => (isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`);
    for (const key of repeated(duplicates.get(value) ?? [])) problems.push(`duplicate field ${JSON.stringify(at(key))}`);
    for (const [key, below] of Object.entries(value).toReversed()) waiting.push([below, at(key)]);
  }
  return problems.slice(0, maxProblems);
}

/** Keys that come again, each once, in the order of their repetition. */
function repeated(members: readonly (readonly [key: string, value: Json])[]): Set<string> {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const [key] of members) {
    if (seen.has(key)) again.add(key);
    seen.add(key);
  }
  return again;
}

/** A strict problem as warnings: YAML's comes as one text for many lines. */
export function warningsOf(problem: string): string[] {
  const prefix = yamlPrefixes.find((one) => problem.startsWith(one));
  return prefix === undefined
    ? [problem]
    : problem
        .slice(prefix.length)
        .split('\n')
        .map((line) => line.trim());
}
