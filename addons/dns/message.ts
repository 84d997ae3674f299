import { type DecodedPacket, decode, encode, type Packet, type Question } from 'dns-packet';
import type { DnsRecord } from './records.ts';

/** Response codes that we give. */
export const responseCode = {
  ok: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;
export type ResponseCode = (typeof responseCode)[keyof typeof responseCode];

export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly recursionDesired: boolean;
  /** Largest UDP answer that the asker takes, in bytes. */
  readonly udpLimitBytes: number;
  readonly hasEdns: boolean;
  /** The response code that makes the name irrelevant. */
  readonly refusal: ResponseCode | undefined;
}

const plainUdpLimit = 512;
const ourUdpLimit = 1_232;
const flag = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 };
const opcodeMask = 0x7800;

interface Edns {
  readonly type: 'OPT';
  readonly udpPayloadSize?: number;
  readonly ednsVersion?: number;
}

/** A query with exactly one question; undefined for everything else, which is not worth an answer beyond `formatError`. */
export function readQuery(bytes: Buffer): Query | undefined {
  const packet = decodeOrNothing(bytes);
  const [question, ...others] = packet?.questions ?? [];
  if (packet === undefined || packet.type !== 'query' || question === undefined || others.length > 0) return undefined;
  const edns = (packet.additionals ?? []).find(({ type }) => type === 'OPT') as Edns | undefined;
  const isQuery = ((packet.flags ?? 0) & opcodeMask) === 0;
  const isInternet = question.class === undefined || question.class === 'IN' || question.class === 'ANY';
  return {
    id: packet.id ?? 0,
    question,
    recursionDesired: ((packet.flags ?? 0) & flag.recursionDesired) !== 0,
    udpLimitBytes:
      edns === undefined ? plainUdpLimit : Math.min(ourUdpLimit, Math.max(plainUdpLimit, edns.udpPayloadSize ?? plainUdpLimit)),
    hasEdns: edns !== undefined,
    refusal: refusalOf({ isQuery, isInternet, ednsVersion: edns?.ednsVersion ?? 0 }),
  };
}

function refusalOf(query: { isQuery: boolean; isInternet: boolean; ednsVersion: number }): ResponseCode | undefined {
  if (!query.isQuery) return responseCode.notImplemented;
  if (query.ednsVersion > 0) return responseCode.badVersion;
  return query.isInternet ? undefined : responseCode.refused;
}

export interface ReplyParts {
  readonly code: ResponseCode;
  readonly authoritative: boolean;
  readonly answers?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

/**
 * The bytes of a reply. Where it exceeds `limitBytes` (TCP: 65,535), it is cut to as many answers as fit, and says so: who cannot come
 * back over TCP has at least those.
 */
export function writeReply(query: Query, parts: ReplyParts, limitBytes: number): Buffer {
  const whole = build(query, parts, 0);
  if (whole.length <= limitBytes) return whole;
  const withoutExtras = build(query, { ...parts, additionals: [] }, 0);
  if (withoutExtras.length <= limitBytes) return withoutExtras;
  const { answers = [] } = parts;
  const cut = (count: number): Buffer =>
    build(query, { code: parts.code, authoritative: parts.authoritative, answers: answers.slice(0, count) }, flag.truncated);
  let [fits, tooMany] = [0, answers.length];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (cut(middle).length <= limitBytes) fits = middle;
    else tooMany = middle;
  }
  return cut(fits);
}

function build(query: Query, records: ReplyParts, extraFlags: number): Buffer {
  const flags =
    flag.response |
    flag.recursionAvailable |
    (records.authoritative ? flag.authoritative : 0) |
    (query.recursionDesired ? flag.recursionDesired : 0) |
    (records.code & 15) |
    extraFlags;
  // Codes from 16 on have their upper bits there.
  const edns = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: ourUdpLimit,
    flags: 0,
    options: [],
    extendedRcode: records.code >> 4,
    ednsVersion: 0,
  };
  return encode({
    id: query.id,
    type: 'response',
    flags,
    questions: [query.question],
    answers: records.answers ?? [],
    authorities: records.authorities ?? [],
    additionals: [...(records.additionals ?? []), ...(query.hasEdns ? [edns] : [])],
  } as unknown as Packet);
}

/** A question of our own, as the query to hand to a resolver. */
export function writeQuery(name: string, type: string): Buffer {
  return encode({ type: 'query', id: 0, flags: flag.recursionDesired, questions: [{ name, type }] } as unknown as Packet);
}

/** The answers in a resolver's reply, as records to pass on; none where it cannot be read. */
export function readAnswers(bytes: Buffer): readonly DnsRecord[] {
  const answers = (decodeOrNothing(bytes)?.answers ?? []) as unknown as readonly DnsRecord[];
  return answers.filter(({ type }) => type === 'A' || type === 'AAAA' || type === 'CNAME');
}

/** The refusal of a message that could not be read, when at least its id could. */
export function formatError(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 12 || (bytes.readUInt16BE(2) & flag.response) !== 0) return undefined;
  const reply = Buffer.alloc(12);
  reply.writeUInt16BE(bytes.readUInt16BE(0), 0);
  reply.writeUInt16BE(flag.response | responseCode.formatError, 2);
  return reply;
}

function decodeOrNothing(bytes: Buffer): DecodedPacket | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined; // The caller answers with a format error.
  }
}
