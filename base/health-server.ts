import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import { aborted, type Service, UsageError } from './lifecycle.ts';
import { HealthChecks } from './health-checks.ts';
import { debugRequest, sendDebug, untilClosed } from './profiling/debug-http.ts';
import type { DebugPages } from './profiling/debug-pages.ts';
import { type Metrics, metricsType } from './metrics.ts';
import { type AboutComponent, answerZpage, zpagePaths } from './zpages.ts';

/** What a path answers. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Default: plain text. */
  readonly contentType?: string;
}

interface HealthServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Serves HTTPS with these PEM texts; plain HTTP where absent. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Says whether the process can do its work; a text is the reason why not, shown on `/readyz/informer-sync`. Default: always. */
  readonly ready?: () => true | string;
  readonly metrics?: Metrics;
  /** Figures that are read by themselves, by their paths; who may read metrics may read them. */
  readonly moreMetrics?: Readonly<Record<string, Metrics>>;
  /** Paths of the process's own; they go before the common ones. */
  readonly paths?: Readonly<Record<string, () => Answer>>;
  /** The content of /statusz and /flagz; default: not served. */
  readonly about?: Omit<AboutComponent, 'paths'>;
  /** Profiles and the like; default: these are not served. Without a guard they are this host's alone. */
  readonly debug?: DebugPages | undefined;
  /** Answers who may not come, undefined for the others. Connections are then asked for a certificate, which is not checked here. */
  readonly guard?: ((request: IncomingMessage) => Promise<Answer | undefined>) | undefined;
  /** Who may read metrics where no guard decides. A port that other hosts reach should not expose them; default 'everybody'. */
  readonly metricsTo?: 'everybody' | 'this host';
}

/** Answers /healthz, /livez, /readyz and their checks, /metrics and /metrics/slis, where wanted /statusz and /flagz, at once in every state of the process. */
export class HealthServer implements Service {
  readonly name = 'health server';
  readonly #options: HealthServerOptions;
  readonly #checks: HealthChecks;
  #server: Server | undefined;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    const { ready } = options;
    this.#checks = new HealthChecks([
      { name: 'ping', on: ['livez', 'readyz'], check: () => true },
      // What these processes wait for is that their caches are filled.
      ...(ready === undefined ? [] : [{ name: 'informer-sync', on: ['readyz'] as const, check: ready }]),
    ]);
  }

  /** The port that is really listened on; known from `ready` on. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { host, port, tls, guard } = this.#options;
    const asking = guard === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    const server = tls === undefined ? createServer(answer) : createTlsServer({ ...tls, ...asking, minVersion: 'TLSv1.2' }, answer);
    this.#server = server;
    await listen(server, host, port);
    ready();
    await aborted(signal);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', search = ''] = (request.url ?? '/').split('?');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const { guard, paths = {} } = this.#options;
    try {
      const refusal = await guard?.(request);
      if (refusal !== undefined) return send(response, refusal.status, refusal.text, refusal.contentType);
    } catch {
      return void response.destroy(); // This process ends.
    }
    const own = Object.hasOwn(paths, path) ? paths[path]?.() : undefined;
    if (own !== undefined) return send(response, own.status, own.text, own.contentType);
    if (this.#checks.owns(path)) {
      const query = new URLSearchParams(search);
      const { status, text } = await this.#checks.answer(path, { excluded: query.getAll('exclude'), isVerbose: query.has('verbose') });
      return send(response, status, text);
    }
    const { metrics, about, debug } = this.#options;
    const isOwn = /^(::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? '');
    if (debug?.owns(path) === true) {
      if (guard === undefined && !isOwn) return send(response, 403, 'served to this host only\n');
      return sendDebug(response, await debug.answer(debugRequest(request, path, search), untilClosed(response)));
    }
    if (about !== undefined && (path === '/statusz' || path === '/flagz')) {
      const listed = [...this.#checks.paths(), ...zpagePaths, ...(metrics === undefined ? [] : ['/metrics']), ...(debug?.paths() ?? [])];
      const { status, text, contentType } = answerZpage(path, request.headers.accept ?? '', { ...about, paths: listed });
      return send(response, status, text, contentType);
    }
    const { moreMetrics = {} } = this.#options;
    const more = Object.hasOwn(moreMetrics, path) ? moreMetrics[path] : undefined;
    if (more !== undefined || (metrics !== undefined && (path === '/metrics' || path === '/metrics/slis'))) {
      const { metricsTo } = guard === undefined ? this.#options : { metricsTo: 'everybody' };
      if (metricsTo === 'this host' && !isOwn) return send(response, 403, 'metrics are served to this host only\n');
      return send(response, 200, (await (more ?? (path === '/metrics' ? metrics : this.#checks))?.text()) ?? '', metricsType);
    }
    return send(response, 404, '404 page not found\n');
  }
}

/** Starts to listen; a taken port and the like become one clear sentence. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'EADDRINUSE' ? 'the port is taken' : code === 'EACCES' ? 'not allowed' : String(error);
    throw new UsageError(`cannot listen on ${host}:${port}: ${why}`, { exitCode: 1, cause: error });
  }
}

function send(response: ServerResponse, status: number, text: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'Content-Type': contentType });
  response.end(text);
}
