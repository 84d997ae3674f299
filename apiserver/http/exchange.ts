import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { Seen } from '#api/meta/seen.ts';
import type { ProtobufEncoder } from '#api/schema/protobuf-encoder.ts';
import type { RequestAudit } from '../audit/contract.ts';
import type { LargeWork } from '../large/contract.ts';
import type { UserInfo } from '../registry/contract.ts';
import type { Query } from './query.ts';
import { leastShown, totalRunes } from './warnings.ts';
import type { RequestInfo } from './request-info.ts';

/** What HTTP/1.1 and HTTP/2 requests have in common. */
export interface RawRequest extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  readonly socket: Duplex;
}

/** What HTTP/1.1 and HTTP/2 responses have in common. */
export interface RawResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  writeHead(code: number, headers: (string | string[])[]): unknown;
  flushHeaders(): void;
  write(chunk: Uint8Array | string, done?: (error?: Error | null) => void): boolean;
  end(chunk?: Uint8Array | string): unknown;
  destroy(error?: Error): unknown;
  cork(): void;
  uncork(): void;
  on(event: 'close' | 'drain' | 'finish', listener: () => void): unknown;
  once(event: 'close' | 'drain' | 'finish', listener: () => void): unknown;
  off(event: 'close' | 'drain' | 'finish', listener: () => void): unknown;
}

/** The connection of a request that asks to leave HTTP: `head` is what came behind the request already. */
export interface Upgrade {
  readonly protocol: string;
  readonly socket: Duplex;
  readonly head: Buffer;
}

interface ExchangeOptions {
  readonly request: RawRequest;
  readonly response: RawResponse;
  readonly info: RequestInfo;
  readonly query: Query;
  /** Path and query, as they came. */
  readonly uri: string;
  readonly auditId: string;
  readonly startMs: number;
  readonly upgrade?: Upgrade | undefined;
  readonly protobuf: ProtobufEncoder;
  readonly largeWork: LargeWork;
}

const none: readonly string[] = [];

/** Why a request's signal aborts in the end; one for all, since making an error for each costs more than the rest of the ending. */
const requestOver = new Error('the request is over');

/** One request on its way through the filters, and the answer to it. */
export class Exchange {
  readonly request: RawRequest;
  readonly response: RawResponse;
  readonly info: RequestInfo;
  readonly query: Query;
  /** Path and query, as they came. */
  readonly uri: string;
  readonly auditId: string;
  /** Monotonic. */
  readonly startMs: number;
  readonly upgrade: Upgrade | undefined;
  /** Writes the answer where the client wants protobuf. */
  readonly protobuf: ProtobufEncoder;
  /** Writes what would take long. */
  readonly largeWork: LargeWork;
  /** Who asks; undefined until authentication has run. */
  user: UserInfo | undefined;
  /** Annotations for the audit event. */
  auditNotes: Readonly<Record<string, string>> | undefined;
  /** Set where the request is audited. */
  audit: RequestAudit | undefined;
  /** Texts for Warning headers, in the order they came. */
  readonly warnings: string[] = [];
  /** Set by whoever finds that the path exists: unknown paths must not become series of a metric. */
  isServed = false;
  /** Set where the kind that is asked for is deprecated. */
  isDeprecated = false;
  /** Set by filters that end a request to save the server. */
  isTerminated = false;
  /** Bytes of the request's body, once it was read. */
  receivedBytes: number | undefined;
  /** Bytes of the answer's body, before packing. */
  sentBytes = 0;
  /** Called once, when the answer is written or the client is gone. */
  onDone: (() => void) | undefined;
  #abort: AbortController | undefined;
  #isOver = false;
  #added: string[] | undefined;
  readonly #warned = new Seen();
  /** At least so many runes of the warnings are shown. */
  #shownRunes = 0;

  constructor(options: ExchangeOptions) {
    this.request = options.request;
    this.response = options.response;
    this.info = options.info;
    this.query = options.query;
    this.uri = options.uri;
    this.auditId = options.auditId;
    this.startMs = options.startMs;
    this.upgrade = options.upgrade;
    this.protobuf = options.protobuf;
    this.largeWork = options.largeWork;
    this.response.once('close', () => this.#over());
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** The user after authentication. */
  get requireUser(): UserInfo {
    if (this.user === undefined) throw new Error('no user: authentication has not run');
    return this.user;
  }

  /** Adds headers to the answer, whoever writes it: names and values in turn. */
  addHeaders(...headers: string[]): void {
    this.#added = this.#added === undefined ? headers : [...this.#added, ...headers];
  }

  /** What was added so far. */
  get addedHeaders(): readonly string[] {
    return this.#added ?? none;
  }

  /** Lets the client's connection end when the answers on it are written: with HTTP/2 by GOAWAY, else by a header of the response. */
  endConnection(): void {
    const { session } = (this.request as { readonly stream?: { readonly session?: { close(): void } } }).stream ?? {};
    if (session === undefined) this.addHeaders('Connection', 'close');
    else session.close();
  }

  /** True when the answer is written or the client is gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Aborts when the client goes away, the time is up or the server stops. Made on first use: most reads never need it. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isOver) this.#abort.abort(requestOver);
    return this.#abort.signal;
  }

  /** Ends the work for this request. */
  abort(reason: Error): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }

  /** Adds a Warning header; the same text only once. What no answer would show any more is not kept. */
  warn(text: string): void {
    if (this.#shownRunes > totalRunes || !this.#warned.add(text)) return;
    this.warnings.push(text);
    this.#shownRunes += leastShown(text);
  }

  #over(): void {
    this.#isOver = true;
    // Whoever still works for a client that is gone has to stop; after a complete response nothing does.
    if (!this.response.writableEnded) this.#abort?.abort(requestOver);
    this.onDone?.();
    this.onDone = undefined;
  }
}
