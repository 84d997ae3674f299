import { buffer, text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../clock.ts';
import { FakeClock } from '../fake-clock.ts';
import { acceptExec } from './accept-exec.ts';
import type { ExecOutcome, ExecSession, ExecStreams, StreamOptions } from './session.ts';
import { type ExecClient, openSpdyExec } from './spdy-client.ts';
import { type LoopbackServer, serveUpgrades, spdyHeaders } from './testing.ts';

const options: StreamOptions = { clock: systemClock, idleMs: 0 };
const all: ExecStreams = { stdin: true, stdout: true, stderr: true, tty: false };
const { signal } = new AbortController();

/** What a server does with a session. */
type Program = (session: ExecSession) => Promise<ExecOutcome>;

const echo: Program = async ({ stdin, stdout, stderr }) => {
  if (stdin !== undefined && stdout !== undefined) await pipeline(stdin, stdout, { end: false });
  else stdout?.write('no input');
  stderr?.write('to error');
  return { kind: 'exited', code: 3 };
};

function serve(streams: ExecStreams, program: Program, sessionOptions = options): Promise<LoopbackServer> {
  return serveUpgrades(async (upgrade) => {
    const session = await acceptExec(upgrade, streams, sessionOptions, signal);
    if (session === undefined) return;
    await session.finish(await program(session));
    expect(session.closed.aborted).toBe(true);
  });
}

async function spdy(server: LoopbackServer, streams: ExecStreams, protocol = 'v4.channel.k8s.io'): Promise<ExecClient> {
  const answer = await server.upgrade(spdyHeaders('v9.unknown', protocol));
  if (answer.kind !== 'agreed') throw new Error(answer.body);
  expect(answer.headers['x-stream-protocol-version']).toBe(protocol);
  return openSpdyExec(answer.socket, streams, options, answer.head, signal);
}

interface Messages {
  readonly socket: WebSocket;
  /** What came, by channel. */
  readonly channels: Map<number, string>;
  readonly closed: Promise<number>;
}

function webSocket(server: LoopbackServer, protocol: string | undefined): Promise<Messages> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, protocol === undefined ? [] : [protocol]);
  const channels = new Map<number, string>();
  socket.on('message', (data: Buffer, isBinary) => {
    const channel = isBinary ? (data[0] as number) : Number(data.toString('latin1', 0, 1));
    const payload = isBinary ? data.toString('utf8', 1) : Buffer.from(data.toString('latin1', 1), 'base64').toString();
    channels.set(channel, (channels.get(channel) ?? '') + payload);
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ socket, channels, closed }));
    socket.on('error', reject);
  });
}

