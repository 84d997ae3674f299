// Plain JSON objects whose keys are data: `__proto__`, `constructor` and their like must neither be seen when absent nor
// change a prototype when set. Everything in this folder reads and writes free keys through these functions.
import type { Json, JsonObject } from '../meta/object.ts';
import { badRequest } from '../meta/status.ts';
import { NumberText } from '../schema/json-parser.ts';

/** The value under a key of the object itself; undefined when absent. */
export function getOwn(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a key of the object itself, whatever its name. */
export function setOwn(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** True for a JSON object: neither null, nor a list, nor a scalar, long numbers included. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

/** True for what holds nothing: null, scalars, empty lists and objects. */
export function isBarren(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (!isObject(value)) return true;
  for (const key of Object.keys(value)) if (value[key] !== undefined) return false;
  return true;
}

/** A deep copy. */
export function cloneJson<T extends Json>(value: T): T {
  return copy(value) as T;
}

function copy(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof NumberText) return value as unknown as Json;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(result, key, copy(value[key] as Json));
  return result;
}

/** Equality of values. Properties that are undefined count as absent. */
export function equalJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => equalJson(item, right[at]));
  }
  if (Array.isArray(right)) return false;
  if (left instanceof NumberText || right instanceof NumberText) {
    return left instanceof NumberText && right instanceof NumberText && left.text === right.text;
  }
  let count = 0;
  for (const key of Object.keys(left)) {
    const mine = left[key];
    if (mine === undefined) continue;
    count++;
    if (!Object.hasOwn(right, key) || !equalJson(mine, right[key])) return false;
  }
  for (const key of Object.keys(right)) if (right[key] !== undefined) count--;
  return count === 0;
}

/**
 * Runs work that recurses on the depth of client's values. Ordinary values are a dozen levels deep and decoding allows 10,000; the
 * stack holds some thousands, and beyond that the request is refused, with nothing changed: such work only builds new values.
 */
export function withinStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('json: exceeded max depth');
    throw error;
  }
}
