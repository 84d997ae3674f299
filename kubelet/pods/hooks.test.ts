import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { runHook } from './hooks.ts';
import { aContainer, aPod } from './testing.ts';

const signal = new AbortController().signal;
let server: Server;
let port: number;
const seen: string[] = [];
const events: unknown[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['user-agent']}`, `key ${request.headers.authorization}`);
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

const clock = new FakeClock();
const run = (handler: Parameters<typeof runHook>[0]): Promise<void> =>
  runHook(
    handler,
    {
      pod: aPod(),
      container: aContainer('c', { ports: [{ name: 'web', containerPort: port }] }),
      containerId: 'id',
      podIp: '127.0.0.1',
      record: (...words) => void events.push(words),
    },
    {
      runtime: {
        execSync: (_, command) => Promise.resolve({ exitCode: Number(command[1]), stdout: Buffer.from('out'), stderr: Buffer.from('err') }),
      },
      clock,
      userAgent: 'kube-lifecycle/1.36',
    },
    signal,
  );

test('exec', async () => {
  await run({ exec: { command: ['exit', '0'] } });
  await expect(run({ exec: { command: ['exit', '3'] } })).rejects.toThrow(/command 'exit 3' exited with 3: outerr/);
});

test('HTTP: any answer will do', async () => {
  await run({ httpGet: { port: 'web', path: '/bye' } });
  expect(seen).toContain('GET /bye kube-lifecycle/1.36');
  await expect(run({ httpGet: { port: 'nope' } })).rejects.toThrow("couldn't find port");
});

test('sleep', async () => {
  let isDone = false;
  const ended = run({ sleep: { seconds: 5 } }).then(() => (isDone = true));
  await clock.advance(4_999);
  expect(isDone).toBe(false);
  await clock.advance(1);
  await ended;
});

test('HTTPS where HTTP is spoken is asked again, without what is secret', async () => {
  const httpHeaders = [{ name: 'Authorization', value: 'Bearer x' }];
  await run({ httpGet: { port: 'web', path: '/again', scheme: 'HTTPS', httpHeaders } });
  expect(seen.slice(-2)).toEqual(['GET /again kube-lifecycle/1.36', 'key undefined']);
  const text = `request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`;
  expect(events).toEqual([['Warning', 'LifecycleHTTPFallback', text]]);
});

test('what is not meant for hooks fails', async () => {
  await expect(run({ tcpSocket: { port: 'web' } })).rejects.toThrow('invalid handler: {"tcpSocket":{"port":"web"}}');
  await expect(run({})).rejects.toThrow('invalid handler: {}');
});
