// The part of etcd's v3 API that the engine uses, as bytes: field numbers as etcd publishes them in rpc.proto and kv.proto. All of it is
// in 3.4 already. Revisions stay below 2^53, lease ids are chosen by us below 2^53: plain numbers do. Values are parts of the message
// that they came in; who keeps one for long copies it.
import protobuf from 'protobufjs/minimal.js';
import { hasPlace, splitPlace, withPlace } from './commit-place.ts';

const { Reader, Writer } = protobuf;
type Reading = protobuf.Reader;
type Writing = protobuf.Writer;

export const methods = {
  range: '/etcdserverpb.KV/Range',
  txn: '/etcdserverpb.KV/Txn',
  compact: '/etcdserverpb.KV/Compact',
  watch: '/etcdserverpb.Watch/Watch',
  grant: '/etcdserverpb.Lease/LeaseGrant',
  status: '/etcdserverpb.Maintenance/Status',
  members: '/etcdserverpb.Cluster/MemberList',
} as const;

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** How often the key was written since it was made. */
  readonly version: number;
  /** How many changes of its transaction came behind the one that made it. */
  readonly behind: number;
}

export interface RangeRequest {
  readonly key: string;
  /** Behind the last key; undefined: `key` alone. */
  readonly end?: string | Uint8Array;
  readonly limit?: number;
  /** As it was at this revision; undefined: the newest, as a majority of the members knows it. */
  readonly revision?: number | undefined;
  readonly countOnly?: boolean;
}

export interface RangeResponse {
  readonly revision: number;
  readonly items: readonly KeyValue[];
  readonly more: boolean;
}

/** What must hold of `key` for the success branch. */
export interface Guard {
  readonly key: string;
  readonly compare: 'version' | 'modRevision';
  /** 0: the key must not exist. */
  readonly equals: number;
}

export type Change =
  | {
      readonly do: 'put';
      readonly key: string;
      readonly value: Uint8Array;
      readonly lease?: number | undefined;
      /** How many changes of the transaction come behind it; default 0. */
      readonly behind?: number;
    }
  | { readonly do: 'delete'; readonly key: string };

/** Changes that are made where all guards hold; else the first one's key is read. */
export interface Conditional {
  readonly guards: readonly Guard[];
  readonly changes: readonly Change[];
}

export interface Outcome {
  readonly succeeded: boolean;
  /** Where the guard did not hold: what is there. */
  readonly current: KeyValue | undefined;
}

export interface TxnResponse extends Outcome {
  readonly revision: number;
}

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly kv: KeyValue;
  readonly previous: KeyValue | undefined;
}

export interface WatchResponse {
  readonly revision: number;
  readonly isCreated: boolean;
  readonly isCanceled: boolean;
  /** Above 0: history before it is gone. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More of the same revision follows. */
  readonly isFragment: boolean;
  readonly events: readonly WatchEvent[];
}

const targets = { version: 0, modRevision: 2 } as const;
const compareFields = { version: 4, modRevision: 6 } as const;

export function encodeRange(request: RangeRequest): Uint8Array {
  return rangeBody(Writer.create(), request).finish();
}

export function encodeTxn(only: Conditional): Uint8Array {
  return txnBody(Writer.create(), only).finish();
}

/** Each for itself, in one transaction, where the guard holds; no key may be changed twice. */
export function encodeTogether(parts: readonly Conditional[], guard: Guard): Uint8Array {
  const writer = Writer.create();
  compareBody(writer, guard);
  for (const part of parts) inside(writer, 2, (operation) => inside(operation, 4, (body) => txnBody(body, part)));
  elseRead(writer, guard);
  return writer.finish();
}

export function encodeCompaction(revision: number): Uint8Array {
  return Writer.create().uint32(tag(1, 0)).int64(revision).finish();
}

/** A lease that nobody keeps alive: what hangs on it goes when its time is up. */
export function encodeGrant(id: number, ttlSeconds: number): Uint8Array {
  return Writer.create().uint32(tag(1, 0)).int64(ttlSeconds).uint32(tag(2, 0)).int64(id).finish();
}

/** A watch of every key, with the values before and with word of progress where nothing happens. */
export function encodeWatch(startRevision: number): Uint8Array {
  const writer = Writer.create();
  inside(writer, 1, (create) => {
    create.uint32(tag(1, 2)).bytes(everything).uint32(tag(2, 2)).bytes(everything).uint32(tag(3, 0)).int64(startRevision);
    create.uint32(tag(4, 0)).bool(true).uint32(tag(6, 0)).bool(true).uint32(tag(8, 0)).bool(true);
  });
  return writer.finish();
}

