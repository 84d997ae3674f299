import { arch, platform } from 'node:os';
import type { Resource } from '#api/kind.ts';
import { apiVersionOf, type Json, type KubeList, type KubeObject, type ObjectKey } from '#api/meta/object.ts';
import { ApiError, type Reason, type Status } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import {
  type Client,
  type DeleteOptions,
  type ListOptions,
  type NewObject,
  type PatchOptions,
  TransportError,
  type TypedResource,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from './client.ts';
import type { ClientMetrics } from './client-metrics.ts';
import type { ApiEndpoint } from './endpoint.ts';
import { listQuery, queryText, requestPath, watchQuery, writeQuery } from './request-path.ts';
import { type HttpAnswer, type HttpRequest, Transport } from './transport.ts';
import { watchStream } from './watch-stream.ts';

interface ConnectOptions {
  readonly clock: Clock;
  /** `kube-scheduler` and the like; with the version it makes the user agent, and so the field manager. */
  readonly component: string;
  /** Default `v1.36.2+coxswain`. */
  readonly version?: string | undefined;
  /** Longest wait for a whole answer; default 60 s. */
  readonly requestLimitMs?: number | undefined;
  /** Connections for requests (watches not counted); default 50. */
  readonly maxConnections?: number | undefined;
  /** A watch that says nothing for so long is taken for dead and fails; default 90 s, since bookmarks come every minute. */
  readonly watchSilenceLimitMs?: number | undefined;
  /** Counts the requests; absent: not counted. */
  readonly metrics?: ClientMetrics | undefined;
}

/** A client with connections to close. */
export interface RestClient extends Client, AsyncDisposable {}

const patchTypes: Record<PatchOptions['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A client of one API server over HTTPS. Connects when first used; dispose it to close its connections. */
export function connect(api: ApiEndpoint, options: ConnectOptions): RestClient {
  return new HttpClient(api, options);
}

class HttpClient implements RestClient {
  readonly #transport: Transport;
  readonly #options: ConnectOptions;

  constructor(api: ApiEndpoint, options: ConnectOptions) {
    this.#options = options;
    this.#transport = new Transport(api, {
      clock: options.clock,
      userAgent: userAgent(options),
      requestLimitMs: options.requestLimitMs,
      maxConnections: options.maxConnections,
      metrics: options.metrics,
    });
  }

  async get<T extends KubeObject>(kind: TypedResource<T>, key: ObjectKey, signal: AbortSignal): Promise<T> {
    return (await this.#json({ method: 'GET', path: requestPath(kind, key) }, signal)) as unknown as T;
  }

  async list<T extends KubeObject>(kind: TypedResource<T>, options: ListOptions, signal: AbortSignal): Promise<KubeList<T>> {
    const path = requestPath(kind, { namespace: options.namespace }) + queryText(listQuery(options));
    const list = (await this.#json({ method: 'GET', path }, signal)) as unknown as KubeList<T>;
    list.items ??= [];
    // Items of a list carry neither kind nor apiVersion on the wire; who holds one object alone needs both.
    const apiVersion = apiVersionOf(kind);
    for (const item of list.items) {
      item.apiVersion = apiVersion;
      item.kind = kind.kind;
    }
    return list;
  }

  async create<T extends KubeObject>(kind: TypedResource<T>, object: NewObject<T>, options: WriteOptions, signal: AbortSignal): Promise<T> {
    const { namespace, name } = (object as unknown as KubeObject).metadata;
    const { subresource } = options;
    const path = requestPath(kind, subresource === undefined || subresource === '' ? { namespace } : { namespace, name, subresource });
    const body = JSON.stringify({ ...object, apiVersion: apiVersionOf(kind), kind: kind.kind });
    return (await this.#json({ method: 'POST', path: path + queryText(writeQuery(options)), body }, signal)) as unknown as T;
  }

  createSub(kind: Resource, key: ObjectKey, subresource: string, body: object, signal: AbortSignal): Promise<Json> {
    return this.#json({ method: 'POST', path: requestPath(kind, { ...key, subresource }), body: JSON.stringify(body) }, signal);
  }

  async update<T extends KubeObject>(kind: TypedResource<T>, object: T, options: WriteOptions, signal: AbortSignal): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = requestPath(kind, { namespace, name, subresource: options.subresource }) + queryText(writeQuery(options));
    const isScale = options.subresource === 'scale';
    const body = JSON.stringify(isScale ? object : { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind });
    return (await this.#json({ method: 'PUT', path, body }, signal)) as unknown as T;
  }

  async patch<T extends KubeObject>(
    kind: TypedResource<T>,
    key: ObjectKey,
    body: Json | object,
    options: PatchOptions,
    signal: AbortSignal,
  ): Promise<T> {
    const path = requestPath(kind, { ...key, subresource: options.subresource }) + queryText(writeQuery(options));
    const request: HttpRequest = { method: 'PATCH', path, body: JSON.stringify(body), contentType: patchTypes[options.type] };
    return (await this.#json(request, signal)) as unknown as T;
  }

  async delete(kind: Resource, key: ObjectKey, options: DeleteOptions, signal: AbortSignal): Promise<void> {
    await this.#json({ method: 'DELETE', path: requestPath(kind, key), body: deleteBody(options) }, signal);
  }

  async deleteCollection(kind: Resource, options: ListOptions & DeleteOptions, signal: AbortSignal): Promise<void> {
    // Here resourceVersion could belong to the list or to the preconditions; a collection has no preconditions.
    const path = requestPath(kind, { namespace: options.namespace }) + queryText(listQuery(options));
    const { propagation, gracePeriodSeconds } = options;
    await this.#json({ method: 'DELETE', path, body: deleteBody({ propagation, gracePeriodSeconds }) }, signal);
  }

  async *watch<T extends KubeObject>(
    kind: TypedResource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const path = requestPath(kind, { namespace: options.namespace }) + queryText(watchQuery(options));
    const stream = await this.#transport.open({ method: 'GET', path }, signal);
    if (stream.status !== 200) {
      throw answerError({ status: stream.status, text: await wholeText(stream.body), retryAfterSeconds: undefined }, `GET ${path}`);
    }
    const { clock, watchSilenceLimitMs = 90_000 } = this.#options;
    const silenceLimitMs = options.allowBookmarks === true ? watchSilenceLimitMs : undefined;
    yield* watchStream<T>(stream.body, { clock, silenceLimitMs }, signal);
  }

  raw(method: string, path: string, body: unknown, signal: AbortSignal): Promise<Json> {
    return this.#json({ method, path, body: body === undefined ? undefined : JSON.stringify(body) }, signal, 'text-too');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  async #json(request: HttpRequest, signal: AbortSignal, otherText: 'text-too' | 'json-only' = 'json-only'): Promise<Json> {
    const answer = await this.#transport.send(request, signal);
    const place = `${request.method} ${request.path}`;
    if (answer.status >= 300 || answer.status < 200) throw answerError(answer, place);
    const value = parsed(answer.text);
    if (value !== undefined) return value;
    if (otherText === 'text-too') return answer.text;
    throw new TransportError(`${place}: the answer is not JSON: ${answer.text.slice(0, 200)}`);
  }
}

/** In upstream's form: `kube-scheduler/v1.36.2 (linux/amd64) kubernetes/…`. */
function userAgent({ component, version = 'v1.36.2+coxswain' }: ConnectOptions): string {
  const arches: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return `${component}/${version} (${platform()}/${arches[arch()] ?? arch()}) kubernetes/coxswain`;
}

function deleteBody(options: DeleteOptions): string | undefined {
  const { uid, resourceVersion, propagation, gracePeriodSeconds } = options;
  const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
  if (preconditions === undefined && propagation === undefined && gracePeriodSeconds === undefined) return undefined;
  return JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions, propagationPolicy: propagation, gracePeriodSeconds });
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

async function wholeText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

const reasons: Readonly<Record<number, Reason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The error that an answer outside 2xx stands for; proxies and old servers may answer with no Status. */
function answerError(answer: HttpAnswer, place: string): ApiError {
  const body = parsed(answer.text);
  const status = typeof body === 'object' && body !== null && 'kind' in body && body['kind'] === 'Status' ? body : undefined;
  const found: Status =
    status === undefined
      ? {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: `${place}: status ${answer.status}${answer.text === '' ? '' : `: ${answer.text.slice(0, 500).trim()}`}`,
          reason: reasons[answer.status] ?? '',
          code: answer.status,
        }
      : (status as unknown as Status);
  if (answer.retryAfterSeconds !== undefined && found.details?.retryAfterSeconds === undefined) {
    found.details = { ...found.details, retryAfterSeconds: answer.retryAfterSeconds };
  }
  return ApiError.fromStatus({ ...found, code: found.code ?? answer.status });
}