describe('SPDY', () => {
  test('carries the streams, closes them one by one, and tells the exit code', async () => {
    await using server = await serve(all, echo);
    const client = await spdy(server, all);
    client.stdin?.end('hello');
    expect(await text(client.stdout!)).toBe('hello');
    expect(await text(client.stderr!)).toBe('to error');
    expect(await client.outcome).toEqual({ kind: 'exited', code: 3 });
  });

  test('megabytes both ways, against slow readers', async () => {
    await using server = await serve({ ...all, stderr: false }, echo);
    const client = await spdy(server, { ...all, stderr: false });
    const big = Buffer.alloc(5 * 1024 * 1024, 'abcdefg');
    client.stdin?.end(big);
    // Everything on the way is full before anybody reads.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await buffer(client.stdout!)).equals(big)).toBe(true);
    expect((await client.outcome).kind).toBe('exited');
  });

  test('the server keeps its way of stdin open: kubectl would stop sending', async () => {
    await using server = await serve({ ...all, stderr: false }, echo);
    const client = await spdy(server, { ...all, stderr: false });
    const stdin = client.stdin as unknown as Readable;
    let hasEnded = false;
    stdin.on('end', () => (hasEnded = true)).resume();
    client.stdin?.write('first');
    await new Promise((resolve) => client.stdout?.once('data', resolve));
    expect(hasEnded).toBe(false);
    client.stdin?.end('second');
    expect(await text(client.stdout!)).toBe('second');
    await client.outcome;
  });

  test('a terminal has one output and tells its size', async () => {
    await using server = await serve({ ...all, tty: true }, async ({ stdout, stderr, resizes }) => {
      expect(stderr).toBeUndefined();
      for await (const { width, height } of resizes) {
        stdout?.write(`${width}x${height}`);
        break;
      }
      return { kind: 'done' };
    });
    const client = await spdy(server, { ...all, tty: true });
    client.resize({ width: 80, height: 24 });
    expect(await text(client.stdout!)).toBe('80x24');
    expect(await client.outcome).toEqual({ kind: 'done' });
  });

  test('a failure arrives with its words', async () => {
    await using server = await serve(all, async () => ({ kind: 'failed', message: 'no such container' }));
    const client = await spdy(server, all);
    client.stdout?.resume();
    client.stderr?.resume();
    expect(await client.outcome).toEqual({ kind: 'failed', message: 'Internal error occurred: no such container' });
  });

  test('a client that goes away ends the input and the session', async () => {
    const ended = Promise.withResolvers<void>();
    await using server = await serve(all, async ({ stdin, closed }) => {
      await text(stdin!).catch(() => '');
      if (!closed.aborted) await new Promise((resolve) => closed.addEventListener('abort', resolve, { once: true }));
      ended.resolve();
      return { kind: 'done' };
    });
    const client = await spdy(server, all);
    client.stdin?.write('x');
    client.close();
    await ended.promise;
  });

  test('an idle session is closed', async () => {
    const clock = new FakeClock();
    const ended = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    await using server = await serve(
      all,
      async ({ closed }) => {
        began.resolve();
        await new Promise((resolve) => closed.addEventListener('abort', resolve, { once: true }));
        ended.resolve();
        return { kind: 'done' };
      },
      { clock, idleMs: 60_000 },
    );
    await spdy(server, all);
    await began.promise;
    await clock.advance(61_000);
    await ended.promise;
  });

  test('a client that never opens its streams is dropped', async () => {
    const clock = new FakeClock();
    await using server = await serve(all, echo, { clock, idleMs: 0 });
    const answer = await server.upgrade(spdyHeaders('v4.channel.k8s.io'));
    if (answer.kind !== 'agreed') throw new Error('refused');
    const closed = new Promise((resolve) => answer.socket.on('close', resolve));
    answer.socket.resume();
    await clock.advance(31_000);
    await closed;
  });

  test('bytes that are no SPDY end the session', async () => {
    await using server = await serve(all, echo);
    const answer = await server.upgrade(spdyHeaders('v4.channel.k8s.io'));
    if (answer.kind !== 'agreed') throw new Error('refused');
    const closed = new Promise((resolve) => answer.socket.on('close', resolve));
    answer.socket.resume();
    answer.socket.write(Buffer.from([0x80, 9, 0, 1, 0, 0, 0, 0]));
    await closed;
  });
});

