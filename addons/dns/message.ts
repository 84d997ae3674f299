import { type DecodedPacket, decode, encode, type Packet, type Question } from 'dns-packet';
import type { DnsRecord } from './records.ts';

/** Response codes that we give. */
export const responseCode = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 } as const;
export type ResponseCode = (typeof responseCode)[keyof typeof responseCode];

export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly recursionDesired: boolean;
  /** Largest UDP answer that the asker takes, in bytes. */
  readonly udpLimitBytes: number;
  readonly hasEdns: boolean;
}

const plainUdpLimit = 512;
const ourUdpLimit = 1_232;
const flag = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 };

/** A query with exactly one question; undefined for everything else, which is not worth an answer beyond `formatError`. */
export function readQuery(bytes: Buffer): Query | undefined {
  const packet = decodeOrNothing(bytes);
  const [question, ...others] = packet?.questions ?? [];
  if (packet === undefined || packet.type !== 'query' || question === undefined || others.length > 0) return undefined;
  const edns = (packet.additionals ?? []).find(({ type }) => type === 'OPT') as { udpPayloadSize?: number } | undefined;
  return {
    id: packet.id ?? 0,
    question,
    recursionDesired: ((packet.flags ?? 0) & flag.recursionDesired) !== 0,
    udpLimitBytes:
      edns === undefined ? plainUdpLimit : Math.min(ourUdpLimit, Math.max(plainUdpLimit, edns.udpPayloadSize ?? plainUdpLimit)),
    hasEdns: edns !== undefined,
  };
}

export interface ReplyParts {
  readonly code: ResponseCode;
  readonly authoritative: boolean;
  readonly answers?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

/** The bytes of a reply, cut to a truncated one without records where it exceeds `limitBytes` (TCP: Infinity). */
export function writeReply(query: Query, parts: ReplyParts, limitBytes: number): Buffer {
  const flags =
    flag.response |
    flag.recursionAvailable |
    (parts.authoritative ? flag.authoritative : 0) |
    (query.recursionDesired ? flag.recursionDesired : 0) |
    parts.code;
  const opt = query.hasEdns
    ? [{ type: 'OPT', name: '.', udpPayloadSize: ourUdpLimit, flags: 0, options: [], extendedRcode: 0, ednsVersion: 0 }]
    : [];
  const build = (records: ReplyParts, extraFlags: number): Buffer =>
    encode({
      id: query.id,
      type: 'response',
      flags: flags | extraFlags,
      questions: [query.question],
      answers: records.answers ?? [],
      authorities: records.authorities ?? [],
      additionals: [...(records.additionals ?? []), ...opt],
    } as unknown as Packet);
  const whole = build(parts, 0);
  if (whole.length <= limitBytes) return whole;
  const withoutExtras = build({ ...parts, additionals: [] }, 0);
  return withoutExtras.length <= limitBytes
    ? withoutExtras
    : build({ code: parts.code, authoritative: parts.authoritative }, flag.truncated);
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
