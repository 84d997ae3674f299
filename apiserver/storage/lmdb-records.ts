// How revisions, keys and log entries lie in LMDB. Numbers are big-endian, so that byte order is number order.
import { crc32 } from 'node:zlib';
import { StoreError } from './contract.ts';

/** One entry of the log: a change, with enough to find the one before of the same key. */
export interface LogRecord {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly createRevision: number;
  /** 0: there was none. */
  readonly previousRevision: number;
  /** Undefined for deletions. */
  readonly value: Uint8Array | undefined;
}

/** What is kept under a key: where its newest value is in the log. */
export interface KeyRecord {
  readonly modRevision: number;
  readonly createRevision: number;
}

const putType = 1;
const deleteType = 2;
/** Checksum (4), type (1), nothing (1), length of the key (2), createRevision (8), previousRevision (8). */
const headBytes = 24;

export function encodeRevision(revision: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeRevision(bytes, revision, 0);
  return bytes;
}

function writeRevision(bytes: Buffer, revision: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(revision / 2 ** 32), at);
  bytes.writeUInt32BE(revision >>> 0, at + 4);
}

export function decodeRevision(bytes: Uint8Array, offset = 0): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.readUInt32BE(offset) * 2 ** 32 + view.readUInt32BE(offset + 4);
}

export function encodeKeyRecord({ modRevision, createRevision }: KeyRecord): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  writeRevision(bytes, modRevision, 0);
  writeRevision(bytes, createRevision, 8);
  return bytes;
}

export function decodeKeyRecord(bytes: Uint8Array): KeyRecord {
  return { modRevision: decodeRevision(bytes), createRevision: decodeRevision(bytes, 8) };
}

/** The bytes of an entry, in room that `take` gives. */
export function encodeLogRecord(
  { type, key, createRevision, previousRevision, value }: LogRecord,
  take: (bytes: number) => Buffer,
): Buffer {
  const keyBytes = Buffer.byteLength(key);
  const record = take(headBytes + keyBytes + (value?.length ?? 0));
  record[4] = type === 'put' ? putType : deleteType;
  record[5] = 0;
  record.writeUInt16BE(keyBytes, 6);
  record.writeDoubleBE(createRevision, 8);
  record.writeDoubleBE(previousRevision, 16);
  record.write(key, headBytes, 'utf8');
  if (value !== undefined) record.set(value, headBytes + keyBytes);
  record.writeUInt32BE(crc32(record.subarray(4)), 0);
  return record;
}

/** Reads an entry; its value is a part of `bytes`. Throws StoreError 'corrupt', naming `path`, when the checksum does not fit. */
export function decodeLogRecord(bytes: Buffer, path: string): LogRecord {
  if (bytes.length < headBytes || crc32(bytes.subarray(4)) !== bytes.readUInt32BE(0)) {
    throw new StoreError('corrupt', `the database ${path} is damaged: an entry does not match its checksum`);
  }
  const valueAt = headBytes + bytes.readUInt16BE(6);
  const type = bytes[4] === putType ? 'put' : 'delete';
  return {
    type,
    key: bytes.toString('utf8', headBytes, valueAt),
    createRevision: bytes.readDoubleBE(8),
    previousRevision: bytes.readDoubleBE(16),
    value: type === 'put' ? bytes.subarray(valueAt) : undefined,
  };
}

/** When a key expires, and for which of its revisions that holds. Sorts by time. */
export function encodeExpiry(atMs: number, revision: number): Buffer {
  return Buffer.concat([encodeRevision(atMs), encodeRevision(revision)]);
}
