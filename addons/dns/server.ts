import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { listen } from '#base/health-server.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Resolver } from './resolver.ts';

export interface DnsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly resolver: Resolver;
  readonly log: Log;
}

const idleMs = 10_000;
const maxConnections = 200;
/** Questions in work at once: beyond that a UDP question is dropped, and its asker asks again. */
const maxInFlight = 1_000;

/** Answers DNS over UDP and TCP on one port. */
export class DnsServer implements Service {
  readonly name = 'dns server';
  readonly #options: DnsServerOptions;
  #inFlight = 0;

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { host, port, resolver, log } = this.#options;
    const tcp = createServer((socket) => this.#serveConnection(socket, signal));
    tcp.maxConnections = maxConnections;
    const udp = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
    udp.on('message', (bytes, from) => {
      if (this.#inFlight >= maxInFlight) return;
      this.#inFlight++;
      void resolver.reply(bytes, 'udp', signal).then((reply) => {
        this.#inFlight--;
        if (reply !== undefined && !signal.aborted) udp.send(reply, from.port, from.address);
      });
    });
    udp.on('error', (err) => log.warn({ err }, 'a reply could not be sent'));
    await listen(tcp, host, port);
    udp.bind(port, host);
    await once(udp, 'listening');
    ready();
    await aborted(signal);
    udp.close();
    tcp.close();
  }

  #serveConnection(socket: Socket, signal: AbortSignal): void {
    let received: Buffer = Buffer.alloc(0);
    let turn = Promise.resolve();
    const end = (): void => void socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.setTimeout(idleMs, end);
    socket.on('error', end);
    socket.on('close', () => signal.removeEventListener('abort', end));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const size = received.readUInt16BE(0);
        const message = Buffer.from(received.subarray(2, 2 + size));
        received = received.subarray(2 + size);
        turn = turn.then(() => this.#answerStream(socket, message, signal));
      }
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
