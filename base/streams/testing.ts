// A server on loopback for the tests of this folder, and the ways to reach it.
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import type { Upgrade } from './session.ts';

export interface LoopbackServer extends AsyncDisposable {
  readonly port: number;
  /** Asks for an upgrade. */
  upgrade(headers: Record<string, string>): Promise<Answer>;
}

type Answer =
  | { readonly kind: 'agreed'; readonly headers: IncomingMessage['headers']; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string };

/** Starts a server that gives every upgrade to `accept`. */
export async function serveUpgrades(accept: (upgrade: Upgrade) => Promise<void>): Promise<LoopbackServer> {
  const sockets = new Set<Duplex>();
  const server = createServer();
  const failures: unknown[] = [];
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (req, socket, head) => {
    accept({ request: req, socket, head }).catch((error: unknown) => failures.push(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    upgrade: (headers) => askUpgrade(port, headers),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** What a SPDY client of Kubernetes asks for. */
export function spdyHeaders(...protocols: string[]): Record<string, string> {
  return {
    Connection: 'Upgrade',
    Upgrade: 'SPDY/3.1',
    ...(protocols.length === 0 ? {} : { 'X-Stream-Protocol-Version': protocols.join(', ') }),
  };
}

function askUpgrade(port: number, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, headers, agent: false });
    asked.on('upgrade', (answer, socket, head) => resolve({ kind: 'agreed', headers: answer.headers, socket, head }));
    asked.on('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (body += piece));
      answer.on('end', () => resolve({ kind: 'refused', status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Asks for a WebSocket under any sub-protocol name (libraries take only tokens) and gives its binary messages as a byte stream. */
export async function webSocketBytes(server: LoopbackServer, protocol: string): Promise<Duplex> {
  const answer = await server.upgrade({
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': protocol,
  });
  if (answer.kind !== 'agreed') throw new Error(answer.body);
  if (answer.headers['sec-websocket-protocol'] !== protocol) throw new Error('another sub-protocol was agreed');
  const { socket } = answer;
  let held = Buffer.concat([answer.head]);
  const stream: Duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, sent) => socket.write(maskedFrame(chunk), sent),
    final: (done) => socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  const take = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    for (let frame = plainFrame(held); frame !== undefined; frame = plainFrame(held)) {
      held = Buffer.from(held.subarray(frame.bytes));
      if (frame.opcode === 2 && !stream.push(frame.payload)) socket.pause();
      if (frame.opcode === 8) stream.push(null);
    }
  };
  socket.on('data', take);
  socket.on('close', () => stream.destroy());
  take(Buffer.alloc(0));
  return stream;
}

function maskedFrame(payload: Buffer): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x82;
  head[1] = 0xff;
  head.writeUInt32BE(payload.length, 6);
  // The mask is zero, so the payload stays as it is.
  return Buffer.concat([head, payload]);
}

function plainFrame(bytes: Buffer): { opcode: number; payload: Buffer; bytes: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  const length = short === 127 ? bytes.readUInt32BE(6) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + length) return undefined;
  return { opcode: (bytes[0] as number) & 15, payload: bytes.subarray(start, start + length), bytes: start + length };
}
