// The door: one TLS port for HTTP/2 and HTTP/1.1, through fastify with one catch-all route. Fastify's own routing, parsing and
// replying are off (every URL is rewritten to the one route, whose first hook takes the request over), so that bytes come and go
// as they are. Upgrades (WebSocket, SPDY) take the same way with an answer object of their own.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fastify, type FastifyInstance } from 'fastify';
import type { ProtobufEncoder } from '#api/schema/protobuf-encoder.ts';
import type { LargeWork } from '../large/contract.ts';
import type { Clock } from '#base/clock.ts';
import { UsageError } from '#base/lifecycle.ts';
import { acceptInTurns } from './accept-in-turns.ts';
import { Exchange, type RawRequest, type RawResponse, type Upgrade } from './exchange.ts';
import type { Next } from './filters/filter.ts';
import { isLongRunning } from './long-running.ts';
import { answerPlainHttp } from './plain-http.ts';
import { Query } from './query.ts';
import { refuseBytes } from './refuse-bytes.ts';
import { parseRequestInfo } from './request-info.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly minTls: 'TLSv1.2' | 'TLSv1.3';
  /** For OpenSSL; undefined: its default. */
  readonly ciphers: string | undefined;
  readonly streamsPerConnection: number;
  /** Certificates of the authorities that sign clients' certificates. */
  readonly clientCa: string | undefined;
  /** Writes answers for clients that want protobuf. */
  readonly protobuf: ProtobufEncoder;
  /** Writes large answers in other forms than the stored one. */
  readonly largeWork: LargeWork;
  /** Called for connections whose handshake fails. */
  readonly onHandshakeError?: (() => void) | undefined;
}

const idleMs = 90_000;
const headersMs = 32_000;
const maxHeaderBytes = 1024 * 1024;
const windowBytes = 256 * 1024;
const streamEndMs = 1_000;

export class Listener {
  readonly #clock: Clock;
  readonly #handle: Next;
  readonly #options: ListenerOptions;
  readonly #open = new Set<Exchange>();
  readonly #sockets = new Set<Duplex>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #closing = new AbortController();
  #app: FastifyInstance<Http2SecureServer> | undefined;
  #onEnd: (() => void) | undefined;

  constructor(options: ListenerOptions, handle: Next, clock: Clock) {
    this.#options = options;
    this.#handle = handle;
    this.#clock = clock;
  }

  /** Requests whose answers are not complete. */
  get openRequests(): number {
    return this.#open.size;
  }

