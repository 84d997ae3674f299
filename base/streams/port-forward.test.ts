import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../clock.ts';
import { FakeClock } from '../fake-clock.ts';
import { acceptPortForward } from './accept-port-forward.ts';
import type { PortForwardSession, StreamOptions } from './session.ts';
import { openSpdyPortForward, type PortForwardClient } from './spdy-client.ts';
import { encodeFrame } from './spdy/frame.ts';
import { HeaderEncoder } from './spdy/header-block.ts';
import { type LoopbackServer, serveUpgrades, spdyHeaders, webSocketBytes } from './testing.ts';
import { joinSockets } from './tunnel.ts';

const options: StreamOptions = { clock: systemClock, idleMs: 0 };
const { signal } = new AbortController();

/** Answers with the port's number, then with what it hears, in capitals; port 1 fails, port 2 ends at once. */
async function serveSession(session: PortForwardSession): Promise<void> {
  for await (const { port, data, fail } of session.connections) {
    if (port === 1) {
      fail('connection refused');
      continue;
    }
    data.write(`${port}:`);
    if (port === 2) {
      data.end();
      data.resume();
      continue;
    }
    data.on('data', (bytes: Buffer) => data.write(bytes.toString('latin1').toUpperCase(), 'latin1'));
    data.on('end', () => data.end());
  }
}

function serve(ports: readonly number[] = [], sessionOptions = options): Promise<LoopbackServer> {
  return serveUpgrades(async (upgrade) => {
    const session = await acceptPortForward(upgrade, ports, sessionOptions, signal);
    if (session !== undefined) await serveSession(session);
  });
}

async function overSpdy(server: LoopbackServer): Promise<PortForwardClient> {
  const answer = await server.upgrade(spdyHeaders('portforward.k8s.io'));
  if (answer.kind !== 'agreed') throw new Error(answer.body);
  return openSpdyPortForward(answer.socket, options, answer.head, signal);
}

async function overWebSocket(server: LoopbackServer): Promise<PortForwardClient> {
  return openSpdyPortForward(await webSocketBytes(server, 'SPDY/3.1+portforward.k8s.io'), options, Buffer.alloc(0), signal);
}

describe.each([
  ['SPDY', overSpdy],
  ['SPDY in WebSocket', overWebSocket],
])('%s', (_, open) => {
  test('several connections at once, each half-closed by itself', async () => {
    await using server = await serve();
    const client = await open(server);
    const connections = [8080, 9090].map((port) => client.connect(port));
    for (const [at, { data }] of connections.entries()) data.end(`hello ${at}`);
    expect(await Promise.all(connections.map(({ data }) => text(data)))).toEqual(['8080:HELLO 0', '9090:HELLO 1']);
    expect(await Promise.all(connections.map(({ problem }) => problem))).toEqual(['', '']);
    client.close();
  });

  test('a server that has ended says so although the client has not', async () => {
    await using server = await serve();
    const client = await open(server);
    const { data, problem } = client.connect(2);
    expect(await text(data)).toBe('2:');
    expect(await problem).toBe('');
    client.close();
  });

  test('megabytes', async () => {
    await using server = await serve();
    const client = await open(server);
    const { data } = client.connect(80);
    data.end(Buffer.alloc(3 * 1024 * 1024, 'x'));
    expect((await buffer(data)).length).toBe(3 * 1024 * 1024 + 3);
    client.close();
  });

  test('a connection that fails says why and leaves the others alone', async () => {
    await using server = await serve();
    const client = await open(server);
    const good = client.connect(80);
    const bad = client.connect(1);
    bad.data.resume();
    expect(await bad.problem).toBe('connection refused');
    good.data.end('ok');
    expect(await text(good.data)).toBe('80:OK');
    client.close();
  });
});

test('channels of old WebSocket clients: the port first, then data', async () => {
  await using server = await serve([80, 443]);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, ['v4.channel.k8s.io']);
  const channels: Record<number, Buffer> = {};
  const has = Promise.withResolvers<void>();
  socket.on('message', (message: Buffer) => {
    const channel = message[0] as number;
    channels[channel] = Buffer.concat([channels[channel] ?? Buffer.alloc(0), message.subarray(1)]);
    if (channels[2]?.toString('latin1', 2) === '443:HI') has.resolve();
  });
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(Buffer.from('\u0002hi'));
  await has.promise;
  expect(channels[0]?.subarray(0, 2)).toEqual(Buffer.from([80, 0]));
  expect(channels[2]?.subarray(0, 2)).toEqual(Buffer.from([443 & 0xff, 443 >> 8]));
  expect(channels[3]).toEqual(Buffer.from([443 & 0xff, 443 >> 8]));
  socket.terminate();
});

