// Writing answers. Every answer goes through `start` or `sendBytes`, so that the headers that all answers share are in one place.
import { gzip, type Gzip } from 'node:zlib';
import type { ApiError, Status } from '#api/meta/status.ts';
import { prettyText, stringifyDeep } from '#api/schema/stringify-deep.ts';
import type { EncodedApiError } from '../large/encoded-error.ts';
import { hasManyValues } from '../large/many-values.ts';
import type { Encoded } from '../registry/contract.ts';
import { turn } from '../work-slice.ts';
import type { Exchange, RawResponse } from './exchange.ts';
import { asksForPretty, errorEncoding, protobufType, type Wanted } from './negotiate.ts';
import { yamlText } from './yaml-text.ts';
import { warningHeaders } from './warnings.ts';

export const jsonType = 'application/json';
/** Answers from this size on are packed for clients that accept it. */
export const gzipThresholdBytes = 128 * 1024;

/** How much of an answer is written before other requests get their turn: one or two milliseconds. */
const partBytes = 256 * 1024;

export type HeaderList = (string | string[])[];

/** Writes the head of an answer whose body follows in pieces. */
export function start(exchange: Exchange, code: number, contentType: string, more: HeaderList = []): void {
  exchange.audit?.started(code);
  exchange.response.writeHead(code, [...headersOf(exchange, contentType, more), ...more]);
}

/** A whole answer. */
export function sendBytes(exchange: Exchange, code: number, contentType: string, bytes: Uint8Array, more?: HeaderList): void {
  const { response } = exchange;
  if (response.headersSent || response.destroyed) return;
  exchange.sentBytes = bytes.length;
  if (bytes.length >= gzipThresholdBytes && acceptsGzip(exchange)) {
    gzip(bytes, { level: 1 }, (error, packed) => {
      if (response.headersSent || response.destroyed) return;
      const headers: HeaderList = error === null ? ['Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'] : [];
      finish(exchange, code, contentType, error === null ? packed : bytes, [...headers, ...(more ?? [])]);
    });
    return;
  }
  finish(exchange, code, contentType, bytes, more);
}

function finish(exchange: Exchange, code: number, contentType: string, bytes: Uint8Array, more: HeaderList | undefined): void {
  const headers = headersOf(exchange, contentType, more);
  headers.push('Content-Length', String(bytes.length));
  if (more !== undefined) headers.push(...more);
  exchange.audit?.finished(code);
  exchange.response.writeHead(code, headers);
  // Without a body to come, writes of parts would wait for ever.
  if (exchange.request.method === 'HEAD') exchange.response.end();
  else if (bytes.length > partBytes) void endInParts(exchange.response, bytes);
  else exchange.response.end(bytes);
}

/** Encrypting a large response in one go would block other requests. */
async function endInParts(response: RawResponse, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += partBytes) {
    const flows = response.write(bytes.subarray(at, at + partBytes));
    await (flows ? turn() : drained(response, response));
  }
  response.end();
}

/** Resolves when the client has read enough, or is gone. */
export function drained(out: RawResponse | Gzip, response: RawResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done);
      response.off('close', done);
      resolve();
    };
    out.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}

export function sendText(exchange: Exchange, code: number, text: string, more: HeaderList = []): void {
  sendBytes(exchange, code, 'text/plain; charset=utf-8', Buffer.from(text), ['X-Content-Type-Options', 'nosniff', ...more]);
}

/** A JSON value in the encoding that the client asked for; JSON where that has no place for it. */
export function sendValue(exchange: Exchange, wanted: Pick<Wanted, 'encoding'>, code: number, value: unknown, more?: HeaderList): void {
  exchange.audit?.answered(value);
  if (wanted.encoding === 'yaml') {
    sendBytes(exchange, code, 'application/yaml', Buffer.from(yamlText(value)), more);
    return;
  }
  const binary = wanted.encoding === 'protobuf' ? exchange.protobuf.object(value as object) : undefined;
  if (binary !== undefined) return sendBytes(exchange, code, protobufType, binary, more);
  // What is written for people ends with its last brace, what is written for programs with a line's end, as upstream's two writers do.
  const text = isPretty(exchange) ? prettyText(value) : `${stringifyDeep(value)}\n`;
  sendBytes(exchange, code, jsonType, Buffer.from(text), more);
}