  /** The port that is really listened on. */
  get port(): number {
    return (this.#app?.server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  /** Shows another certificate, and trusts other clients, from the next connection on. Throws where the pair is none. */
  setTls({ cert, key, clientCa }: Pick<ListenerOptions, 'cert' | 'key' | 'clientCa'>): void {
    const { minTls: minVersion, ciphers } = this.#options;
    this.#app?.server.setSecureContext({ cert, key, ...optional({ ca: clientCa, ciphers }), minVersion });
  }

  /** Begins to accept connections. A taken port becomes a UsageError of one sentence. */
  async listen(): Promise<void> {
    const { host, port, cert, key, clientCa, minTls, ciphers, streamsPerConnection } = this.#options;
    const app = fastify({
      http2: true,
      https: {
        allowHTTP1: true,
        cert,
        key,
        ...optional({ ca: clientCa, ciphers }),
        requestCert: clientCa !== undefined,
        // A bad certificate is answered with 401, not with a broken connection, as upstream does.
        rejectUnauthorized: false,
        minVersion: minTls,
        settings: { maxConcurrentStreams: streamsPerConnection, initialWindowSize: windowBytes },
      },
      rewriteUrl: (request) => {
        routeAnyMethod(request as unknown as Routed);
        return '/';
      },
      clientErrorHandler: refuseBytes,
      logger: false,
    });
    app.removeAllContentTypeParsers();
    app.addHook('onRequest', (request, reply) => {
      reply.hijack();
      const raw = request.raw as unknown as RawRequest & Routed;
      if (raw.originalMethod !== undefined) raw.method = raw.originalMethod;
      this.#accept(raw, reply.raw as unknown as RawResponse, raw.originalUrl ?? '/', undefined);
    });
    app.all('/', () => undefined);
    this.#app = app as unknown as FastifyInstance<Http2SecureServer>;
    this.#takeOtherMethods(this.#app.server);
    this.#wire(this.#app.server);
    try {
      await app.listen({ host, port });
    } catch (error) {
      throw listenFailure(error, host, port);
    }
  }

  /**
   * Takes no new connections, lets open requests finish for as long as `signal` lasts, and cuts what is left. Streams, which have
   * been told to end, get a moment only.
   */
  async close(signal: AbortSignal): Promise<void> {
    const { server } = this.#app ?? {};
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    this.#closing.abort();
    for (const session of this.#sessions) session.close();
    await this.drained(signal);
    using moment = this.#clock.deadline(signal, streamEndMs);
    await this.#until(() => this.#open.size === 0, moment.signal);
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Resolves when no request is open but such as may last, or when the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    await this.#until(() => [...this.#open].every(({ info }) => isLongRunning(info)), signal);
  }

  /** Resolves when `isDone` holds, looked at whenever a request ends, or when the signal aborts. */
  async #until(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    if (isDone() || signal.aborted) return;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#onEnd = () => {
        if (isDone()) resolve();
      };
    });
    this.#onEnd = undefined;
  }

  /** HTTP/2 has any method, fastify's routes only those that it knows: the others come past it. */
  #takeOtherMethods(server: Http2SecureServer): void {
    const known = new Set(this.#app?.supportedMethods);
    const [routed] = server.listeners('request');
    if (routed === undefined) throw new Error('fastify listens for requests');
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (known.has(request.method)) routed.call(server, request, response);
      else this.#accept(request as unknown as RawRequest, response as unknown as RawResponse, request.url, undefined);
    });
  }

  #wire(server: Http2SecureServer): void {
    const timeouts = { keepAliveTimeout: idleMs, headersTimeout: headersMs, maxHeaderSize: maxHeaderBytes };
    Object.assign(server, { ...timeouts, shouldUpgradeCallback: leavesHttp });
    // What lies below TLS, so that handshakes that never end are cut, too.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => (socket as Socket).setNoDelay(true));
    acceptInTurns(server, this.#clock, this.#closing.signal);
    answerPlainHttp(server);
    server.on('tlsClientError', () => this.#options.onHandshakeError?.());
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      // What breaks a connection breaks its requests: they are notified by themselves.
      session.on('error', () => session.destroy());
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => {
      response.detachSocket(socket as Socket);
      socket.end();
      // Node's own server would say so; this answer is ours alone.
      response.emit('close');
    });
    socket.on('error', () => socket.destroy());
    const protocol = (request.headers.upgrade ?? '').toLowerCase();
    this.#accept(request, response, request.url ?? '/', { protocol, socket, head });
  }

  #accept(request: RawRequest, response: RawResponse, url: string, upgrade: Upgrade | undefined): void {
    const mark = url.indexOf('?');
    const query = mark < 0 ? Query.empty : new Query(url.slice(mark + 1));
    const path = decodePath(mark < 0 ? url : url.slice(0, mark));
    if (path === undefined) return refuseRequest(response, 400, '400 Bad Request');
    const info = parseRequestInfo(request.method ?? 'GET', path, query);
    if (info === undefined) {
      const why = `failed to create RequestInfo: unable to determine kind and namespace from url, ${url}`;
      return refuseRequest(response, 500, `Internal Server Error: ${JSON.stringify(url)}: ${why}\n`, ['X-Content-Type-Options', 'nosniff']);
    }
    const given = request.headers['audit-id'];
    const auditId = typeof given === 'string' && /^[\x21-\x7e]{1,64}$/.test(given) ? given : randomUUID();
    const { protobuf, largeWork } = this.#options;
    const exchange = new Exchange({
      request,
      response,
      info,
      query,
      uri: url,
      auditId,
      startMs: this.#clock.monotonicMs(),
      upgrade,
      protobuf,
      largeWork,
    });
    this.#open.add(exchange);
    response.once('close', () => {
      this.#open.delete(exchange);
      this.#onEnd?.();
    });
    // The outermost filter answers failures, so nothing is left to catch here.
    void this.#handle(exchange);
  }
}

/** False where the Upgrade header is ignored and the request served as any other, body included. */
function leavesHttp({ method = 'GET', url = '/', headers }: IncomingMessage): boolean {
  const mark = url.indexOf('?');
  const path = decodePath(mark < 0 ? url : url.slice(0, mark));
  const info = path === undefined ? undefined : parseRequestInfo(method, path, mark < 0 ? Query.empty : new Query(url.slice(mark + 1)));
  if (info === undefined || !info.isResource || !isLongRunning(info)) return false;
  const isOneWay = info.verb === 'watch' || info.isWatchPath || info.subresource === 'log';
  return !isOneWay || headers.upgrade?.toLowerCase() === 'websocket';
}

/** What fastify's routing changed on its way here. */
interface Routed {
  method?: string | undefined;
  originalMethod?: string;
  originalUrl?: string;
}

const routedMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Fastify answers methods that it does not know by itself, so these come in as another. */
function routeAnyMethod(request: Routed): void {
  if (request.method === undefined || routedMethods.has(request.method)) return;
  request.originalMethod = request.method;
  request.method = 'GET';
}

/** An answer to what is no request that filters could look at, safe for browsers that take it for a page. */
function refuseRequest(response: RawResponse, code: number, text: string, headers: string[] = []): void {
  response.writeHead(code, ['Content-Type', 'text/plain; charset=utf-8', ...headers]);
  response.end(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
}

/** Undefined where a percent sign is not followed by two digits. Escaped bytes may be anything; what is no UTF-8 becomes U+FFFD. */
function decodePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    if (/%(?![0-9a-f]{2})/i.test(path)) return undefined;
    const bytes = path.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }
}

/** Without what is undefined. */
function optional<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function listenFailure(error: unknown, host: string, port: number): Error {
  const { code } = error as NodeJS.ErrnoException;
  const where = `${host}:${port}`;
  if (code === 'EADDRINUSE') return new UsageError(`port ${where} is taken by another process`, { exitCode: 1, cause: error });
  if (code === 'EACCES') return new UsageError(`not allowed to listen on ${where}`, { exitCode: 1, cause: error });
  if (code === 'EADDRNOTAVAIL') return new UsageError(`${host} is not an address of this machine`, { exitCode: 1, cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
