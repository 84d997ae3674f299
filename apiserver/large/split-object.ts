// Objects in parts: their large members as JSON of their own, which is decoded on access. That is rare: between
// decoding and storing, the data of a ConfigMap and the owners of its fields concern only whoever validates and encodes it, and that is
// another process. Reading 1 MB of short keys takes 40 ms.
import type { KubeObject } from '#api/meta/object.ts';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import { parseObject } from '../storage/decoded-objects.ts';

/** An object's JSON: `rest` says null where a part belongs. */
export interface SplitObject {
  readonly rest: Uint8Array;
  readonly parts: readonly Part[];
}

/** A member of the object, or of its metadata. */
interface Part {
  readonly of: 'object' | 'metadata';
  readonly key: string;
  readonly json: Uint8Array;
}

/** Smaller members stay where they are, in characters. */
const partLength = 16_384;

type Members = Record<string, unknown>;
/** A member that was not decoded yet. */
type Unread = ((this: Members) => unknown) & { readonly json: Uint8Array };

/** Splits an object; parts that it came in and that were not accessed are not decoded. */
export function splitObject(object: KubeObject, least: number = partLength): SplitObject {
  const parts: Part[] = [];
  const members = (holder: Members, of: Part['of']): Members => {
    const rest: Members = {};
    for (const key of Object.keys(holder)) {
      const json = of === 'object' && key === 'metadata' ? undefined : jsonOf(holder, key, least);
      if (json === undefined) rest[key] = holder[key];
      else {
        parts.push({ of, key, json });
        rest[key] = null;
      }
    }
    return rest;
  };
  const rest = members(object as unknown as Members, 'object');
  rest['metadata'] = members(object.metadata as Members, 'metadata');
  return { rest: Buffer.from(stringifyDeep(rest)), parts };
}

/** The object, wholly read. */
export function joinObject(split: SplitObject): KubeObject {
  return withParts(split, (holder, key, json) => define(holder, key, parseObject(json)));
}

/** The object, whose parts are decoded on access. */
export function lazyObject(split: SplitObject): KubeObject {
  return withParts(split, (holder, key, json) => {
    // Whose member it is then: it may have been copied with its getter.
    function read(this: Members): unknown {
      const value = parseObject(json);
      define(this, key, value);
      return value;
    }
    function set(this: Members, value: unknown): void {
      define(this, key, value);
    }
    const get: Unread = Object.assign(read, { json });
    Object.defineProperty(holder, key, { get, set, enumerable: true, configurable: true });
  });
}

/** Whether a member of an object, or of its metadata, is a part that was not decoded yet. */
export function isUnread(holder: object, key: string): boolean {
  return Object.getOwnPropertyDescriptor(holder, key)?.get !== undefined;
}

function withParts({ rest, parts }: SplitObject, put: (holder: Members, key: string, json: Uint8Array) => void): KubeObject {
  const object = parseObject(rest);
  for (const { of, key, json } of parts) put((of === 'object' ? object : object.metadata) as Members, key, json);
  return object;
}

function define(holder: Members, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The JSON of a member that is worth being a part. */
function jsonOf(holder: Members, key: string, least: number): Uint8Array | undefined {
  const unread = Object.getOwnPropertyDescriptor(holder, key)?.get as Unread | undefined;
  if (unread !== undefined) return unread.json;
  const value = holder[key];
  if (typeof value !== 'object' || value === null) return undefined;
  const text = stringifyDeep(value);
  return text.length < least ? undefined : Buffer.from(text);
}
