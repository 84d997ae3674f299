// Checks an applied configuration against the shape of its kind. The words are upstream's (structured-merge-diff's typed values).
import type { Json, JsonObject } from '../meta/object.ts';
import { elementText } from './field-text.ts';
import { goText } from './go-json.ts';
import { fieldShape, itemElement, type LeafShape, type ListShape, type Shape, type StructShape } from './field-shape.ts';
import { isObject } from './json-object.ts';

/** What is wrong, a line for each problem; '' when the value fits. */
export function typeProblems(shape: Shape, value: Json): string {
  const problems = check(shape, value, '');
  if (problems.length <= 1) return problems[0] ?? '';
  return ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
}

function check(shape: Shape, value: Json, path: string): string[] {
  if (value === null) return [];
  switch (shape.kind) {
    case 'leaf':
      return checkLeaf(shape, value, path);
    case 'struct':
      return isObject(value) ? checkStruct(shape, value, path) : [problem(path, `expected map, got &${shown(value)}`)];
    case 'map':
      if (!isObject(value)) return [problem(path, `expected map, got &${shown(value)}`)];
      return Object.keys(value).flatMap((key) => check(shape.values, value[key] as Json, `${path}.${key}`));
    case 'list':
      return Array.isArray(value) ? checkItems(shape, value, path) : [problem(path, `expected list, got &${shown(value)}`)];
    case 'free':
      return [];
  }
}

/** Upstream looks no further into an object once it met a field that the schema does not have. */
function checkStruct(shape: StructShape, value: JsonObject, path: string): string[] {
  const problems: string[] = [];
  for (const key of Object.keys(value)) {
    const inner = fieldShape(shape, key);
    if (inner === undefined) return [...problems, problem(`${path}.${key}`, 'field not declared in schema')];
    problems.push(...check(inner, value[key] as Json, `${path}.${key}`));
  }
  return problems;
}

function checkLeaf(shape: LeafShape, value: Json, path: string): string[] {
  switch (shape.type) {
    case 'string':
      return typeof value === 'string' ? [] : [problem(path, `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`)];
    case 'number':
      return typeof value === 'number' ? [] : [problem(path, `expected numeric (int or float), got ${goType(value)}`)];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [problem(path, `expected boolean, got &${shown(value)}`)];
    case 'scalar':
      return typeof value === 'object' ? [problem(path, `expected any scalar, got &${shown(value)}`)] : [];
    case 'list':
      if (!Array.isArray(value)) return [problem(path, `expected list, got &${shown(value)}`)];
      return value.flatMap((item, at) => (shape.items === undefined ? [] : check(shape.items, item, `${path}[${at}]`)));
    case 'map':
      if (shape.struct !== undefined) return check(shape.struct, value, path);
      return shape.items === undefined ? [] : check({ kind: 'map', values: shape.items }, value, path);
    case 'any':
      return [];
  }
}

function checkItems(shape: ListShape, items: readonly Json[], path: string): string[] {
  const seen = new Set<string>();
  return items.flatMap((item, at) => {
    const found = itemElement(shape, item);
    if ('problem' in found) return [problem(path, `element ${at}: ${found.problem}`)];
    const text = elementText(found.element);
    const twice = seen.has(found.element) ? [problem(path, `duplicate entries for key ${text}`)] : [];
    seen.add(found.element);
    return [...twice, ...check(shape.items, item, `${path}${text}`)];
  });
}

function problem(path: string, text: string): string {
  return path === '' ? text : `${path}: ${text}`;
}

function shown(value: Json): string {
  return `{${goText(value)}}`;
}

/** A value as fmt's `%#v` prints it. */
function goSyntax(value: Json): string {
  if (value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  const keys = Object.keys(value).sort();
  return `map[string]interface {}{${keys.map((key) => `${JSON.stringify(key)}:${goSyntax(value[key] as Json)}`).join(', ')}}`;
}

function goType(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : typeof value;
}