export function decodeRange(bytes: Uint8Array): RangeResponse {
  const items: KeyValue[] = [];
  const answer = { revision: 0, items, more: false };
  fields(Reader.create(bytes), (field, reader) => {
    if (field === 1) answer.revision = headerRevision(reader);
    else if (field === 2) items.push(keyValue(reader));
    else if (field === 3) answer.more = reader.bool();
    else return false;
    return true;
  });
  return answer;
}

export function decodeTxn(bytes: Uint8Array): TxnResponse {
  let revision = 0;
  const answer = { succeeded: false, current: undefined };
  fields(Reader.create(bytes), (field, reader) => {
    if (field !== 1) return takeOutcome(answer, field, reader);
    revision = headerRevision(reader);
    return true;
  });
  return { revision, ...answer };
}

/** What became of each part; of none where the guard of all did not hold. */
export function decodeTogether(bytes: Uint8Array): TxnResponse & { readonly answers: readonly Outcome[] } {
  let revision = 0;
  const answers: Outcome[] = [];
  const all: Answer = { succeeded: false, current: undefined };
  // Whether it succeeded comes before what it answers.
  fields(Reader.create(bytes), (field, reader) => {
    if (field === 1) revision = headerRevision(reader);
    else if (field === 3 && all.succeeded) answers.push(outcomeInside(reader));
    else return takeOutcome(all, field, reader);
    return true;
  });
  return { revision, answers, ...all };
}

export function decodeWatch(bytes: Uint8Array): WatchResponse {
  const events: WatchEvent[] = [];
  const answer = { revision: 0, isCreated: false, isCanceled: false, compactRevision: 0, cancelReason: '', isFragment: false, events };
  fields(Reader.create(bytes), (field, reader) => {
    if (field === 1) answer.revision = headerRevision(reader);
    else if (field === 3) answer.isCreated = reader.bool();
    else if (field === 4) answer.isCanceled = reader.bool();
    else if (field === 5) answer.compactRevision = whole(reader);
    else if (field === 6) answer.cancelReason = reader.string();
    else if (field === 7) answer.isFragment = reader.bool();
    else if (field === 11) events.push(watchEvent(reader));
    else return false;
    return true;
  });
  return answer;
}

/** The bytes that a member's database takes, of its answer to an empty `status`. */
export function decodeDatabaseSize(bytes: Uint8Array): number {
  let size = 0;
  fields(Reader.create(bytes), (field, reader) => {
    if (field !== 3) return false;
    size = whole(reader);
    return true;
  });
  return size;
}

/** A member of the cluster, as another one knows it. */
export interface EtcdMember {
  readonly id: string;
  readonly clientUrls: readonly string[];
  /** It takes no calls yet. */
  readonly isLearner: boolean;
}

/** The members, of the answer to an empty `members`, and which of them answered. */
export function decodeMembers(bytes: Uint8Array): { readonly answeredBy: string; readonly members: readonly EtcdMember[] } {
  let answeredBy = '';
  const members: EtcdMember[] = [];
  fields(Reader.create(bytes), (field, reader) => {
    if (field === 1) message(reader, (part) => part === 2 && (answeredBy = identity(reader)) !== '');
    else if (field === 2) members.push(member(reader));
    else return false;
    return true;
  });
  return { answeredBy, members };
}