describe('WebSocket', () => {
  test.each([
    ['v5.channel.k8s.io'],
    ['v4.channel.k8s.io'],
    ['v4.base64.channel.k8s.io'],
    ['channel.k8s.io'],
    ['base64.channel.k8s.io'],
    [undefined],
  ])('%s carries output and status', async (protocol) => {
    const streams = { ...all, stdin: false };
    await using server = await serve(streams, echo);
    const { socket, channels, closed } = await webSocket(server, protocol);
    expect(await closed).toBe(1000);
    expect(socket.protocol).toBe(protocol ?? '');
    expect(channels.get(1)).toBe('no input');
    expect(channels.get(2)).toBe('to error');
    const isStatus = protocol?.startsWith('v') ?? false;
    expect(channels.get(3)).toBe(
      isStatus
        ? '{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: command terminated with exit code 3",' +
            '"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'
        : 'command terminated with non-zero exit code: command terminated with exit code 3',
    );
  });

  test('v5 closes the input and keeps the output', async () => {
    await using server = await serve(all, echo);
    const { socket, channels, closed } = await webSocket(server, 'v5.channel.k8s.io');
    socket.send(Buffer.from('\0hello'));
    socket.send(Buffer.from([255, 0]));
    await closed;
    expect(channels.get(1)).toBe('hello');
  });

  test('input in base64, and the size of a terminal', async () => {
    await using server = await serve({ ...all, tty: true }, async ({ stdin, stdout, resizes }) => {
      for await (const size of resizes) {
        stdout?.write(`${size.width}x${size.height} `);
        break;
      }
      for await (const chunk of stdin!) {
        stdout?.write(chunk);
        break;
      }
      return { kind: 'done' };
    });
    const { socket, channels, closed } = await webSocket(server, 'v4.base64.channel.k8s.io');
    socket.send(`4${Buffer.from('{"Width":100,"Height":40}').toString('base64')}`);
    socket.send(`0${Buffer.from('typed').toString('base64')}`);
    await closed;
    expect(channels.get(1)).toBe('100x40 typed');
    expect(channels.get(3)).toBe('{"metadata":{},"status":"Success"}');
  });

  test('a slow reader slows the client, and nothing is lost', async () => {
    let received = 0;
    await using server = await serve({ ...all, stderr: false }, async ({ stdin, stdout }) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for await (const chunk of stdin!) received += (chunk as Buffer).length;
      stdout?.write(String(received));
      return { kind: 'done' };
    });
    const { socket, channels, closed } = await webSocket(server, 'v5.channel.k8s.io');
    for (let message = 0; message < 100; message++) socket.send(Buffer.alloc(40_001));
    socket.send(Buffer.from([255, 0]));
    await closed;
    expect(channels.get(1)).toBe(String(100 * 40_000));
  });

  test('a client that goes away ends the input', async () => {
    const ended = Promise.withResolvers<string>();
    await using server = await serve(all, async ({ stdin }) => {
      ended.resolve(await text(stdin!));
      return { kind: 'done' };
    });
    const { socket } = await webSocket(server, 'v4.channel.k8s.io');
    socket.send(Buffer.from('\0bye'), () => socket.terminate());
    expect(await ended.promise).toBe('bye');
  });
});

describe('refusals', () => {
  test.each<[string, ExecStreams, Record<string, string>, number, string]>([
    [
      'an upgrade to something else',
      all,
      { Connection: 'Upgrade', Upgrade: 'h2c' },
      400,
      'unable to upgrade: missing upgrade headers in request\n',
    ],
    [
      'a stream protocol that nobody has',
      all,
      spdyHeaders('v9.unknown'),
      403,
      'unable to upgrade: unable to negotiate protocol: client supports [v9.unknown], server accepts ' +
        '[v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]\n',
    ],
    [
      'no stream at all',
      { stdin: false, stdout: false, stderr: true, tty: true },
      spdyHeaders(),
      400,
      'you must specify at least 1 of stdin, stdout, stderr\n',
    ],
    [
      'a WebSocket protocol that nobody has',
      all,
      {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Protocol': 'spam',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      },
      403,
      'requested protocol(s) are not supported: [spam]; supports ' +
        '[v5.channel.k8s.io v4.channel.k8s.io v4.base64.channel.k8s.io channel.k8s.io base64.channel.k8s.io ]\n',
    ],
  ])('%s', async (_, streams, headers, status, body) => {
    await using server = await serve(streams, echo);
    const answer = await server.upgrade(headers);
    expect(answer).toMatchObject({ kind: 'refused', status, body });
  });

  test('a broken WebSocket handshake', async () => {
    await using server = await serve(all, echo);
    const answer = await server.upgrade({ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'v4.channel.k8s.io' });
    expect(answer).toMatchObject({ kind: 'refused', status: 400 });
  });
});
