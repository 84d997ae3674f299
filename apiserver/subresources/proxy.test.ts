// The proxy sub-resources on the wire, with a small HTTP server that plays the workload. It listens on loopback, which only the test
// server may reach.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const space = '/api/v1/namespaces/default';
const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
let server: TestApiServer;
let admin: Agent;
let workload: Server;
let port: number;
let pair: { cert: string; key: string };

beforeAll(async () => {
  workload = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      seen.push({
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
      });
      answer(incoming.url ?? '', response);
    });
  });
  workload.on('upgrade', (incoming: IncomingMessage, socket: Duplex) => {
    seen.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body: '' });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.end(chunk.toString().toUpperCase()));
  });
  workload.listen(0, '127.0.0.1');
  await once(workload, 'listening');
  port = (workload.address() as AddressInfo).port;
  server = await startTestApiServer({
    kinds: lenientKinds(),
    admissionPlugins: ['NamespaceLifecycle'],
    mayReach: (address) => address !== '127.0.0.9',
  });
  const { credentials } = server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  pair = credentials;
  admin = new Agent({ connect: { ca: server.ca.cert, cert: pair.cert, key: pair.key } });
  await makePod('web', '127.0.0.1', [{ containerPort: port }]);
  await makePod('elsewhere', '127.0.0.9', [{ containerPort: port }]);
  await makePod('idle', '127.0.0.1', []);
  await make('services', { metadata: { name: 'web' }, spec: { ports: [{ name: 'http', port: 80 }] } });
  await endpoints('web', 'web', '127.0.0.1');
  await make('services', { metadata: { name: 'empty' }, spec: { ports: [{ port: 80 }] } });
  await make('endpoints', { metadata: { name: 'empty' } });
  await endpoints('liar', 'web', '127.0.0.2');
  await make('endpoints', { metadata: { name: 'nobody' }, subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port }] }] });
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
  workload.closeAllConnections();
  workload.close();
});

function answer(url: string, response: ServerResponse): void {
  if (url.startsWith('/redirect')) response.writeHead(302, { Location: '/there?x=1' }).end();
  else if (url.startsWith('/page')) {
    const page = '<a href="/x">x</a>';
    const packed = url.includes('packed');
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...(packed ? { 'Content-Encoding': 'gzip' } : {}) });
    response.end(packed ? gzipSync(page) : page);
  } else {
    response.writeHead(203, { 'X-Own': 'yes', 'Access-Control-Allow-Origin': '*', 'Set-Cookie': ['a=1', 'b=2'] }).end(`at ${url}`);
  }
}

async function send(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const got = await request(`${server.url}${path}`, { method: method as 'GET', dispatcher: admin, headers, body: body ?? null });
  const bytes = Buffer.from(await got.body.arrayBuffer());
  return { code: got.statusCode, headers: got.headers, bytes, text: bytes.toString() };
}

async function status(path: string, value: object): Promise<void> {
  const patch = JSON.stringify({ status: value });
  expect((await send('PATCH', `${path}/status`, { 'content-type': 'application/merge-patch+json' }, patch)).code).toBe(200);
}

async function make(plural: string, object: object, below = space): Promise<void> {
  const { code, text } = await send('POST', `${below}/${plural}`, { 'content-type': 'application/json' }, JSON.stringify(object));
  expect([code, text]).toEqual([201, expect.anything()]);
}

