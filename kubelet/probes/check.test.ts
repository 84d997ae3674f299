import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { V1Probe } from '#api/generated/types.ts';
import { systemClock } from '#base/clock.ts';
import { ownServerCertificate } from '#base/own-certificate.ts';
import { type Runtime, RuntimeError } from '../runtime/contract.ts';
import { check, portOf } from './check.ts';
import { httpTarget } from './http-check.ts';

const signal = new AbortController().signal;
let plain: Server;
let secure: Server;
let grpc: Http2Server;
let closedPort: number;
const port = (server: { address(): string | AddressInfo | null }): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  const answer: Parameters<typeof createServer>[1] = (request, response) => {
    if (request.url === '/slow') return;
    const redirects: Record<string, string> = { '/here': '/ok', '/away': 'http://203.0.113.9/', '/loop': '/loop' };
    const location = redirects[request.url ?? ''];
    if (location !== undefined) {
      response.writeHead(302, { location }).end('moved');
      return;
    }
    if (request.url === '/big') response.end('x'.repeat(100_000));
    else if (request.url === '/headers') response.end(JSON.stringify(request.headers));
    else response.writeHead(request.url?.startsWith('/ok') === true ? 200 : 500).end('body');
  };
  plain = createServer(answer).listen(0, '127.0.0.1');
  secure = createTls(await ownServerCertificate('nobody.example', systemClock.nowMs()), answer).listen(0, '127.0.0.1') as unknown as Server;
  grpc = createHttp2();
  grpc.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const service = Buffer.concat(chunks).subarray(7).toString();
      if (headers[':path'] !== '/grpc.health.v1.Health/Check' || service === 'none') {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': 'unknown service' },
          { endStream: true },
        );
        return;
      }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, service === 'sick' ? 2 : 1]));
    });
  });
  grpc.listen(0, '127.0.0.1');
  const closed = createServer().listen(0, '127.0.0.1');
  for (const server of [plain, secure, grpc, closed]) if (!server.listening) await once(server, 'listening');
  closedPort = port(closed);
  closed.close();
});
afterAll(() => {
  plain.closeAllConnections();
  for (const server of [plain, secure, grpc]) server.close();
});

const execSync: Runtime['execSync'] = (_, command) => {
  if (command[0] === 'hang') return Promise.reject(new RuntimeError('Timeout', 'too slow'));
  if (command[0] === 'gone') return Promise.reject(new RuntimeError('NotRunning', 'container is not running'));
  return Promise.resolve({ exitCode: command[0] === 'true' ? 0 : 1, stdout: Buffer.from('out '), stderr: Buffer.from('err') });
};
const probe = (asked: V1Probe): ReturnType<typeof check> =>
  check(
    asked,
    { container: { name: 'c', ports: [{ name: 'web', containerPort: port(plain) }] }, containerId: 'id', podIp: '127.0.0.1' },
    { runtime: { execSync }, clock: systemClock, userAgent: 'kube-probe/1.36' },
    signal,
  );

