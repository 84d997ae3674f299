// A proxied request on its way: what goes on to the other side and what comes back, as upstream's UpgradeAwareHandler and Go's
// reverse proxy have it.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { posix } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDeflateRaw, createGunzip, createGzip, createInflateRaw } from 'node:zlib';
import { ApiError } from '#api/meta/status.ts';
import type { Exchange } from '../http/exchange.ts';
import type { HeaderList } from '../http/respond.ts';
import { dialErrorText } from './dial-error.ts';
import { type LinkRules, LinkRewriter, rewriteLink } from './proxy-links.ts';
import type { ProxyTarget } from './proxy-target.ts';

/** Where a request goes: opens it there. */
export interface Destination {
  /** `host:port`, as links of its pages would name it. */
  readonly host: string;
  readonly dial: (
    method: string,
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ) => ClientRequest | Promise<ClientRequest>;
}

/** Headers between neighbours, and those that say who asks. */
const notHandedOn =
  /^(:.*|connection|keep-alive|proxy-.*|te|trailers?|transfer-encoding|upgrade|http2-settings|authorization|impersonate-.*|x-remote-(user|uid|group|extra-.*))$/;
/** What pages of a workload may not say in this server's name. */
const notHandedBack = /^(audit-id|access-control-allow-(credentials|headers|methods|origin))$/;

/** An ordinary connection to an address. */
export function dialTarget({ scheme, host, port }: ProxyTarget): Destination {
  const where = host.includes(':') ? `[${host}]` : host;
  return {
    host: port === '' ? where : `${where}:${port}`,
    dial: (method, path, headers, signal) => {
      const options = { host, method, path, headers, agent: false, signal, ...(port === '' ? {} : { port: Number(port) }) };
      // A workload's CA is unknown, and upstream does not verify it either.
      return scheme === 'https' ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
    },
  };
}

/** A page's relative links need the slash behind `proxy`. */
export function redirectsToRoot(exchange: Exchange): boolean {
  const { info, query, request, response } = exchange;
  const { method } = request;
  if (info.rest !== '' || info.path.endsWith('/') || (method !== 'GET' && method !== 'HEAD')) return false;
  const location = `${goPath(info.path)}/${query.raw === '' ? '' : `?${query.raw}`}`;
  exchange.audit?.started(301);
  response.writeHead(301, [...ownHeaders(exchange), 'Location', location, 'Content-Length', '0']);
  response.end();
  return true;
}

/** The path and query on the other side. */
export function targetPath({ info, query }: Exchange): string {
  const path = goPath(posix.normalize(`/${info.rest}`));
  return query.raw === '' ? path : `${path}?${query.raw}`;
}

/** The headers for the other side. */
export function headersOnward({ request, info }: Exchange): Record<string, string> {
  const onward: Record<string, string> = {};
  const { headers } = request;
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !notHandedOn.test(name) && !named.has(name)) onward[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  onward['host'] = requestHost(request);
  onward['x-forwarded-uri'] = goPath(info.path);
  const from = (request.socket as { remoteAddress?: string }).remoteAddress;
  const before = headers['x-forwarded-for'];
  if (from !== undefined) onward['x-forwarded-for'] = [before ?? [], from].flat().join(', ');
  return onward;
}

/** Forwards the request body and returns the response. Throws ServiceUnavailable where the target does not respond. */
export async function forward(exchange: Exchange, outgoing: ClientRequest, targetHost: string): Promise<void> {
  const { request, response, info } = exchange;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', (error) => reject(notReached(error)));
  });
  // A target may answer before it has read everything.
  pipeline(request, outgoing).catch((error: unknown) => void outgoing.destroy(error as Error));
  const answer = await answered;
  const own = info.path.slice(0, info.path.length - info.rest.length);
  const rules = { prefix: goPath(own.replace(/\/$/, '')), targetHost, requestHost: requestHost(request) };
  const steps = answer.headers.location === undefined ? linkSteps(answer, rules) : undefined;
  exchange.audit?.started(answer.statusCode ?? 502);
  response.writeHead(answer.statusCode ?? 502, headersBack(exchange, answer, rules, steps !== undefined));
  const out = response as unknown as NodeJS.WritableStream;
  const done = steps === undefined ? pipeline(answer, out) : pipeline([answer as Readable, ...steps, out as never]);
  await done.catch(() => void response.destroy());
}

/** What a page goes through so that its links lead back here; undefined for what is no page or cannot be read. */
function linkSteps({ headers }: IncomingMessage, rules: LinkRules): Duplex[] | undefined {
  if ((headers['content-type'] ?? '').split(';')[0]?.trim() !== 'text/html') return undefined;
  const rewriter = new LinkRewriter(rules);
  switch (headers['content-encoding'] ?? '') {
    case '':
      return [rewriter];
    case 'gzip':
      return [createGunzip(), rewriter, createGzip()];
    case 'deflate':
      return [createInflateRaw(), rewriter, createDeflateRaw()];
    default:
      return undefined;
  }
}

function ownHeaders({ auditId, addedHeaders }: Exchange): string[] {
  return ['Audit-Id', auditId, 'Cache-Control', 'no-cache, private', ...addedHeaders];
}

function headersBack(exchange: Exchange, { rawHeaders }: IncomingMessage, rules: LinkRules, isRewritten: boolean): HeaderList {
  const headers: HeaderList = ownHeaders(exchange);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const lower = name.toLowerCase();
    if (notHandedOn.test(lower) || notHandedBack.test(lower) || (isRewritten && lower === 'content-length')) continue;
    headers.push(name, lower === 'location' ? rewriteLink(value, rules) : value);
  }
  return headers;
}

function requestHost({ headers }: Exchange['request']): string {
  return headers.host ?? (headers[':authority'] as string | undefined) ?? '';
}

/** A decoded path as Go writes it into a request. */
function goPath(path: string): string {
  return encodeURIComponent(path)
    .replace(/%(2F|24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function notReached(error: Error): ApiError {
  return new ApiError({ reason: 'ServiceUnavailable', message: `error trying to reach service: ${dialErrorText(error)}`, cause: error });
}