test('old WebSocket clients, who cannot end a channel, are told by the end of the session that all connections are over', async () => {
  await using server = await serve([2, 1, 2]);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, ['v4.channel.k8s.io']);
  const channels: Record<number, string> = {};
  socket.on('message', (message: Buffer) => {
    const channel = message[0] as number;
    channels[channel] = (channels[channel] ?? '') + message.subarray(1).toString('latin1');
  });
  const code = await new Promise((resolve) => socket.on('close', resolve));
  const port = (number: number): string => String.fromCharCode(number, 0);
  expect(channels).toEqual({
    0: `${port(2)}2:`,
    1: port(2),
    2: port(1),
    3: `${port(1)}connection refused`,
    4: `${port(2)}2:`,
    5: port(2),
  });
  expect(code).toBe(1000);
});

describe('hostile clients', () => {
  async function raw(server: LoopbackServer): Promise<Duplex> {
    const answer = await server.upgrade(spdyHeaders('portforward.k8s.io'));
    if (answer.kind !== 'agreed') throw new Error(answer.body);
    return answer.socket;
  }

  test('streams with bad headers are reset, one by one', async () => {
    await using server = await serve();
    const client = await overSpdy(server);
    for (const port of [0, 70_000]) {
      const { data, problem } = client.connect(port);
      data.resume();
      await new Promise((resolve) => data.on('close', resolve));
      expect(await problem).toBe('');
    }
    const { data } = client.connect(80);
    data.end();
    expect(await text(data)).toBe('80:');
    client.close();
  });

  test('half a pair is dropped after a while', async () => {
    const clock = new FakeClock();
    await using server = await serve([], { clock, idleMs: 0 });
    const socket = await raw(server);
    const headers = new Map([
      ['streamtype', 'data'],
      ['port', '80'],
      ['requestid', '1'],
    ]);
    socket.write(encodeFrame({ type: 'syn-stream', streamId: 1, fin: false, block: new HeaderEncoder().encode(headers) }));
    await new Promise((resolve) => socket.once('data', resolve));
    const reset = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    await clock.advance(31_000);
    expect((await reset).readUInt16BE(2)).toBe(3);
    socket.destroy();
  });

  test('pings whose answers nobody reads end the connection', async () => {
    const cut = Promise.withResolvers<void>();
    await using server = await serveUpgrades(async (upgrade) => {
      const session = await acceptPortForward(upgrade, [], options, signal);
      session?.closed.addEventListener('abort', () => cut.resolve(), { once: true });
    });
    const socket = await raw(server);
    socket.on('error', () => undefined);
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 5_000 }, (_, at) => encodeFrame({ type: 'ping', id: at * 2 + 1 })));
    let isCut = false;
    const flood = (): void => {
      if (!isCut) socket.write(pings, flood);
    };
    flood();
    await cut.promise;
    isCut = true;
    socket.destroy();
  });

  test('stream ids out of turn end the connection', async () => {
    await using server = await serve();
    const socket = await raw(server);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.resume();
    socket.write(encodeFrame({ type: 'syn-stream', streamId: 2, fin: false, block: new HeaderEncoder().encode(new Map()) }));
    await closed;
  });
});

describe('joinSockets', () => {
  /** Two sockets that are connected. */
  async function pair(): Promise<[Socket, Socket]> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    const other = await accepted;
    server.close();
    return [client, other];
  }

  test('passes bytes both ways, and ends as ends', async () => {
    const [client, left] = await pair();
    const [right, server] = await pair();
    const joined = joinSockets(left, right, options, signal);
    client.end('question');
    expect(await text(server)).toBe('question');
    server.end('answer');
    expect(await text(client)).toBe('answer');
    await joined;
  });

  test('a side that breaks takes the other with it', async () => {
    const [client, left] = await pair();
    const [right, server] = await pair();
    const joined = joinSockets(left, right, options, signal);
    const closed = new Promise((resolve) => server.on('close', resolve));
    server.resume();
    client.resetAndDestroy();
    await joined;
    server.end();
    await closed;
  });

  test('closes when idle', async () => {
    const clock = new FakeClock();
    const [client, left] = await pair();
    const [right, server] = await pair();
    const joined = joinSockets(left, right, { clock, idleMs: 1_000 }, signal);
    client.write('x');
    await new Promise((resolve) => server.once('data', resolve));
    await clock.advance(1_500);
    await joined;
    client.destroy();
    server.destroy();
  });
});