describe('HTTP', () => {
  const get = (path: string, rest: Partial<NonNullable<V1Probe['httpGet']>> = {}): ReturnType<typeof check> =>
    probe({ httpGet: { port: 'web', path, ...rest } });
  test('200', async () => expect(await get('/ok')).toEqual({ result: 'success', output: 'body' }));
  test('500', async () => expect(await get('/bad')).toEqual({ result: 'failure', output: 'HTTP probe failed with statuscode: 500' }));
  test('no certificate is checked', async () =>
    expect(await get('/ok', { port: port(secure), scheme: 'HTTPS' })).toMatchObject({ result: 'success' }));
  test('redirected on the same host', async () => expect(await get('/here')).toMatchObject({ result: 'success', output: 'body' }));
  test('redirected elsewhere', async () =>
    expect(await get('/away')).toEqual({ result: 'warning', output: 'Probe terminated redirects, Response body: moved' }));
  test('redirected for ever', async () =>
    expect(await get('/loop')).toMatchObject({ result: 'failure', output: expect.stringContaining('stopped after 10 redirects') }));
  test('only 10 KiB are read', async () => expect((await get('/big')).output).toHaveLength(10 * 1_024));
  test('headers', async () => {
    const target = {
      port: 'web',
      path: '/headers',
      httpHeaders: [
        { name: 'Host', value: 'me.example' },
        { name: 'X-A', value: 'b' },
        { name: 'Accept', value: '' },
      ],
    };
    const { output } = await probe({ httpGet: target });
    const headers = JSON.parse(output) as Record<string, string>;
    expect(headers).toMatchObject({ host: 'me.example', 'x-a': 'b', 'user-agent': 'kube-probe/1.36' });
    expect(headers).not.toHaveProperty('accept');
  });
  test('repeated headers come all, empty ones empty, but for those that mean something', async () => {
    const httpHeaders = [
      { name: 'X-A', value: 'b' },
      { name: 'x-a', value: 'c, d' },
      { name: 'X-Empty', value: '' },
      { name: 'User-Agent', value: '' },
      { name: 'Host', value: '' },
    ];
    const { output } = await probe({ httpGet: { port: 'web', path: '/headers', httpHeaders } });
    const headers = JSON.parse(output) as Record<string, string>;
    expect(headers).toMatchObject({ 'x-a': 'b, c, d', 'x-empty': '', host: `127.0.0.1:${port(plain)}`, accept: '*/*' });
    expect(headers).not.toHaveProperty('user-agent');
  });
  test('refused', async () =>
    expect(await get('/', { port: closedPort })).toEqual({
      result: 'failure',
      output: `Get "http://127.0.0.1:${closedPort}/": dial tcp 127.0.0.1:${closedPort}: connect: connection refused`,
    }));
  test('too slow', async () =>
    expect(await probe({ httpGet: { port: 'web', path: '/slow' }, timeoutSeconds: 0.05 })).toEqual({
      result: 'failure',
      output: `Get "http://127.0.0.1:${port(plain)}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    }));
  test('no such port', async () => expect(await get('/', { port: 'nope' })).toMatchObject({ result: 'errored' }));
});

describe('TCP', () => {
  test('open', async () => expect(await probe({ tcpSocket: { port: port(plain) } })).toMatchObject({ result: 'success' }));
  test('closed', async () =>
    expect(await probe({ tcpSocket: { port: closedPort } })).toEqual({
      result: 'failure',
      output: `dial tcp 127.0.0.1:${closedPort}: connect: connection refused`,
    }));
});

describe('exec', () => {
  test.each([
    ['true', 'success', 'out err'],
    ['false', 'failure', 'out err'],
    ['hang', 'failure', 'command timed out: "hang" timed out after 1s'],
    ['gone', 'errored', 'container is not running'],
  ])('%s', async (command, result, output) => expect(await probe({ exec: { command: [command] } })).toEqual({ result, output }));
});

describe('gRPC', () => {
  test.each([
    [undefined, 'success', 'service healthy'],
    ['sick', 'failure', 'service unhealthy (responded with "NOT_SERVING")'],
    ['none', 'failure', expect.stringContaining("server doesn't implement the grpc health protocol")],
  ])('%s', async (service, result, output) => {
    expect(await probe({ grpc: { port: port(grpc), ...(service === undefined ? {} : { service }) } })).toEqual({ result, output });
  });
});

test.each([
  ['web', 80],
  ['8080', 8_080],
  [9, 9],
])('port %s', (name, expected) => expect(portOf(name, { name: 'c', ports: [{ name: 'web', containerPort: 80 }] })).toBe(expected));

test.each([
  [{ port: 80 }, 'http://10.0.0.1:80/'],
  [{ port: 80, path: 'x?a=b&c' }, 'http://10.0.0.1/x?a=b&c'],
  [{ port: 443, scheme: 'HTTPS', host: 'fd00::1', path: '/a b' }, 'https://[fd00::1]/a%20b'],
])('URL of %j', (action, url) => expect(httpTarget(action, '10.0.0.1', action.port).url.href).toBe(new URL(url).href));