/** The first key that does not start with `prefix`, for the end of a range. Prefixes end in a character of ASCII. */
export function prefixEnd(prefix: string): Uint8Array {
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** As the start and the end of a range: all keys. */
const everything = new Uint8Array([0]);
const nothing: Uint8Array = new Uint8Array();

function tag(field: number, wireType: number): number {
  return field * 8 + wireType;
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}

function inside(writer: Writing, field: number, write: (writer: Writing) => unknown): void {
  writer.uint32(tag(field, 2)).fork();
  write(writer);
  writer.ldelim();
}

function rangeBody(writer: Writing, { key, end, limit, revision, countOnly }: RangeRequest): Writing {
  writer.uint32(tag(1, 2)).bytes(utf8(key));
  if (end !== undefined) writer.uint32(tag(2, 2)).bytes(typeof end === 'string' ? utf8(end) : end);
  if (limit !== undefined) writer.uint32(tag(3, 0)).int64(limit);
  if (revision !== undefined) writer.uint32(tag(4, 0)).int64(revision);
  if (countOnly === true) writer.uint32(tag(9, 0)).bool(true);
  return writer;
}

function txnBody(writer: Writing, { guards, changes }: Conditional): Writing {
  for (const guard of guards) compareBody(writer, guard);
  for (const change of changes) {
    inside(writer, 2, (operation) => {
      if (change.do === 'delete') inside(operation, 3, (body) => body.uint32(tag(1, 2)).bytes(utf8(change.key)));
      else inside(operation, 2, (body) => putBody(body, change));
    });
  }
  const [first] = guards;
  if (first !== undefined) elseRead(writer, first);
  return writer;
}

function compareBody(writer: Writing, guard: Guard): void {
  inside(writer, 1, (compare) => {
    compare.uint32(tag(1, 0)).int32(0).uint32(tag(2, 0)).int32(targets[guard.compare]).uint32(tag(3, 2)).bytes(utf8(guard.key));
    compare.uint32(tag(compareFields[guard.compare], 0)).int64(guard.equals);
  });
}

function elseRead(writer: Writing, { key }: Guard): void {
  inside(writer, 3, (operation) => inside(operation, 1, (body) => rangeBody(body, { key })));
}

function putBody(writer: Writing, { key, value, lease, behind = 0 }: Extract<Change, { do: 'put' }>): void {
  writer.uint32(tag(1, 2)).bytes(utf8(key)).uint32(tag(2, 2)).bytes(withPlace(value, behind));
  if (lease !== undefined) writer.uint32(tag(3, 0)).int64(lease);
}

/** Reads the fields of a message; `take` answers false for those that it leaves. */
function fields(reader: Reading, take: (field: number, reader: Reading) => boolean, end = reader.len): void {
  while (reader.pos < end) {
    const head = reader.uint32();
    if (!take(Math.floor(head / 8), reader)) reader.skipType(head % 8);
  }
}

function message(reader: Reading, take: (field: number, reader: Reading) => boolean): void {
  const length = reader.uint32();
  fields(reader, take, reader.pos + length);
}

function headerRevision(reader: Reading): number {
  let revision = 0;
  message(reader, (field) => {
    if (field !== 3) return false;
    revision = whole(reader);
    return true;
  });
  return revision;
}

function keyValue(reader: Reading): KeyValue {
  const kv = { key: '', value: nothing, createRevision: 0, modRevision: 0, version: 0, behind: 0 };
  message(reader, (field) => {
    if (field === 1) kv.key = reader.string();
    else if (field === 2) kv.createRevision = whole(reader);
    else if (field === 3) kv.modRevision = whole(reader);
    else if (field === 4) kv.version = whole(reader);
    else if (field === 5) kv.value = reader.bytes();
    else return false;
    return true;
  });
  return hasPlace(kv.value) ? Object.assign(kv, splitPlace(kv.value)) : kv;
}

function member(reader: Reading): EtcdMember {
  const clientUrls: string[] = [];
  const found = { id: '', clientUrls, isLearner: false };
  message(reader, (field) => {
    if (field === 1) found.id = identity(reader);
    else if (field === 4) clientUrls.push(reader.string());
    else if (field === 5) found.isLearner = reader.bool();
    else return false;
    return true;
  });
  return found;
}

/** Too large for a number. */
function identity(reader: Reading): string {
  const { high, low } = reader.uint64();
  return `${high}:${low}`;
}

/** A number that is not negative. */
function whole(reader: Reading): number {
  const { high, low } = reader.uint64();
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}

/** The answer to a transaction within a transaction. */
function outcomeInside(reader: Reading): Outcome {
  const answer = { succeeded: false, current: undefined };
  message(reader, (operation) => {
    if (operation !== 4) return false;
    message(reader, (field) => takeOutcome(answer, field, reader));
    return true;
  });
  return answer;
}

interface Answer {
  succeeded: boolean;
  current: KeyValue | undefined;
}

function takeOutcome(answer: Answer, field: number, reader: Reading): boolean {
  if (field === 2) answer.succeeded = reader.bool();
  else if (field === 3) answer.current = rangeInside(reader) ?? answer.current;
  else return false;
  return true;
}

/** The first item of a range that answers an operation of a transaction. */
function rangeInside(reader: Reading): KeyValue | undefined {
  let found: KeyValue | undefined;
  message(reader, (operation) => {
    if (operation !== 1) return false;
    message(reader, (field) => {
      if (field !== 2) return false;
      found = keyValue(reader);
      return true;
    });
    return true;
  });
  return found;
}

function watchEvent(reader: Reading): WatchEvent {
  let type: WatchEvent['type'] = 'put';
  let kv: KeyValue | undefined;
  let previous: KeyValue | undefined;
  message(reader, (field) => {
    if (field === 1) type = reader.int32() === 1 ? 'delete' : 'put';
    else if (field === 2) kv = keyValue(reader);
    else if (field === 3) previous = keyValue(reader);
    else return false;
    return true;
  });
  if (kv === undefined) throw new Error('etcd told an event without a key');
  return { type, kv, previous };
}
