// A request that leaves HTTP is handed on byte for byte: once both sides have agreed, nothing here looks into it, so WebSocket
// and SPDY, and what comes after them, all pass.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Exchange, Upgrade } from '../http/exchange.ts';
import { start } from '../http/respond.ts';
import { unreachable } from './kubelet-connection.ts';

/** Headers of the client that make the agreement; besides them only those go on that the caller gives, least of all credentials. */
const handedOn = [
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'x-stream-protocol-version',
  'origin',
];

const maxRefusalLength = 4_096;

/** Starts the same request on the other side. */
type Open = (method: string, headers: Record<string, string>) => Promise<ClientRequest>;

export interface TunnelOptions {
  readonly upgrade: Upgrade;
  /** What else to say to the other side. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly open: Open;
  /** Reports a rejected upgrade in the client's protocol. Default: forwards the response. */
  readonly refuse?: (why: string) => Promise<void>;
}

/** Joins the client's connection with one that `open` makes, until either side ends. */
export async function tunnel(exchange: Exchange, { upgrade, headers: more, open, refuse: refuseUpgrade }: TunnelOptions): Promise<void> {
  const { request } = exchange;
  const headers: Record<string, string> = { ...more, Connection: 'Upgrade', Upgrade: request.headers.upgrade ?? upgrade.protocol };
  for (const name of handedOn) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const method = request.method ?? 'GET';
  if (method !== 'GET') headers['Content-Length'] = '0';
  const outgoing = await open(method, headers);
  const result = await agree(outgoing);
  if (result.kind === 'refused') {
    return refuseUpgrade === undefined ? refuse(exchange, result.answer) : await refuseUpgrade(await startOf(result.answer));
  }
  const { answer, socket, head } = result;
  exchange.audit?.started(101);
  upgrade.socket.write(responseHead(answer));
  await join(upgrade, socket, head);
}

type Agreement =
  | { readonly kind: 'agreed'; readonly answer: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly answer: IncomingMessage };

function agree(outgoing: ClientRequest): Promise<Agreement> {
  return new Promise((resolve, reject) => {
    outgoing.on('upgrade', (answer, socket, head) => resolve({ kind: 'agreed', answer, socket, head }));
    outgoing.on('response', (answer) => resolve({ kind: 'refused', answer }));
    outgoing.on('error', (error) => reject(unreachable(error)));
    outgoing.end();
  });
}

/** The other side said no in plain HTTP: its answer is the client's. */
function refuse(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  start(exchange, answer.statusCode ?? 502, answer.headers['content-type'] ?? 'text/plain; charset=utf-8');
  answer.pipe(exchange.response as unknown as NodeJS.WritableStream);
  return new Promise((resolve) => answer.on('close', resolve));
}

/** The body of an error response, up to a limit. */
async function startOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > maxRefusalLength) break;
  }
  return text.slice(0, maxRefusalLength).trim();
}

function responseHead(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? 'Switching Protocols'}`];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join({ socket: client, head: clientHead }: Upgrade, server: Duplex, serverHead: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (clientHead.length > 0) server.write(clientHead);
    if (serverHead.length > 0) client.write(serverHead);
    client.on('error', () => client.destroy());
    server.on('error', () => server.destroy());
    // What the server said last still has to reach the client; what the client sent last is irrelevant once it is gone.
    client.on('close', () => {
      server.destroy();
      resolve();
    });
    server.on('close', () => {
      if (client.writableFinished) client.destroy();
      else client.end(() => client.destroy());
    });
    client.pipe(server);
    server.pipe(client);
  });
}
