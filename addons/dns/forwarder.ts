import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createConnection, isIP } from 'node:net';
import { randomInt } from 'node:crypto';
import type { Clock } from '#base/clock.ts';

export interface ForwarderOptions {
  /** Addresses of the resolvers to ask, in order. */
  readonly servers: readonly string[];
  readonly clock: Clock;
}

const attemptMs = 2_000;
const port = 53;

/** The host's own resolvers, without those that would lead back to this process. */
export function resolversOf(resolvConf: string, ownAddresses: readonly string[]): readonly string[] {
  const listed = [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address);
  return listed.filter((address) => isIP(address) !== 0 && !ownAddresses.includes(address));
}

/** Reads a resolv.conf; a missing one has no resolvers. */
export function readResolvers(path: string, ownAddresses: readonly string[]): readonly string[] {
  try {
    return resolversOf(readFileSync(path, 'utf8'), ownAddresses);
  } catch {
    return []; // Names outside of the cluster are then answered with a server failure.
  }
}

/** Hands questions about the rest of the world to the host's resolvers. */
export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /**
   * The first answer that a resolver gives to the query in `bytes`, with the query's own id; over TCP where the asker came by TCP.
   * Undefined when none answers.
   */
  async ask(bytes: Buffer, transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Buffer | undefined> {
    const { servers, clock } = this.#options;
    for (const server of servers) {
      using limit = clock.deadline(signal, attemptMs);
      // An id of our own, so that nobody who sees the client's query can guess what to forge.
      const id = randomInt(65_536);
      const query = Buffer.from(bytes);
      query.writeUInt16BE(id, 0);
      try {
        const reply = transport === 'udp' ? await askUdp(server, query, id, limit.signal) : await askTcp(server, query, limit.signal);
        reply.writeUInt16BE(bytes.readUInt16BE(0), 0);
        return reply;
      } catch {
        signal.throwIfAborted(); // Otherwise this resolver is silent or broken: the next one may not be.
      }
    }
    return undefined;
  }
}

async function askUdp(server: string, query: Buffer, id: number, signal: AbortSignal): Promise<Buffer> {
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', reject);
  socket.on('message', (message) => {
    if (message.length >= 12 && message.readUInt16BE(0) === id) resolve(message);
  });
  try {
    socket.connect(port, server, () => socket.send(query));
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

async function askTcp(server: string, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = createConnection({ host: server, port });
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let received = Buffer.alloc(0);
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('closed before the answer was whole')));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0))
      resolve(Buffer.from(received.subarray(2, 2 + received.readUInt16BE(0))));
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  try {
    socket.write(Buffer.concat([length, query]));
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
