// JSON patch (RFC 6902) with the leniencies of the library that upstream uses: negative indexes count from the end, `replace` may
// add a key, a missing `value` is null, a copied key that does not exist is null.
import type { Json, JsonObject } from '../meta/object.ts';
import { ApiError, badRequest } from '../meta/status.ts';
import { goKind } from './go-json.ts';
import { stringifyDeep } from '../schema/stringify-deep.ts';
import { cloneJson, equalJson, getOwn, isObject, setOwn, withinStack } from './json-object.ts';

const maxOperations = 10_000;
/** What all `copy` operations together may add. */
const maxCopiedBytes = 3 * 1024 * 1024;

type Container = JsonObject | Json[];
type Operation = JsonObject;

interface Target {
  document: Json;
  copiedBytes: number;
}

/** Why one operation cannot be done. Clients never see the text: upstream keeps it to itself. */
class PatchFailure extends Error {
  override readonly name = 'PatchFailure';
}

/**
 * Applies a parsed patch to a copy of the document. Throws ApiError: 400 for what is no patch, 413 for too many operations, 422 for
 * operations that do not apply.
 */
export function applyJsonPatch(document: JsonObject, patch: Json): Json {
  return withinStack(() => applyOperations(document, readOperations(patch)));
}

function applyOperations(document: JsonObject, operations: readonly Operation[]): Json {
  const target: Target = { document: cloneJson(document), copiedBytes: 0 };
  try {
    for (const operation of operations) perform(target, operation);
  } catch (error) {
    if (error instanceof PatchFailure) throw rejected(error);
    throw error;
  }
  return target.document;
}

/**
 * What strict field validation finds wrong with a patch: fields that operations do not have. Throws ApiError 400 where a field has
 * the wrong type, which upstream notices only when it validates.
 */
export function jsonPatchProblems(patch: Json): string[] {
  const badType = (value: Json, what: string): ApiError =>
    badRequest(`error decoding patch: json: cannot unmarshal ${goKind(value)} into Go ${what}`);
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw badType(patch, 'value of type []handlers.jsonPatchOp');
  return patch.flatMap((operation, at) => {
    if (operation === null) return [];
    if (!isObject(operation)) throw badType(operation, 'value of type handlers.jsonPatchOp');
    for (const field of ['op', 'path', 'from']) {
      const value = operation[field] ?? '';
      if (typeof value !== 'string') throw badType(value, `struct field jsonPatchOp.${field} of type string`);
    }
    const unknown = Object.keys(operation).filter((key) => !['op', 'path', 'from', 'value'].includes(key));
    return unknown.map((key) => `json patch unknown field "[${at}].${key}"`);
  });
}

/** The 422 answer for a patch that is well formed but cannot be done: upstream gives no details. */
export function rejected(cause: unknown): ApiError {
  return new ApiError({ reason: 'Invalid', message: 'the server rejected our request due to an error in our request', details: {}, cause });
}

function readOperations(patch: Json): Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw badRequest(`json: cannot unmarshal ${goKind(patch)} into Go value of type jsonpatch.Patch`);
  for (const operation of patch) {
    if (operation === null || isObject(operation)) continue;
    throw badRequest(`json: cannot unmarshal ${goKind(operation)} into Go value of type jsonpatch.Operation`);
  }
  if (patch.length > maxOperations) {
    const why = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`;
    throw new ApiError({ reason: 'RequestEntityTooLarge', message: `Request entity is too large: ${why}` });
  }
  return patch.map((operation) => (isObject(operation) ? operation : {}));
}

function perform(target: Target, operation: Operation): void {
  const value = getOwn(operation, 'value') ?? null;
  switch (getOwn(operation, 'op')) {
    case 'add':
      return add(locate(target.document, textOf(operation, 'path')), cloneJson(value));
    case 'remove':
      return remove(locate(target.document, textOf(operation, 'path')));
    case 'replace':
      return replace(target, textOf(operation, 'path'), cloneJson(value));
    case 'move':
      return move(target.document, textOf(operation, 'from'), textOf(operation, 'path'));
    case 'copy':
      return copy(target, textOf(operation, 'from'), textOf(operation, 'path'));
    case 'test':
      return check(target.document, textOf(operation, 'path'), value);
    default:
      throw new PatchFailure('unexpected kind');
  }
}

function replace(target: Target, path: string, value: Json): void {
  if (path !== '') {
    const place = locate(target.document, path);
    if (Array.isArray(place.container)) read(place);
    write(place, value);
    return;
  }
  // That library means to refuse other values, wraps an error that is none, and so does nothing.
  if (typeof value === 'object' && value !== null) target.document = value;
}

function move(document: Json, from: string, path: string): void {
  const source = locate(document, from);
  const value = read(source);
  remove(source);
  add(locate(document, path), value ?? null);
}

function copy(target: Target, from: string, path: string): void {
  const value = read(locate(target.document, from)) ?? null;
  const place = locate(target.document, path);
  if (value !== null) target.copiedBytes += Buffer.byteLength(stringifyDeep(value));
  if (target.copiedBytes > maxCopiedBytes) throw new PatchFailure(`copies add up to ${target.copiedBytes} bytes`);
  add(place, cloneJson(value));
}

function check(document: Json, path: string, value: Json): void {
  const found = path === '' ? document : (read(locate(document, path)) ?? null);
  if (!equalJson(found, value)) throw new PatchFailure(`testing value ${path} failed`);
}

interface Place {
  readonly container: Container;
  readonly key: string;
}

/** The container that a pointer's last step reaches into. What comes before the first slash does not count. */
function locate(document: Json, path: string): Place {
  const steps = path.split('/').map((step) => step.replace(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~')));
  const key = steps.pop();
  let container: Json | undefined = document;
  if (key === undefined || steps.length === 0) throw new PatchFailure(`missing path: ${path}`);
  for (const step of steps.slice(1)) {
    container = typeof container === 'object' && container !== null ? read({ container, key: step }) : undefined;
  }
  if (typeof container !== 'object' || container === null) throw new PatchFailure(`missing path: ${path}`);
  return { container, key };
}

function read({ container, key }: Place): Json | undefined {
  return Array.isArray(container) ? container[indexOf(key, container.length, container.length)] : getOwn(container, key);
}

function add({ container, key }: Place, value: Json): void {
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(indexOf(key, container.length + 1, container.length + 1), 0, value);
}

function write({ container, key }: Place, value: Json): void {
  if (Array.isArray(container)) container[indexOf(key, container.length, container.length)] = value;
  else setOwn(container, key, value);
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) {
    container.splice(indexOf(key, container.length, container.length), 1);
  } else {
    if (!Object.hasOwn(container, key)) throw new PatchFailure(`cannot remove missing key: ${key}`);
    delete container[key];
  }
}

/** A list index below `limit`; negative ones count back from `length`. */
function indexOf(key: string, limit: number, length: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw new PatchFailure(`not an index: ${key}`);
  const index = Number(key);
  if (index >= limit || index < -length) throw new PatchFailure(`invalid index: ${key}`);
  return index < 0 ? index + length : index;
}

function textOf(operation: Operation, field: string): string {
  const value = getOwn(operation, field);
  if (typeof value !== 'string') throw new PatchFailure(`operation misses ${field}`);
  return value;
}