/** A stored object: its bytes go out as they are, and a line's end. Only where a large one is wanted in another form, that takes a while. */
export function sendEncoded(exchange: Exchange, wanted: Wanted, code: number, encoded: Encoded): Promise<void> | undefined {
  exchange.audit?.answeredJson(encoded.json);
  if (wanted.encoding === 'json' && !isPretty(exchange)) sendBytes(exchange, code, jsonType, lineOf(encoded.json));
  else if (hasManyValues(encoded.json)) return sendRendered(exchange, wanted, code, encoded.json);
  else if (wanted.encoding === 'protobuf') sendValue(exchange, wanted, code, encoded.object());
  else sendValue(exchange, wanted, code, JSON.parse(Buffer.from(encoded.json).toString()));
  return undefined;
}

/** Large JSON in another form. */
async function sendRendered(exchange: Exchange, { encoding }: Pick<Wanted, 'encoding'>, code: number, json: Uint8Array): Promise<void> {
  const as = encoding === 'json' ? 'pretty' : encoding;
  const { bytes } = await exchange.largeWork.do({ do: 'render', json, as }, exchange.signal);
  const types = { yaml: 'application/yaml', pretty: jsonType, protobuf: protobufType };
  sendBytes(exchange, code, bytes === undefined ? jsonType : types[as], bytes ?? json);
}

/** JSON as people read it. */
export function indented(json: Uint8Array): Uint8Array {
  return Buffer.from(prettyText(JSON.parse(Buffer.from(json).toString())));
}

function lineOf(bytes: Uint8Array): Uint8Array {
  const line = Buffer.allocUnsafe(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = 0x0a;
  return line;
}

function sendStatus(exchange: Exchange, wanted: Pick<Wanted, 'encoding'>, status: Status, more?: HeaderList): void {
  const retryAfter = status.details?.retryAfterSeconds;
  const headers: HeaderList = retryAfter === undefined || retryAfter === 0 ? [] : ['Retry-After', String(retryAfter)];
  sendValue(exchange, wanted, status.code, status, [...headers, ...(more ?? [])]);
}

/** Answers with an error in what the client accepts. */
export function sendError(exchange: Exchange, error: ApiError, more?: HeaderList): void {
  sendStatus(exchange, { encoding: errorEncoding(exchange.header('accept')) }, error.toStatus(), more);
}

/** The same for one whose Status another process has written. */
export async function sendEncodedError(exchange: Exchange, { code, json }: EncodedApiError): Promise<void> {
  exchange.audit?.answered(JSON.parse(Buffer.from(json).toString()));
  const encoding = errorEncoding(exchange.header('accept'));
  if (encoding !== 'json' || isPretty(exchange)) return sendRendered(exchange, { encoding }, code, json);
  sendBytes(exchange, code, jsonType, json);
}

/** True where the client wants indented JSON: asked for, or a human with curl or a browser. */
export function isPretty(exchange: Exchange): boolean {
  if (asksForPretty(exchange.header('accept'))) return true;
  const asked = exchange.query.get('pretty') ?? '';
  if (asked !== '') return /^(1|t|T|TRUE|true|True)$/.test(asked);
  const agent = exchange.request.headers['user-agent'];
  return agent !== undefined && (agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0'));
}

export function acceptsGzip(exchange: Exchange): boolean {
  const accepted = exchange.request.headers['accept-encoding'];
  return typeof accepted === 'string' && /(^|,)\s*gzip\s*(,|;(?!\s*q=0\b)|$)/.test(accepted);
}

/** What all answers have; `more` may say otherwise how long an answer is good for. */
function headersOf(exchange: Exchange, contentType: string, more: HeaderList = []): HeaderList {
  const headers: HeaderList = ['Audit-Id', exchange.auditId, 'Content-Type', contentType];
  if (!more.includes('Cache-Control')) headers.push('Cache-Control', 'no-cache, private');
  if (exchange.addedHeaders.length > 0) headers.push(...exchange.addedHeaders);
  const warnings = exchange.warnings.length === 0 ? [] : warningHeaders(exchange.warnings);
  if (warnings.length > 0) headers.push('Warning', warnings);
  return headers;
}
