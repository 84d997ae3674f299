import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { listen } from '#base/health-server.ts';
import { aborted, type Service, UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Clients } from './clients.ts';
import type { Resolver } from './resolver.ts';

interface DnsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly resolver: Resolver;
  readonly clients: Clients;
  readonly log: Log;
}

const idleMs = 10_000;
const maxConnections = 200;
/** Questions in work at once: beyond that a UDP question is dropped, and its asker asks again. */
const maxInFlight = 1_000;
/** Questions of one connection that may wait for their turn; reading goes on when there are fewer. */
const maxWaiting = 32;

/** Answers DNS over UDP and TCP on one port. */
export class DnsServer implements Service {
  readonly name = 'dns server';
  readonly #options: DnsServerOptions;
  #inFlight = 0;
  #port = 0;

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /** Where it listens, once ready. */
  get port(): number {
    return this.#port;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { host, port, clients, log } = this.#options;
    const tcp = createServer((socket) => {
      if (clients.mayAsk(socket.remoteAddress ?? '')) this.#serveConnection(socket, signal);
      else socket.destroy();
    });
    tcp.maxConnections = maxConnections;
    const udp = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
    udp.on('message', (bytes, from) => this.#answerDatagram(udp, bytes, from, signal));
    await listen(tcp, host, port);
    this.#port = (tcp.address() as AddressInfo).port;
    await bind(udp, host, this.#port);
    udp.on('error', (err) => log.warn({ err }, 'a reply could not be sent'));
    ready();
    await aborted(signal);
    udp.close();
    tcp.close();
  }

  #answerDatagram(udp: UdpSocket, bytes: Buffer, from: RemoteInfo, signal: AbortSignal): void {
    const { resolver, clients } = this.#options;
    if (this.#inFlight >= maxInFlight || from.port === 0 || !clients.mayAsk(from.address)) return;
    this.#inFlight++;
    void resolver.reply(bytes, 'udp', signal).then((reply) => {
      this.#inFlight--;
      if (reply !== undefined && !signal.aborted) udp.send(reply, from.port, from.address);
    });
  }

  #serveConnection(socket: Socket, signal: AbortSignal): void {
    let received: Buffer = Buffer.alloc(0);
    let waiting = 0;
    let turn = Promise.resolve();
    const end = (): void => void socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.setTimeout(idleMs, end);
    socket.on('error', end);
    socket.on('close', () => signal.removeEventListener('abort', end));
    const take = (): void => {
      while (waiting < maxWaiting && received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const size = received.readUInt16BE(0);
        const message = Buffer.from(received.subarray(2, 2 + size));
        received = received.subarray(2 + size);
        waiting++;
        turn = turn.then(async () => {
          await this.#answerStream(socket, message, signal);
          waiting--;
          take();
        });
      }
      if (waiting < maxWaiting) socket.resume();
      else socket.pause();
    };
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      take();
    });
  }

  async #answerStream(socket: Socket, message: Buffer, signal: AbortSignal): Promise<void> {
    const reply = await this.#options.resolver.reply(message, 'tcp', signal);
    if (reply === undefined || socket.destroyed) return void socket.destroy();
    const length = Buffer.alloc(2);
    length.writeUInt16BE(reply.length);
    socket.write(Buffer.concat([length, reply]));
  }
}

async function bind(udp: UdpSocket, host: string, port: number): Promise<void> {
  udp.bind(port, host);
  try {
    await once(udp, 'listening');
  } catch (error) {
    throw new UsageError(`cannot listen on ${host}:${port} (UDP): ${String(error)}`, { exitCode: 1, cause: error });
  }
}
