// The kubelet's own port (10250): logs, exec, attach, port-forward, pods and figures, over TLS and for whom the API server allows it. The same
// without TLS or authentication, where the read-only port is enabled: pods and statistics only.
// Sessions live as long as their client, the idle limit or the server; a kubelet that stops cuts them.
import { createServer, type Server } from 'node:https';
import { createServer as createPlainServer, type IncomingMessage, type Server as PlainServer, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import type { Clock } from '#base/clock.ts';
import { HealthChecks } from '#base/health-checks.ts';
import { listen } from '#base/health-server.ts';
import { aborted, isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type Metrics, metricsType } from '#base/metrics.ts';
import { fileAnswer, sendFile } from '#base/file-pages.ts';
import { debugRequest, sendDebug } from '#base/profiling/debug-http.ts';
import type { DebugPages } from '#base/profiling/debug-pages.ts';
import { type RequestCount, requestMetrics } from '../metrics/http-metrics.ts';
import { refuseUpgrade } from '#base/streams/upgrade.ts';
import { answerZpage } from '#base/zpages.ts';
import type { Access } from '#client/delegated-access.ts';
import type { Runtime } from '../runtime/contract.ts';
import { isRuntimeError } from '../runtime/contract.ts';
import { writeAll } from '../runtime/write-all.ts';
import { admit } from './admit.ts';
import { chooseLog, hasContainer } from './choose-container.ts';
import { HttpProblem } from './http-problem.ts';
import { parseLogQuery } from './log-query.ts';
import type { PodSource } from './pod-source.ts';
import { type ContainerTarget, plainPaths, type Route, routeOf } from './route.ts';
import type { Summary } from '../stats/figures.ts';
import { cadvisorText, type ContainerNames, resourceText, statsType } from '../stats/prometheus.ts';
import type { Stats } from '../stats/stats.ts';
import type { KubeletTls } from './tls.ts';
import { containerId, serveExec, servePortForward } from './streaming.ts';

interface KubeletServerDeps {
  readonly runtime: Runtime;
  readonly pods: PodSource;
  /** Who may come, and do what. */
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Counts requests; default: in `metrics`. */
  readonly requests?: RequestCount;
  readonly stats: Pick<Stats, 'summary'>;
  readonly machine: { readonly cores: number; readonly memoryBytes: number };
  /** What runs as a container of a pod now. */
  readonly namesOf: (podUid: string, container: string) => ContainerNames | undefined;
  /** Prometheus' text about probes. */
  readonly probes: () => Promise<string>;
  /** The KubeletConfiguration that is in force. */
  readonly configuration: object;
  /** Values of all flags, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
  /** Profiling and log-level endpoints; undefined: not served. */
  readonly debug?: DebugPages | undefined;
  /** The folder of the host's logs; undefined: not served. */
  readonly logFolder?: string | undefined;
  /** False: exec, logs and debugging endpoints are disabled. */
  readonly hasStreams?: boolean;
}

/** What a request says besides its path. */
interface Asked {
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly request: IncomingMessage;
}

interface SecureOptions {
  /** PEM texts of the serving certificate. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** PEM texts of the authorities that sign clients' certificates. */
  readonly clientCa: string;
  /** Default: the oldest TLS is 1.2, suites are Node's. */
  readonly policy?: { readonly minVersion: 'TLSv1.2' | 'TLSv1.3'; readonly ciphers?: string };
}

interface KubeletServerOptions {
  readonly host: string;
  /** 10250; 0 takes any free port. */
  readonly port: number;
  /** Undefined: the read-only port, without authentication. */
  readonly secure: SecureOptions | undefined;
  readonly nodeName: string;
  /** Upstream's streamingConnectionIdleTimeout; default four hours. */
  readonly idleMs?: number;
}

/** The command line of an exec is part of its first line; Go's servers take as much, Node's 16 KiB. */
const maxHeaderBytes = 1024 * 1024;
const defaultIdleMs = 4 * 3_600_000;
/** Commands by /run have no limit of their own upstream. */
const runTimeoutMs = 3_600_000;
const runLimitBytes = 1_024 * 1_024;

/** What a port that can only be read serves. */
const readOnlyKinds: ReadonlySet<Route['kind']> = new Set([
  'healthz',
  'pods',
  'metrics',
  'resourceMetrics',
  'cadvisorMetrics',
  'probeMetrics',
  'slis',
  'statsSummary',
]);
/** What is not served where debugging handlers are disabled. */
const streamKinds: ReadonlySet<Route['kind']> = new Set([
  'runningPods',
  'containerLogs',
  'exec',
  'attach',
  'run',
  'portForward',
  'debug',
  'logs',
]);
const defaultPolicy = { minVersion: 'TLSv1.2' } as const;

export class KubeletServer implements Service {
  readonly name: string;
  readonly #deps: KubeletServerDeps;
  readonly #options: KubeletServerOptions;
  readonly #sockets = new Set<Duplex>();
  readonly #count: RequestCount;
  /** Whoever is answered sees that all of it goes on. */
  readonly #health = new HealthChecks(['ping', 'log', 'syncloop'].map((name) => ({ name, on: ['livez'], check: () => true })));
  #server: Server | PlainServer | undefined;

  constructor(deps: KubeletServerDeps, options: KubeletServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.name = options.secure === undefined ? 'read-only kubelet server' : 'kubelet server';
    this.#count = deps.requests ?? (deps.metrics === undefined ? () => () => undefined : requestMetrics(deps.metrics));
  }

  /** The port that is really listened on. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { secure, host, port } = this.#options;
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response, signal);
    const server =
      secure === undefined ? createPlainServer({ maxHeaderSize: maxHeaderBytes }, answer) : createServer(this.#settings(secure), answer);
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head, signal));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await listen(server, host, port);
    ready();
    await aborted(signal);
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Uses other certificates for connections from now on. */
  renew({ cert, key, clientCa }: KubeletTls): void {
    const { secure } = this.#options;
    if (secure === undefined || this.#server === undefined || !('setSecureContext' in this.#server)) return;
    this.#server.setSecureContext({ cert, key, ca: clientCa, ...(secure.policy ?? defaultPolicy) });
  }

  #settings({ tls, clientCa, policy = defaultPolicy }: SecureOptions): object {
    return { ...tls, ca: clientCa, requestCert: true, rejectUnauthorized: false, maxHeaderSize: maxHeaderBytes, ...policy };
  }

  async #answer(request: IncomingMessage, response: ServerResponse, serverSignal: AbortSignal): Promise<void> {
    // Ends with the client, so that following a log stops.
    const gone = new AbortController();
    const over = this.#begin(request);
    response.once('close', () => {
      over();
      gone.abort(new Error('the client is gone'));
    });
    const signal = AbortSignal.any([serverSignal, gone.signal]);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    try {
      const { route, query } = await this.#enter(request, serverSignal);
      await this.#serve(route, { query, accept: request.headers.accept ?? '', request }, response, signal);
    } catch (error) {
      if (isAbort(error, signal) || response.headersSent) {
        response.destroy();
        return;
      }
      const { status, message, headers } = problemOf(error);
      if (status >= 500) this.#deps.log.warn({ err: error, path: request.url }, 'a request failed');
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
      response.end(message);
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, signal: AbortSignal): Promise<void> {
    const upgrade = { request, socket, head };
    const options = { clock: this.#deps.clock, idleMs: this.#options.idleMs ?? defaultIdleMs };
    socket.on('error', () => socket.destroy());
    socket.once('close', this.#begin(request));
    try {
      const { route, query } = await this.#enter(request, signal);
      if (route.kind === 'portForward') await servePortForward(this.#deps, route.target, { upgrade, query, options }, signal);
      else if (route.kind === 'exec' || route.kind === 'attach') {
        await serveExec(this.#deps, { kind: route.kind, target: route.target }, { upgrade, query, options }, signal);
      } else throw new HttpProblem(400, 'Bad Request: nothing to upgrade to here');
    } catch (error) {
      if (signal.aborted) socket.destroy();
      else if (error instanceof HttpProblem)
        refuseUpgrade(upgrade, `${error.status} ${error.status < 500 ? 'Refused' : 'Internal Server Error'}`, error.message);
      else {
        this.#deps.log.warn({ err: error, path: request.url }, 'a streaming session failed');
        socket.destroy();
      }
    }
  }

  /** Counts a request; call the answer when it is over. */
  #begin(request: IncomingMessage): () => void {
    const [path = '/'] = splitUrl(request.url ?? '/');
    const server = this.#options.secure === undefined ? 'readonly' : 'readwrite';
    return this.#count(request.method ?? 'GET', path, () => this.#deps.clock.monotonicMs(), server);
  }

  /** Everything that is decided before the request's own work. Throws HttpProblem. */
  async #enter(request: IncomingMessage, signal: AbortSignal): Promise<{ route: Route; query: URLSearchParams }> {
    const { access, clock, log, hasStreams = true } = this.#deps;
    const [path = '/', query = ''] = splitUrl(request.url ?? '/');
    if (this.#options.secure === undefined) {
      const route = routeOf(request.method ?? 'GET', path);
      if (!readOnlyKinds.has(route.kind)) throw new HttpProblem(404, '404 page not found');
      return { route, query: new URLSearchParams(query) };
    }
    await admit(request, path, { access, nodeName: this.#options.nodeName, nowMs: clock.nowMs(), log }, signal);
    const route = routeOf(request.method ?? 'GET', path);
    if (!hasStreams && streamKinds.has(route.kind)) throw new HttpProblem(405, 'Debug endpoints are disabled.\n');
    return { route, query: new URLSearchParams(query) };
  }

  async #serve(route: Route, { query, accept, request }: Asked, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { pods, metrics, stats, machine, namesOf, probes, configuration, flags } = this.#deps;
    switch (route.kind) {
      case 'healthz': {
        const asked = { excluded: query.getAll('exclude'), isVerbose: query.has('verbose') };
        const { status, text } = await this.#health.answer(route.path, asked);
        response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
        return void response.end(text);
      }
      case 'slis':
        return sendText(response, this.#health.text(), metricsType);
      case 'pods':
        return sendJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods.pods() });
      case 'runningPods':
        return sendJson(response, await this.#runningPods(signal));
      case 'metrics':
        return sendText(response, (await metrics?.text()) ?? '', metrics?.contentType);
      case 'resourceMetrics':
        return sendText(response, resourceText(await this.#summary(signal)), statsType);
      case 'cadvisorMetrics':
        return sendText(response, cadvisorText(await stats.summary('everything', signal), machine, namesOf), statsType);
      case 'probeMetrics':
        return sendText(response, await probes(), statsType);
      case 'statsSummary': {
        const isSmall = query.get('only_cpu_and_memory') === 'true';
        return sendJson(response, await stats.summary(isSmall ? 'cpuAndMemory' : 'everything', signal));
      }
      case 'configz':
        return sendJson(response, { kubeletconfig: configuration });
      case 'statusz':
      case 'flagz': {
        const about = { component: 'kubelet', flags, paths: plainPaths };
        const { status, text, contentType } = answerZpage(`/${route.kind}`, accept, about);
        response.writeHead(status, { 'Content-Type': contentType });
        return void response.end(text);
      }
      case 'debug':
        return this.#debug(route.path, { request, query }, response, signal);
      case 'logs':
        return this.#hostLogs(route.path, request, response);
      case 'containerLogs':
        return this.#logs(route.target, query, response, signal);
      case 'run':
        return this.#runCommand(route.target, query, response, signal);
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new HttpProblem(400, 'Upgrade request required');
    }
  }

  async #debug(path: string, { request, query }: Omit<Asked, 'accept'>, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { debug } = this.#deps;
    if (debug?.owns(path) !== true) throw new HttpProblem(404, '404 page not found');
    sendDebug(response, await debug.answer({ ...debugRequest(request, path, ''), query }, signal));
  }

  async #hostLogs(path: string, { method = 'GET', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logFolder } = this.#deps;
    if (logFolder === undefined) throw new HttpProblem(405, 'logs endpoint is disabled.');
    await sendFile(response, await fileAnswer(logFolder, { method, path, rootName: 'logs', range: headers.range }));
  }

  /** Undefined: it cannot be made, which the figures then say. */
  async #summary(signal: AbortSignal): Promise<Summary | undefined> {
    try {
      return await this.#deps.stats.summary('cpuAndMemory', signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#deps.log.warn({ err: error }, 'could not gather what pods use');
      return undefined;
    }
  }

  async #logs(target: ContainerTarget, query: URLSearchParams, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { runtime, pods, clock } = this.#deps;
    const { previous, options } = parseLogQuery(query, clock.nowMs());
    const pod = pods.pod(target.namespace, target.pod);
    if (pod === undefined) throw new HttpProblem(404, `pod ${JSON.stringify(target.pod)} does not exist`);
    const { container } = target;
    if (!hasContainer(pod, container)) {
      throw new HttpProblem(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(target.pod)}`);
    }
    const uid = pod.metadata?.uid ?? '';
    const observed = await runtime.podStatus(uid, signal);
    const chosen = chooseLog({ pod, status: pods.status(uid), observed, container, previous });
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.flushHeaders();
    for await (const bytes of runtime.logs(chosen.id, options, signal)) if (!(await writeAll(response, bytes))) return;
    response.end();
  }

  async #runCommand(target: ContainerTarget, query: URLSearchParams, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const command = (query.get('cmd') ?? '').split(' ');
    const id = await containerId(this.#deps, target, signal);
    const limits = { timeoutMs: runTimeoutMs, limitBytes: runLimitBytes };
    const { stdout, stderr, exitCode } = await this.#deps.runtime.execSync(id, command, limits, signal);
    if (exitCode !== 0)
      throw new HttpProblem(500, `command '${command.join(' ')}' exited with ${exitCode}: ${Buffer.from(stderr).toString()}`);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(Buffer.concat([stdout, stderr]));
  }

  async #runningPods(signal: AbortSignal): Promise<object> {
    const running = await this.#deps.runtime.pods(signal);
    const items = running.map(({ pod, containers }) => ({
      metadata: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      spec: {
        containers: containers.filter(({ state }) => state === 'running').map(({ name, image }) => ({ name, image, resources: {} })),
      },
      status: {},
    }));
    return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
  }
}

function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HttpProblem(isRuntimeError(error, 'NotFound') ? 404 : 500, message);
}

function splitUrl(url: string): string[] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url] : [url.slice(0, mark), url.slice(mark + 1)];
}

function sendText(response: ServerResponse, text: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(200, { 'Content-Type': contentType });
  response.end(text);
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}
