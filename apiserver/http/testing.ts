// For tests: clients that see the wire itself. Not for production code.
import { Agent, request } from 'undici';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

/** What a TLS client shows and trusts; throws where the endpoint has no certificate. */
export function tlsOf({ ca, credentials }: ApiEndpoint): { readonly ca: string; readonly cert: string; readonly key: string } {
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  return { ca: ca ?? '', cert: credentials.cert, key: credentials.key };
}

/** Connections over HTTP/1.1 with the endpoint's certificate. The caller destroys it. */
export function agentOf(endpoint: ApiEndpoint, options: Agent.Options = {}): Agent {
  return new Agent({ ...options, connect: tlsOf(endpoint) });
}

interface Answer {
  readonly code: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly bytes: Buffer;
  // The wire is what is tested here, so answers stay untyped.
  readonly json: Record<string, never> & { [key: string]: unknown };
}

interface SendOptions {
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly raw?: Buffer | string;
  /** Default: the administrator. */
  readonly as?: Agent;
}

/** A server, and three who talk to it. */
export interface Wire extends AsyncDisposable {
  readonly server: TestApiServer;
  readonly admin: Agent;
  /** Of the group `team`, without rights. */
  readonly bob: Agent;
  readonly nobody: Agent;
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
}

export async function startWire(): Promise<Wire> {
  const server = await startTestApiServer();
  const admin = agentOf(server.adminClientConfig);
  const bob = agentOf(await server.clientConfigFor('bob', ['team']));
  const nobody = new Agent({ connect: { ca: server.ca.cert } });
  return {
    server,
    admin,
    bob,
    nobody,
    send: (method, path, { as = admin, ...options } = {}) => send(as, method, `${server.url}${path}`, options),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([admin, bob, nobody].map((agent) => agent.destroy()));
      await server.stop();
    },
  };
}

async function send(dispatcher: Agent, method: string, url: string, { raw, body, headers }: SendOptions): Promise<Answer> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await request(url, {
    method: method as 'GET',
    dispatcher,
    headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: sent ?? null,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const text = bytes.toString();
  return {
    code: answer.statusCode,
    headers: answer.headers,
    bytes,
    text,
    get json() {
      return JSON.parse(text) as Answer['json'];
    },
  };
}
