// Peers that have agreed on a protocol and then send whatever they like: every session ends, and nothing is thrown past it.
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { acceptExec } from './accept-exec.ts';
import { acceptPortForward } from './accept-port-forward.ts';
import type { StreamOptions, Upgrade } from './session.ts';
import { encodeFrame, type Frame } from './spdy/frame.ts';
import { HeaderEncoder } from './spdy/header-block.ts';
import { type LoopbackServer, serveUpgrades, spdyHeaders } from './testing.ts';

const options: StreamOptions = { clock: systemClock, idleMs: 0 };
const { signal } = new AbortController();
const headers = new Map([
  ['streamtype', 'data'],
  ['port', '80'],
  ['requestid', '1'],
]);

interface Watched extends AsyncDisposable {
  readonly server: LoopbackServer;
  /** Sessions that have not ended. */
  open(): number;
}

async function watched(accept: (upgrade: Upgrade) => Promise<void>): Promise<Watched> {
  let count = 0;
  const server = await serveUpgrades(async (upgrade) => {
    count++;
    await accept(upgrade).finally(() => count--);
  });
  return { server, open: () => count, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const exec = (): Promise<Watched> =>
  watched(async (upgrade) => {
    const session = await acceptExec(upgrade, { stdin: true, stdout: true, stderr: true, tty: true }, options, signal);
    session?.stdin?.on('error', () => {}).resume();
    session?.stdout?.on('error', () => {}).write('hello');
    await session?.finish({ kind: 'exited', code: 0 });
  });

const portForward = (): Promise<Watched> =>
  watched(async (upgrade) => {
    const session = await acceptPortForward(upgrade, [80], options, signal);
    if (session === undefined) return;
    for await (const { data } of session.connections)
      data
        .on('error', () => {})
        .resume()
        .write('hello');
  });

async function agreed(server: LoopbackServer, asked: Record<string, string>): Promise<Duplex> {
  const answer = await server.upgrade(asked);
  if (answer.kind !== 'agreed') throw new Error(answer.body);
  return answer.socket.on('error', () => {}).resume();
}

/** Sends pieces, hangs up, and waits until the server is done with it. */
async function sendAll({ open }: Watched, socket: Duplex, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await expect.poll(open, { timeout: 5_000, interval: 2 }).toBe(0);
}

const id = fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 7), fc.integer({ min: 0, max: 0x7fffffff }));
const someBytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const block = fc.oneof(someBytes, fc.constant(new HeaderEncoder().encode(headers)));
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('data' as const), streamId: id, fin: fc.boolean(), payload: someBytes }),
  fc.record({
    type: fc.constantFrom('syn-stream' as const, 'syn-reply' as const, 'headers' as const),
    streamId: id,
    fin: fc.boolean(),
    block,
  }),
  fc.record({ type: fc.constant('reset' as const), streamId: id, status: fc.integer({ min: 0, max: 20 }) }),
  fc.record({ type: fc.constant('settings' as const), windowBytes: fc.option(id, { nil: undefined }) }),
  fc.record({ type: fc.constant('ping' as const), id: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ type: fc.constant('goaway' as const), lastStreamId: id }),
  fc.record({ type: fc.constant('window' as const), streamId: id, delta: id }),
);

describe.each([
  ['exec', exec, 'v4.channel.k8s.io'],
  ['port-forward', portForward, 'portforward.k8s.io'],
] as const)('%s over SPDY', (_name, start, protocol) => {
  test('frames in any order, and bytes that are none', async () => {
    await using server = await start();
    const pieces = fc.array(fc.oneof({ weight: 9, arbitrary: frame.map(encodeFrame) }, { weight: 1, arbitrary: someBytes }), {
      maxLength: 15,
    });
    await fc.assert(
      fc.asyncProperty(pieces, async (sent) => {
        await sendAll(server, await agreed(server.server, spdyHeaders(protocol)), sent);
      }),
      { numRuns: 40 },
    );
  });
});

const webSocketHeaders = (protocol: string): Record<string, string> => ({
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
  'Sec-WebSocket-Protocol': protocol,
});

/** A masked frame whose mask is zero, so that it says what it says. */
function webSocketFrame(opcode: number, fin: boolean, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((fin ? 0x80 : 0) | opcode, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

describe.each([
  ['exec', 'v5.channel.k8s.io', exec],
  ['exec', 'base64.channel.k8s.io', exec],
  ['port-forward', 'v4.channel.k8s.io', portForward],
  ['port-forward', 'SPDY/3.1+portforward.k8s.io', portForward],
] as const)('%s over WebSockets, %s', (_name, protocol, start) => {
  test('frames of any kind, and bytes that are none', async () => {
    await using server = await start();
    const opcode = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(1, 2) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) });
    const payload = fc.oneof(
      someBytes,
      fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 48, 52, 255), someBytes).map(([channel, rest]) => Buffer.concat([Buffer.of(channel), rest])),
    );
    const piece = fc.tuple(opcode, fc.boolean(), payload).map(([code, fin, bytes]) => webSocketFrame(code, fin, bytes));
    const pieces = fc.array(fc.oneof({ weight: 9, arbitrary: piece }, { weight: 1, arbitrary: someBytes }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, async (sent) => {
        await sendAll(server, await agreed(server.server, webSocketHeaders(protocol)), sent);
      }),
      { numRuns: 25 },
    );
  });
});
