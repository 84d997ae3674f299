// Lists in another form than JSON show thousands of objects at a time. The largest part of most is what their owners own
// (metadata.managedFields[].fieldsV1), which every form shows as the JSON that it is: that stays unparsed.
import type { KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { RawJson } from '#api/schema/raw-json.ts';
import type { Encoded } from '../registry/contract.ts';
import { parseObject } from './decoded-objects.ts';
import { closeBracket, comma, depthBetween, eachMember, endOfNested } from './json-scan.ts';

/** Where a `fieldsV1` lies, and in which entry of managedFields. */
interface OwnedFields {
  readonly entry: number;
  readonly start: number;
  readonly end: number;
}

const metadataKey = Buffer.from('"metadata":');
const managedFieldsKey = Buffer.from('"managedFields":');
const fieldsName = Buffer.from('fieldsV1');
const nothing = Buffer.from('null');

/**
 * The object for an answer: where it was not decoded already, its `fieldsV1` are RawJson. Others share it: never change it, and never
 * make JSON of its managedFields.
 */
export function shownObject({ json, decoded }: Shown): KubeObject {
  if (decoded !== undefined) return decoded;
  const start = metadataStart(json);
  const owned = start === undefined ? [] : ownedFields(json, start);
  return parseAround(json, owned, (object: KubeObject) => object.metadata);
}

/** The metadata of `shownObject`. */
export function shownMetadata(encoded: Shown): ObjectMeta {
  if (encoded.decoded !== undefined) return encoded.decoded.metadata;
  const json = metadataJson(encoded);
  return parseAround(json, ownedFields(json, 0), (metadata: ObjectMeta) => metadata);
}

/** The JSON of an object's metadata, which is a part of the object's. */
export function metadataJson({ json, decoded }: Shown): Uint8Array {
  const start = metadataStart(json);
  const end = start === undefined ? undefined : endOfNested(json, start);
  return end === undefined ? Buffer.from(JSON.stringify((decoded ?? parseObject(json)).metadata)) : json.subarray(start, end);
}

type Shown = Pick<Encoded, 'json' | 'decoded'>;

/** Objects begin with their kind, their version and their metadata (served-form.ts). */
function metadataStart(json: Uint8Array): number | undefined {
  const at = bufferOf(json).indexOf(metadataKey);
  return at >= 0 && depthBetween(json, 0, at) === 1 ? at + metadataKey.length : undefined;
}

/** Of the metadata that begin at `start`; none where something looks otherwise than as stored. */
function ownedFields(json: Uint8Array, start: number): readonly OwnedFields[] {
  const key = bufferOf(json).indexOf(managedFieldsKey, start);
  if (key < 0 || depthBetween(json, start, key) !== 1) return [];
  const owned: OwnedFields[] = [];
  let at = key + managedFieldsKey.length;
  for (let entry = 0; ; entry++) {
    const end = eachMember(json, at + 1, (nameStart, nameEnd, valueStart, valueEnd) => {
      if (fieldsName.equals(json.subarray(nameStart, nameEnd))) owned.push({ entry, start: valueStart, end: valueEnd });
    });
    if (end === undefined) return [];
    if (json[end] === closeBracket) return owned;
    if (json[end] !== comma) return [];
    at = end;
  }
}

/** Parses JSON, but for these parts of it. `metadataOf`: where of what comes of it they belong. */
function parseAround<T>(json: Uint8Array, owned: readonly OwnedFields[], metadataOf: (parsed: T) => ObjectMeta): T {
  if (owned.length === 0) return parseObject(json) as T;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end } of owned) {
    pieces.push(json.subarray(at, start), nothing);
    at = end;
  }
  const parsed = parseObject(Buffer.concat([...pieces, json.subarray(at)])) as T;
  const { managedFields = [] } = metadataOf(parsed);
  for (const { entry, start, end } of owned)
    Object.assign(managedFields[entry] ?? {}, { fieldsV1: new RawJson(json.subarray(start, end)) });
  return parsed;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