async function makePod(name: string, ip: string, ports: object[]): Promise<void> {
  await make('pods', { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i', ports }] } });
  await status(`${space}/pods/${name}`, { podIP: ip, podIPs: [{ ip }] });
}

async function endpoints(name: string, pod: string, ip: string): Promise<void> {
  const targetRef = { kind: 'Pod', namespace: 'default', name: pod };
  await make('endpoints', { metadata: { name }, subsets: [{ addresses: [{ ip, targetRef }], ports: [{ name: 'http', port }] }] });
}

/** Endpoints may not hold loopback addresses; here they must. */
function lenientKinds(): KindDefinition[] {
  return builtinKinds.map((kind) => {
    if (kind.names.plural !== 'endpoints') return kind;
    const { validate: _validate, ...lenient } = kind;
    return lenient;
  });
}

/** Leaves HTTP at `path`, sends a word and gives all that comes back. */
async function upgrade(path: string, head = ''): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: server.ca.cert, ...pair });
  await once(socket, 'secureConnect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${head}\r\n`);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (chunks.length === 1) socket.write('hello');
  });
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('what goes there', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s arrives with path, query and body', async (method) => {
    const body = method === 'GET' ? undefined : 'hello';
    const got = await send(method, `${space}/pods/web/proxy/a%20b/c;d/?x=1&x=%2F`, { 'x-mine': 'kept' }, body);
    expect([got.code, got.text]).toEqual([203, 'at /a%20b/c;d/?x=1&x=%2F']);
    expect(seen.at(-1)).toMatchObject({ method, body: body ?? '', headers: { 'x-mine': 'kept' } });
  });

  test('HEAD answers without a body', async () => {
    expect(await send('HEAD', `${space}/pods/web/proxy/x`)).toMatchObject({ code: 203, text: '' });
  });

  test('who asks stays here; where the request came from goes on', async () => {
    const secret = { authorization: 'Bearer abc', 'impersonate-user': 'boss', 'impersonate-group': 'system:masters', cookie: 'c=1' };
    expect((await send('GET', `${space}/pods/web/proxy/x`, { ...secret, 'x-remote-user': 'root' })).code).toBe(203);
    const headers = seen.at(-1)?.headers ?? {};
    for (const name of ['authorization', 'impersonate-user', 'impersonate-group', 'x-remote-user']) expect(headers[name]).toBeUndefined();
    expect(headers).toMatchObject({
      cookie: 'c=1',
      host: `127.0.0.1:${server.port}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-uri': `${space}/pods/web/proxy/x`,
    });
  });

  test('dots do not lead out of the path', async () => {
    expect((await send('GET', `${space}/pods/web/proxy/a//b/%2e%2e/c`)).text).toBe('at /a/c');
  });

  test('the proxy without a slash is not the root page', async () => {
    const got = await send('GET', `${space}/pods/web/proxy?x=1`);
    expect([got.code, got.headers['location']]).toEqual([301, `${space}/pods/web/proxy/?x=1`]);
    expect((await send('GET', `${space}/pods/web/proxy/?x=1`)).text).toBe('at /?x=1');
    expect((await send('POST', `${space}/pods/web/proxy`)).text).toBe('at /');
  });

  test('a connection may leave HTTP', async () => {
    const text = await upgrade(`${space}/pods/web:${port}/proxy/ws?x=1`, 'Cookie: c=1\r\nAuthorization: Bearer abc\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*\r\n\r\nHELLO$/);
    const { url, headers } = seen.at(-1) ?? {};
    expect([url, headers?.cookie, headers?.authorization, headers?.['x-forwarded-for']]).toEqual([
      '/ws?x=1',
      'c=1',
      undefined,
      '127.0.0.1',
    ]);
  });
});

describe('what comes back', () => {
  test('headers, but not who may read this server’s pages', async () => {
    const { headers } = await send('GET', `${space}/pods/web/proxy/x`);
    expect(headers).toMatchObject({ 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'], 'cache-control': 'no-cache, private' });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['audit-id']).toMatch(/-/);
  });

  test('redirects are not followed and lead through the proxy', async () => {
    const got = await send('GET', `${space}/pods/web/proxy/redirect`);
    expect([got.code, got.headers['location']]).toEqual([302, `${space}/pods/web/proxy/there?x=1`]);
  });

  test('links lead through the proxy, packed pages included', async () => {
    const page = `<a href="${space}/pods/web/proxy/x">x</a>`;
    expect((await send('GET', `${space}/pods/web/proxy/page/1`)).text).toBe(page);
    const packed = await send('GET', `${space}/pods/web/proxy/page/packed`);
    expect(gunzipSync(packed.bytes).toString()).toBe(page);
  });
});

describe('whom it reaches', () => {
  test('Services by the name and the number of a port', async () => {
    for (const name of ['web:http', 'web:80', 'http:web:http']) {
      expect((await send('GET', `${space}/services/${name}/proxy/x`)).text).toBe('at /x');
    }
  });

  test.each<[string, number, string]>([
    ['pods/nope/proxy/', 404, 'pods "nope" not found'],
    ['pods/a:b:c:d/proxy/', 400, 'invalid pod request "a:b:c:d"'],
    ['pods/ftp:web:1/proxy/', 400, 'invalid pod request "ftp:web:1"'],
    ['pods/elsewhere/proxy/', 400, 'address not allowed'],
    ['services/nope/proxy/', 404, 'endpoints "nope" not found'],
    ['services/nope:80/proxy/', 404, 'services "nope" not found'],
    ['services/web:99/proxy/', 503, 'no service port 99 found for service "web"'],
    ['services/web/proxy/', 503, 'no endpoints available for service "web"'],
    ['services/web:nope/proxy/', 503, 'no endpoints available for service "web:nope"'],
    ['services/empty:80/proxy/', 503, 'no endpoints available for service "empty"'],
    ['services/liar:http/proxy/', 503, 'no endpoints available for service "liar:http"'],
    ['services/nobody/proxy/', 503, 'no endpoints available for service "nobody"'],
    ['pods/idle:1/proxy/', 503, 'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused'],
  ])('%s: %i %s', async (path, code, message) => {
    const got = await send('GET', `${space}/${path}`);
    expect(JSON.parse(got.text)).toMatchObject({ kind: 'Status', code, message });
    expect(got.code).toBe(code);
  });

  test('nodes by their own ports', async () => {
    await make('nodes', { metadata: { name: 'n1' } }, '/api/v1');
    await make('nodes', { metadata: { name: 'n2' } }, '/api/v1');
    await status('/api/v1/nodes/n1', { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] });
    await status('/api/v1/nodes/n2', { addresses: [{ type: 'InternalIP', address: '127.0.0.9' }] });
    expect((await send('GET', `/api/v1/nodes/n1:${port}/proxy/x?y=1`)).text).toBe('at /x?y=1');
    for (const name of ['n2', `n2:${port}`]) {
      expect(JSON.parse((await send('GET', `/api/v1/nodes/${name}/proxy/x`)).text)).toMatchObject({
        code: 400,
        message: 'address not allowed',
      });
    }
  });
});
