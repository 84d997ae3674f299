// A door between a client and a server on loopback, to be shut while the two talk: what they feel is a network that fails.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Gate implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** open: all passes; deaf: requests pass, answers are lost; shut: nobody gets through. */
  #state: 'open' | 'deaf' | 'shut' = 'open';

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#join(client, connect(target, '127.0.0.1')));
  }

  /** `host`: where clients find it, on loopback. */
  static async before(target: number, host = '127.0.0.1'): Promise<Gate> {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    return new Gate(server, target);
  }

  open(): void {
    this.#state = 'open';
  }

  deafen(): void {
    this.#state = 'deaf';
  }

  /** Breaks the connections there are, too. */
  shut(): void {
    this.#state = 'shut';
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    if (this.#state === 'shut') client.destroy();
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
    }
    client.on('data', (bytes) => void server.write(bytes));
    server.on('data', (bytes) => {
      if (this.#state === 'open') client.write(bytes);
    });
  }
}
