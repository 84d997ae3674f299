import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const carrier = (token: string | Buffer): string => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
const mine = carrier('a token');

let server: TestApiServer;

beforeAll(async () => {
  const staticTokens = new Map([['a token', { name: 'browser', groups: ['system:masters'] }]]);
  server = await startTestApiServer({ authentication: { staticTokens } });
});

afterAll(() => server.stop());

function watchOffering(protocols: string[]): WebSocket {
  const url = `${server.url.replace('https', 'wss')}/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Ddefault`;
  return new WebSocket(url, protocols, { ca: server.ca.cert });
}

test('a token among the subprotocols says who asks, and is not answered with', async () => {
  const socket = watchOffering([mine, 'chat']);
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(JSON.parse(data.toString())).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'default' } } });
  expect(socket.protocol).toBe('chat');
  socket.terminate();
});

test.each<[string, string[], number]>([
  ['nobody knows', [carrier('another'), 'chat'], 401],
  ['stands alone', [mine], 401],
  ['comes twice', [mine, carrier('another'), 'chat'], 401],
  ['is not encoded', ['base64url.bearer.authorization.k8s.io.a', 'chat'], 401],
  ['is no text', [carrier(Buffer.from([0xff])), 'chat'], 401],
  ['is empty', [carrier(''), 'chat'], 403],
])('a token that %s', async (_name, protocols, expected) => {
  const socket = watchOffering(protocols);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(response.statusCode).toBe(expected);
  socket.terminate();
});
