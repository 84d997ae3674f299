// One HTTP request of a probe or hook, in upstream's manner (pkg/probe/http): no certificate is checked, redirects are followed on the
// same host only, 10 KiB of the answer are kept.
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { V1HTTPGetAction } from '#api/generated/types.ts';

export interface HttpTarget {
  readonly url: URL;
  /** Names in the case they were given. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** It redirected to another host, which is not followed. */
  readonly leadsAway: boolean;
}

const bodyLimitBytes = 10 * 1_024;
const maxRedirects = 10;

/** What to ask for. `host` is the pod's address; throws for a port that is none. */
export function httpTarget(action: V1HTTPGetAction, host: string, port: number): HttpTarget {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const address = action.host === undefined || action.host === '' ? host : action.host;
  const authority = address.includes(':') ? `[${address}]` : address;
  const path = action.path === undefined || action.path === '' ? '/' : action.path;
  const url = new URL(`${scheme}://${authority}:${port}/`);
  const [pathname = '/', ...query] = (path.startsWith('/') ? path : `/${path}`).split('?');
  url.pathname = pathname;
  if (query.length > 0) url.search = query.join('?');
  return { url, headers: (action.httpHeaders ?? []).map(({ name, value }) => [name, value]) };
}

/** Asks, following redirects on the same host. Throws an Error in the words of Go's client. */
export async function askHttp(target: HttpTarget, userAgent: string, signal: AbortSignal): Promise<HttpAnswer> {
  let { url } = target;
  for (let hop = 0; ; hop++) {
    const answer = await askOnce({ ...target, url }, userAgent, signal);
    const location = answer.headers.location;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
    if (!isRedirect) return { status: answer.status, body: answer.body, leadsAway: false };
    const next = new URL(location, url);
    if (next.hostname !== target.url.hostname) return { status: answer.status, body: answer.body, leadsAway: true };
    if (hop + 1 >= maxRedirects) throw new Error(`Get ${JSON.stringify(target.url.href)}: stopped after ${maxRedirects} redirects`);
    url = next;
  }
}

interface Raw {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

function askOnce({ url, headers }: HttpTarget, userAgent: string, signal: AbortSignal): Promise<Raw> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = headersToSend(headers, userAgent);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(signal.aborted ? signal.reason : new Error(dialText(url, error), { cause: error }));
    const options = { method: 'GET', headers: sent, rejectUnauthorized: false, agent: false, signal } as const;
    const request = send(url, options, (response) => {
      readBody(response).then((body) => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }), fail);
    });
    request.on('error', fail);
    request.end();
  });
}

/** Those that the client sets itself, where the values given are empty: left out. */
const leftOut: readonly string[] = ['accept', 'connection', 'host', 'user-agent'];

/** What is given comes before our own, repeated as it was given; of several hosts the first. */
function headersToSend(given: HttpTarget['headers'], userAgent: string): Record<string, string | string[]> {
  const sent = new Map<string, [name: string, values: string[]]>();
  for (const [name, value] of given) {
    const key = name.toLowerCase();
    const known = sent.get(key);
    if (known === undefined) sent.set(key, [name, [value]]);
    else if (key !== 'host') known[1].push(value);
  }
  for (const [name, value] of [
    ['User-Agent', userAgent],
    ['Accept', '*/*'],
    ['Connection', 'close'],
  ] as const) {
    if (!sent.has(name.toLowerCase())) sent.set(name.toLowerCase(), [name, [value]]);
  }
  const kept = [...sent].filter(([key, [, [first]]]) => first !== '' || !leftOut.includes(key));
  return Object.fromEntries(kept.map(([, [name, values]]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    chunks.push(bytes);
    total += bytes.length;
    if (total >= bodyLimitBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, bodyLimitBytes).toString();
}

function dialText(url: URL, error: unknown): string {
  const host = `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}`;
  return `Get ${JSON.stringify(url.href)}: ${connectText(host, error)}`;
}

/** A failed connection as Go words it. */
export function connectText(address: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  const known = words[code];
  if (known !== undefined) return `dial tcp ${address}: ${known}`;
  if (code === 'ECONNRESET') return `read tcp ${address}: read: connection reset by peer`;
  return error instanceof Error ? error.message : String(error);
}
