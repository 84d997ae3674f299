// JSON merge patch (RFC 7386), as upstream's library does it.
import type { Json, JsonObject } from '../meta/object.ts';
import { badRequest } from '../meta/status.ts';
import { cloneJson, isObject, setOwn, withinStack } from './json-object.ts';

/** The document with the patch merged in; inputs stay as they are. A list takes its place. Throws ApiError 400 for scalars. */
export function applyMergePatch(document: JsonObject, patch: Json): Json {
  if (Array.isArray(patch)) return withinStack(() => withoutNulls(patch));
  if (!isObject(patch)) throw badRequest('Invalid JSON Patch');
  return withinStack(() => {
    const result = cloneJson(document);
    mergeInto(result, patch);
    return result;
  });
}

function mergeInto(target: JsonObject, patch: JsonObject): void {
  for (const key of Object.keys(patch)) {
    const value = patch[key] as Json;
    const current = Object.hasOwn(target, key) ? target[key] : undefined;
    if (value === null) delete target[key];
    else if (isObject(value) && isObject(current)) mergeInto(current, value);
    else setOwn(target, key, isObject(current) && Array.isArray(value) ? cloneJson(value) : withoutNulls(value));
  }
}

/** What is new comes without the nulls of its objects; items of lists stay, as they do in RFC 7386. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key] as Json;
    if (item !== null) setOwn(result, key, withoutNulls(item));
  }
  return result;
}
