// HTTP under the typed client. Requests share a bounded pool of keep-alive connections; watches, each of which holds a connection
// for minutes, have a pool of their own without a bound, so that no number of watches can starve requests.
// A deadline covers a whole request, waiting for a free connection included; a stream's covers the time to its headers.
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Clock } from '#base/clock.ts';
import { TransportError } from './client.ts';
import type { ClientMetrics, RequestCounter } from './client-metrics.ts';
import type { ApiEndpoint } from './endpoint.ts';

interface TransportOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  /** Longest wait for a whole answer; default 60 s. */
  readonly requestLimitMs?: number | undefined;
  /** Connections for requests; default 50. */
  readonly maxConnections?: number | undefined;
  readonly metrics?: ClientMetrics | undefined;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
}

interface HttpStream {
  readonly status: number;
  readonly body: Readable;
}

const tokenAgeLimitMs = 60_000;

/** Sends requests to one API server. Throws TransportError where no answer comes, the signal's reason when it aborts. */
export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #credentials: ApiEndpoint['credentials'];
  readonly #origin: string;
  readonly #basePath: string;
  readonly #link: Link;
  #requests: Pool;
  #streams: Pool;
  /** Pools that take no more requests, and still serve those that they have. */
  readonly #retired = new Set<Pool>();
  readonly #counter: RequestCounter | undefined;
  #token: { readonly text: string; readonly readAtMs: number } | undefined;

  constructor(api: ApiEndpoint, options: TransportOptions) {
    const url = new URL(api.server);
    this.#options = options;
    this.#credentials = api.credentials;
    this.#origin = url.origin;
    this.#counter = options.metrics?.of(url.host);
    this.#basePath = url.pathname.replace(/\/$/, '');
    this.#link = linkTo(api);
    [this.#requests, this.#streams] = this.#pools();
  }

  #pools(): [requests: Pool, streams: Pool] {
    // undici's own limits are off: they run on timers that no test can move.
    const common: Pool.Options = {
      connect: this.#link.connector,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
    };
    return [new Pool(this.#origin, { ...common, connections: this.#options.maxConnections ?? 50 }), new Pool(this.#origin, common)];
  }

  /** One request, one whole answer. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const limitMs = this.#options.requestLimitMs ?? 60_000;
    const { clock } = this.#options;
    using deadline = clock.deadline(signal, limitMs);
    const startMs = clock.monotonicMs();
    const answered = (code: number | '<error>'): void => {
      this.#counter?.answered(request.method, code, (clock.monotonicMs() - startMs) / 1_000);
    };
    try {
      const answer = await this.#requests.request(await this.#dispatch(request, deadline.signal));
      const text = await answer.body.text();
      answered(answer.statusCode);
      if (answer.statusCode === 401) this.#refused();
      return { status: answer.statusCode, text, retryAfterSeconds: retryAfter(answer.headers) };
    } catch (error) {
      answered('<error>');
      throw this.#failure(request, error, signal);
    }
  }

  /** Opens an answer without an end. The caller destroys the body when done with it. */
  async open(request: HttpRequest, signal: AbortSignal): Promise<HttpStream> {
    const limitMs = this.#options.requestLimitMs ?? 60_000;
    using deadline = this.#options.clock.deadline(signal, limitMs);
    try {
      const answer = await this.#streams.request(await this.#dispatch(request, deadline.signal));
      this.#counter?.answered(request.method, answer.statusCode);
      if (answer.statusCode === 401) this.#refused();
      return { status: answer.statusCode, body: answer.body };
    } catch (error) {
      this.#counter?.answered(request.method, '<error>');
      throw this.#failure(request, error, signal);
    }
  }

  /** Closes every connection at once; requests on the way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#requests, this.#streams, ...this.#retired].map((pool) => pool.destroy()));
  }

  #dispatch(request: HttpRequest, signal: AbortSignal): Dispatcher.RequestOptions | Promise<Dispatcher.RequestOptions> {
    const token = this.#bearer();
    if (token instanceof Promise) return token.then((text) => this.#withToken(request, text, signal));
    return this.#withToken(request, token, signal);
  }

  #withToken(request: HttpRequest, token: string | undefined, signal: AbortSignal): Dispatcher.RequestOptions {
    return {
      method: request.method as Dispatcher.HttpMethod,
      path: `${this.#basePath}${request.path}`,
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      body: request.body ?? null,
      signal,
    };
  }

  /** Not known any more: by a token that another has replaced, or on a connection that showed a certificate which another has. */
  #refused(): void {
    this.#forgetToken();
    if (!this.#link.isOutdated()) return;
    for (const pool of [this.#requests, this.#streams]) {
      this.#retired.add(pool);
      void pool
        .close()
        .catch(() => undefined)
        .then(() => this.#retired.delete(pool));
    }
    [this.#requests, this.#streams] = this.#pools();
  }

  #forgetToken(): void {
    this.#token = undefined;
    if (this.#credentials.kind === 'token-source') this.#credentials.source.forget();
  }

  #bearer(): string | undefined | Promise<string> {
    const credentials = this.#credentials;
    if (credentials.kind === 'token') return credentials.token;
    if (credentials.kind === 'token-source') return credentials.source.get();
    if (credentials.kind !== 'token-file') return undefined;
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#token === undefined || nowMs - this.#token.readAtMs > tokenAgeLimitMs) {
      this.#token = { text: readFileSync(credentials.tokenFile, 'utf8').trim(), readAtMs: nowMs };
    }
    return this.#token.text;
  }

  #failure(request: HttpRequest, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return new TransportError(`${request.method} ${this.#origin}${request.path}: ${whyText(error)}`, { cause: error });
  }
}

/** The words of a connection failure; some of Node's have only a code. */
function whyText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

function retryAfter(headers: Record<string, string | string[] | undefined>): number | undefined {
  const value = headers['retry-after'];
  const seconds = typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** How connections are made. */
interface Link {
  readonly connector: buildConnector.connector;
  /** True once connections that are there may have shown another certificate than the next one would. */
  readonly isOutdated: () => boolean;
}

/** Certificate files are read anew for each connection, so that renewed ones are taken up. */
function linkTo(api: ApiEndpoint): Link {
  const { credentials } = api;
  const fixed = {
    allowH2: false,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    ...(api.ca === undefined ? {} : { ca: api.ca }),
    ...(api.serverName === undefined ? {} : { servername: api.serverName }),
    ...(api.insecure === true ? { rejectUnauthorized: false } : {}),
  };
  const lasting = (own: object = {}): Link => ({ connector: buildConnector({ ...fixed, ...own }), isOutdated: () => false });
  if (credentials.kind === 'certificate') return lasting({ cert: credentials.cert, key: credentials.key });
  if (credentials.kind !== 'certificate-files') return lasting();
  let built: { readonly pem: string; readonly connector: buildConnector.connector } | undefined;
  let hasChanged = false;
  const read = (): { cert: string; key: string } => {
    const cert = readFileSync(credentials.certFile, 'utf8');
    return { cert, key: credentials.keyFile === credentials.certFile ? cert : readFileSync(credentials.keyFile, 'utf8') };
  };
  return {
    connector: (options, callback) => {
      try {
        const { cert, key } = read();
        if (built?.pem !== cert + key) {
          hasChanged = built !== undefined;
          built = { pem: cert + key, connector: buildConnector({ ...fixed, cert, key }) };
        }
        built.connector(options, callback);
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)), null);
      }
    },
    isOutdated: () => {
      try {
        const { cert, key } = read();
        const isOld = hasChanged || (built !== undefined && built.pem !== cert + key);
        hasChanged = false;
        return isOld;
      } catch {
        return false; // Torn or half there: the next refusal asks again.
      }
    },
  };
}
