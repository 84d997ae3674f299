// A client as plain as can be: paths, bodies and media types as they go over the wire, so that tests see what any client sees.
import { Agent, request } from 'undici';
import { startTestApiServer, type TestApiServer, type TestApiServerOptions } from '#apiserver/testing.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';

/** An object of any kind, read loosely. */
export interface AnyObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly name: string; readonly uid: string; readonly controller?: boolean }[];
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  /** Of lists. */
  readonly items: readonly AnyObject[];
  readonly [field: string]: unknown;
}

export interface AnyEvent {
  readonly type: string;
  readonly object: AnyObject;
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
  readonly warnings: readonly string[];
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
type PatchType = keyof typeof patchTypes;

/** Speaks to one API server as one user. Calls that the server refuses throw its Status as a `Refusal`. */
export class ApiSession implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #url: string;

  constructor({ server, ca, credentials }: ApiEndpoint, headers: Readonly<Record<string, string>> = {}) {
    this.#url = server;
    this.#headers = { ...headers, ...(credentials.kind === 'token' ? { authorization: `Bearer ${credentials.token}` } : {}) };
    const tls = { ca: ca ?? '', ...(credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {}) };
    this.#agent = new Agent({ connect: tls });
  }

  /** Any request at all; refusals are answers too. */
  async send(method: string, path: string, body?: string | object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const answer = await request(`${this.#url}${path}`, {
      method: method as 'GET',
      dispatcher: this.#agent,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...this.#headers, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const warnings = [answer.headers['warning'] ?? []].flat();
    return { code: answer.statusCode, type: String(answer.headers['content-type']), text: await answer.body.text(), warnings };
  }

  get(path: string): Promise<AnyObject> {
    return this.#object('GET', path);
  }

  post(path: string, body: object): Promise<AnyObject> {
    return this.#object('POST', path, body);
  }

  put(path: string, body: object): Promise<AnyObject> {
    return this.#object('PUT', path, body);
  }

  patch(path: string, type: PatchType, body: object): Promise<AnyObject> {
    return this.#object('PATCH', path, body, { 'content-type': patchTypes[type] });
  }

  delete(path: string, options: object = {}): Promise<AnyObject> {
    return this.#object('DELETE', path, options);
  }

  /** Reads, changes and writes until nobody came between. */
  async update(path: string, change: (object: AnyObject) => object, writeTo = path): Promise<AnyObject> {
    for (;;) {
      const found = await this.get(path);
      try {
        return await this.put(writeTo, change(found));
      } catch (error) {
        if (!(error instanceof Refusal) || error.reason !== 'Conflict') throw error;
      }
    }
  }

  /** Opens a watch; resolves when the server has answered, so that what happens next is seen. */
  async watch(path: string, query = ''): Promise<Watch> {
    const stop = new AbortController();
    const answer = await request(`${this.#url}${path}?watch=true${query === '' ? '' : `&${query}`}`, {
      dispatcher: this.#agent,
      headers: this.#headers,
      signal: stop.signal,
    });
    if (answer.statusCode !== 200) throw new Refusal(await answer.body.text());
    return new Watch(answer.body, stop);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #object(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<AnyObject> {
    const { code, text } = await this.send(method, path, body, headers);
    if (code >= 300) throw new Refusal(text);
    return JSON.parse(text) as AnyObject;
  }
}

/** The server's Status, thrown. Its message holds reason and message. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: string;
  readonly code: number;

  constructor(text: string) {
    const {
      reason = '',
      message = text,
      code = 0,
    } = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Record<string, string>> & {
      code?: number;
    };
    super(`${reason}: ${message}`);
    this.reason = reason;
    this.code = code;
  }
}

/** An open watch. One reader at a time. */
class Watch implements AsyncDisposable {
  readonly #stop: AbortController;
  readonly #events: AsyncGenerator<AnyEvent>;

  constructor(body: AsyncIterable<unknown>, stop: AbortController) {
    this.#stop = stop;
    this.#events = eventsOf(body);
  }

  async next(): Promise<AnyEvent> {
    const { value, done } = await this.#events.next();
    if (done === true) throw new Error('the watch has ended');
    return value;
  }

  /** The events up to the first that is what one waits for, that one included. */
  async until(isIt: (event: AnyEvent) => boolean): Promise<AnyEvent[]> {
    const seen: AnyEvent[] = [];
    for (;;) {
      const event = await this.next();
      seen.push(event);
      if (isIt(event)) return seen;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    return Promise.resolve();
  }
}

async function* eventsOf(body: AsyncIterable<unknown>): AsyncGenerator<AnyEvent> {
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as AnyEvent;
  }
}

/** A server of its own with an administrator's session. */
export interface ApiUnderTest extends AsyncDisposable {
  readonly server: TestApiServer;
  readonly api: ApiSession;
}

export async function startApi(options: TestApiServerOptions = {}): Promise<ApiUnderTest> {
  const server = await startTestApiServer(options);
  const api = new ApiSession(server.adminClientConfig);
  return {
    server,
    api,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

/** `/apis/apps/v1/namespaces/default/deployments`; without a namespace, all of them. */
export function pathOf(apiVersion: string, plural: string, namespace?: string): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`;
}
