// The only place that talks to the Docker Engine: negotiates the API version, and turns answers that are failures into RuntimeError.
// dockerode's own methods are not used one by one, because not all of them take an AbortSignal; its connection (`modem`) does.
import type { Duplex, Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import Docker from 'dockerode';
import { RuntimeError, type RuntimeErrorCode } from '../contract.ts';

/** Newest API that this code was written for; an engine that knows only less is spoken to in its own version. */
const newestApi = '1.47';
/** Docker 19.03: older ones lack what the sandbox needs. */
const oldestApi = '1.40';

interface Call {
  readonly query?: Readonly<Record<string, string | number | boolean | object | undefined>>;
  readonly body?: object;
  /** A stream of bytes as the body, such as a tar archive. */
  readonly upload?: Readable | Buffer;
  /** The X-Registry-Auth header. */
  readonly auth?: object;
}

interface DialOptions {
  path: string;
  method: string;
  options?: object;
  file?: unknown;
  authconfig?: object;
  abortSignal: AbortSignal;
  isStream: boolean;
  hijack?: boolean;
  statusCodes: Record<number, boolean | string>;
}

interface Modem {
  version: string | undefined;
  dial(options: DialOptions, done: (error: DialError | null, answer: unknown) => void): void;
}

interface DialError extends Error {
  readonly statusCode?: number;
  readonly json?: unknown;
  readonly code?: string;
}

const good = { 101: true, 200: true, 201: true, 204: true, 304: true };

/** One Docker Engine behind its socket. */
export class Engine {
  readonly #modem: Modem;
  #version: Promise<string> | undefined;

  constructor(socketPath: string) {
    // An empty host keeps DOCKER_HOST of the environment out of this.
    const docker = new Docker({ socketPath, host: '', protocol: 'http' } as Docker.DockerOptions);
    this.#modem = docker.modem as unknown as Modem;
  }

  /** The API version that both sides speak. */
  async version(signal: AbortSignal): Promise<string> {
    this.#version ??= this.#negotiate(signal);
    try {
      return await this.#version;
    } catch (error) {
      this.#version = undefined;
      throw error;
    }
  }

  /** A question with a JSON answer; undefined for an empty one. */
  async call<T>(method: string, path: string, call: Call, signal: AbortSignal): Promise<T> {
    await this.version(signal);
    const answer = (await this.#dial(method, path, call, { isStream: true }, signal)) as IncomingMessage;
    return (await this.#read(answer, signal)) as T;
  }

  /** dockerode's own reading never ends where the engine goes away in the middle of an answer, such as that of a long wait. */
  async #read(answer: IncomingMessage, signal: AbortSignal): Promise<unknown> {
    try {
      const text = Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Buffer>)).toString();
      return text.trim() === '' ? undefined : parsed(text);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.#translate(error as DialError);
    }
  }

  /** A question whose answer comes bit by bit. Destroy the stream to break off. */
  async stream(method: string, path: string, call: Call, signal: AbortSignal): Promise<Readable> {
    await this.version(signal);
    return (await this.#dial(method, path, call, { isStream: true }, signal)) as Readable;
  }

  /** Turns the connection into a two-way stream. Ending it closes our half only. */
  async hijack(path: string, call: Call, signal: AbortSignal): Promise<Duplex> {
    await this.version(signal);
    // Without a body the request would be chunked, and its end could be taken for the stream's first bytes.
    const framed = call.body === undefined ? { ...call, upload: Buffer.alloc(0) } : call;
    return (await this.#dial('POST', path, framed, { isStream: true, hijack: true }, signal)) as Duplex;
  }

  async #negotiate(signal: AbortSignal): Promise<string> {
    this.#modem.version = undefined;
    const answer = (await this.#dial('GET', '/_ping', {}, { isStream: true }, signal)) as IncomingMessage;
    answer.resume();
    const offered = String(answer.headers['api-version'] ?? oldestApi);
    if (compareVersions(offered, oldestApi) < 0) {
      throw new RuntimeError('Refused', `the Docker Engine speaks API ${offered}, at least ${oldestApi} is needed (Docker 19.03)`);
    }
    const version = compareVersions(offered, newestApi) < 0 ? offered : newestApi;
    this.#modem.version = `v${version}`;
    return version;
  }

  #dial(method: string, path: string, call: Call, mode: { isStream?: boolean; hijack?: boolean }, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const { query, body, upload, auth } = call;
    const options: DialOptions = {
      path: query === undefined ? path : `${path}?`,
      method,
      abortSignal: signal,
      isStream: mode.isStream ?? false,
      statusCodes: good,
      ...(mode.hijack === true ? { hijack: true } : {}),
      ...(query === undefined && body === undefined ? {} : { options: { _query: withoutUndefined(query ?? {}), _body: body ?? {} } }),
      ...(upload === undefined ? {} : { file: upload }),
      ...(auth === undefined ? {} : { authconfig: auth }),
    };
    return new Promise((resolve, reject) => {
      this.#modem.dial(options, (error, answer) => {
        if (error === null || error === undefined) resolve(answer);
        else reject(signal.aborted ? signal.reason : this.#translate(error));
      });
    });
  }

  #translate(error: DialError): RuntimeError {
    const { statusCode } = error;
    if (statusCode === undefined) {
      // The next engine behind this socket may be another one.
      this.#version = undefined;
      return new RuntimeError('Unavailable', `cannot reach the Docker Engine: ${error.message}`, { cause: error });
    }
    return new RuntimeError(codeOf(statusCode), textOf(error), { cause: error });
  }
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function codeOf(statusCode: number): RuntimeErrorCode {
  if (statusCode === 404) return 'NotFound';
  if (statusCode === 409) return 'Conflict';
  return statusCode === 503 ? 'Unavailable' : 'Refused';
}

/** The engine's own sentence, without dockerode's frame around it. */
function textOf(error: DialError): string {
  const { json } = error;
  if (typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string') return json.message.trim();
  const framed = /^\(HTTP code \d+\) .*? - (.*)$/s.exec(error.message);
  return (framed?.[1] ?? error.message).trim();
}

function withoutUndefined(query: object): object {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}

function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}
