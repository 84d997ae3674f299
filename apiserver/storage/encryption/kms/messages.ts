// The messages of a KMS plugin (k8s.io/kms/apis/v2) and the form in which a value lies in the store (kmsv2/v2 EncryptedObject), as bytes.
import protobuf from 'protobufjs/minimal.js';

const { Reader, Writer } = protobuf;
type Reading = protobuf.Reader;
type Writing = protobuf.Writer;

export const kmsMethods = {
  status: '/v2.KeyManagementService/Status',
  encrypt: '/v2.KeyManagementService/Encrypt',
  decrypt: '/v2.KeyManagementService/Decrypt',
} as const;

export interface PluginStatus {
  readonly version: string;
  /** `ok`, or what is wrong. */
  readonly healthz: string;
  /** The key that the plugin encrypts with now. */
  readonly keyId: string;
}

/** What a plugin made of a secret, and needs to open it again. */
export interface Wrapped {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
  readonly annotations: ReadonlyMap<string, Uint8Array>;
}

/** What the source of a value's key is. */
export const sourceTypes = { aesGcmKey: 0, hkdfSeed: 1 } as const;

/** How the key of a value lies beside it. */
export interface KeySource extends Wrapped {
  /** One of `sourceTypes`, or an unknown one. */
  readonly type: number;
}

/** A value in two parts: what its cipher made, and the description of its key. */
interface EncryptedObject {
  readonly data: Uint8Array;
  /** Bytes of the other fields: the same for all values of one key. */
  readonly tail: Uint8Array;
}

export function decodeStatus(bytes: Uint8Array): PluginStatus {
  const answer = { version: '', healthz: '', keyId: '' };
  fields(Reader.create(bytes), (field, reader) => {
    if (field === 1) answer.version = reader.string();
    else if (field === 2) answer.healthz = reader.string();
    else if (field === 3) answer.keyId = reader.string();
    else return false;
    return true;
  });
  return answer;
}

export function encodeEncryptRequest(plaintext: Uint8Array, uid: string): Uint8Array {
  return Writer.create().uint32(tag(1)).bytes(plaintext).uint32(tag(2)).string(uid).finish();
}

export function decodeEncryptResponse(bytes: Uint8Array): Wrapped {
  const annotations = new Map<string, Uint8Array>();
  const answer = { ciphertext: nothing, keyId: '', annotations };
  fields(Reader.create(bytes), (field, reader) => {
    if (field === 1) answer.ciphertext = reader.bytes();
    else if (field === 2) answer.keyId = reader.string();
    else if (field === 3) annotation(reader, annotations);
    else return false;
    return true;
  });
  return answer;
}

export function encodeDecryptRequest({ ciphertext, keyId, annotations }: Wrapped, uid: string): Uint8Array {
  const writer = Writer.create().uint32(tag(1)).bytes(ciphertext).uint32(tag(2)).string(uid).uint32(tag(3)).string(keyId);
  return writeAnnotations(writer, 4, annotations).finish();
}

export function decodeDecryptResponse(bytes: Uint8Array): Uint8Array {
  let plaintext = nothing;
  fields(Reader.create(bytes), (field, reader) => {
    if (field !== 1) return false;
    plaintext = reader.bytes();
    return true;
  });
  return plaintext;
}

/** What stands behind the data of every value that this key sealed. */
export function encodeTail({ ciphertext, keyId, annotations, type }: KeySource): Uint8Array {
  const writer = Writer.create().uint32(tag(2)).string(keyId).uint32(tag(3)).bytes(ciphertext);
  writeAnnotations(writer, 4, annotations);
  if (type !== 0) writer.uint32(tag(5, 0)).int32(type);
  return writer.finish();
}

export function decodeTail(tail: Uint8Array): KeySource {
  const annotations = new Map<string, Uint8Array>();
  const source = { ciphertext: nothing, keyId: '', annotations, type: 0 };
  fields(Reader.create(tail), (field, reader) => {
    if (field === 2) source.keyId = reader.string();
    else if (field === 3) source.ciphertext = reader.bytes();
    else if (field === 4) annotation(reader, annotations);
    else if (field === 5) source.type = reader.int32();
    else return false;
    return true;
  });
  return source;
}

/** What stands before data of this length. */
export function encodeDataHead(length: number): Uint8Array {
  return Writer.create().uint32(tag(1)).uint32(length).finish();
}

/** Throws where the bytes are no such message. */
export function splitObject(bytes: Uint8Array): EncryptedObject {
  const reader = Reader.create(bytes);
  // Whoever wrote it wrote the fields in order; others are sorted out.
  if (bytes[0] === tag(1)) {
    reader.uint32();
    const data = reader.bytes();
    return { data, tail: bytes.subarray(reader.pos) };
  }
  let data = nothing;
  const rest: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const head = reader.uint32();
    if (head === tag(1)) data = reader.bytes();
    else {
      reader.skipType(head % 8);
      rest.push(bytes.subarray(start, reader.pos));
    }
  }
  return { data, tail: Buffer.concat(rest) };
}

const nothing: Uint8Array = Buffer.alloc(0);

function tag(field: number, wire = 2): number {
  return field * 8 + wire;
}

function fields(reader: Reading, take: (field: number, reader: Reading) => boolean, end = reader.len): void {
  while (reader.pos < end) {
    const head = reader.uint32();
    if (!take(Math.floor(head / 8), reader)) reader.skipType(head % 8);
  }
}

function annotation(reader: Reading, into: Map<string, Uint8Array>): void {
  const length = reader.uint32();
  let [key, value] = ['', nothing];
  const take = (field: number): boolean => {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.bytes();
    else return false;
    return true;
  };
  fields(reader, take, reader.pos + length);
  into.set(key, value);
}

/** Sorted, so that the same ones always are the same bytes. */
function writeAnnotations(writer: Writing, field: number, annotations: ReadonlyMap<string, Uint8Array>): Writing {
  for (const [key, value] of [...annotations].sort(([a], [b]) => (a < b ? -1 : 1))) {
    writer.uint32(tag(field)).fork().uint32(tag(1)).string(key).uint32(tag(2)).bytes(value).ldelim();
  }
  return writer;
}
