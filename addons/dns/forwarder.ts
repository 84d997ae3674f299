import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import { randomInt } from 'node:crypto';
import type { Clock } from '#base/clock.ts';

interface ForwarderOptions {
  /** Addresses of the resolvers to ask, in order. */
  readonly servers: () => readonly string[];
  readonly clock: Clock;
  /** Default 53. */
  readonly port?: number;
}

const attemptMs = 2_000;

/** Hands questions about the rest of the world to the host's resolvers. */
export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** False where there is no upstream server. */
  get hasServers(): boolean {
    return this.#options.servers().length > 0;
  }

  /**
   * The first answer that a resolver gives to the query in `bytes`, with the query's own id; over TCP where the asker came by TCP.
   * Undefined when none answers.
   */
  async ask(bytes: Buffer, transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Buffer | undefined> {
    const { servers, clock, port = 53 } = this.#options;
    for (const address of servers()) {
      using limit = clock.deadline(signal, attemptMs);
      // An id of our own, so that a reply cannot be forged from the client's query.
      const id = randomInt(65_536);
      const query = Buffer.from(bytes);
      query.writeUInt16BE(id, 0);
      try {
        const server = { address, port };
        const reply = transport === 'udp' ? await askUdp(server, query, limit.signal) : await askTcp(server, query, limit.signal);
        if (!answers(reply, query)) continue;
        reply.writeUInt16BE(bytes.readUInt16BE(0), 0);
        return reply;
      } catch {
        signal.throwIfAborted(); // Otherwise this resolver is silent or broken: the next one may not be.
      }
    }
    return undefined;
  }
}

interface Server {
  readonly address: string;
  readonly port: number;
}

/** True for a reply with the query's id and flag; what is forged blindly has neither, and comes from elsewhere, which the socket refuses. */
function answers(reply: Buffer, query: Buffer): boolean {
  return reply.length >= 12 && reply.readUInt16BE(0) === query.readUInt16BE(0) && (reply.readUInt16BE(2) & 0x8000) !== 0;
}

async function askUdp({ address, port }: Server, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', reject);
  socket.on('message', (message) => {
    if (answers(message, query)) resolve(message);
  });
  try {
    socket.connect(port, address, () => socket.send(query));
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

async function askTcp({ address, port }: Server, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = createConnection({ host: address, port });
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
