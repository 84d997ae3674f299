// A door between a client and a server on loopback, to be shut while the two talk: what they feel is a network that fails.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What waited at a gate when its sender left. */
interface Stranded {
  /** Lets it reach the server. */
  readonly arrive: () => void;
  /** What the server said to it so far. */
  readonly answer: Buffer;
}

export class Gate implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** open: all passes; deaf: requests pass, answers are lost; holding: requests wait here; shut: nobody gets through. */
  #state: 'open' | 'deaf' | 'holding' | 'shut' = 'open';
  readonly #held: { readonly client: Socket; readonly server: Socket; readonly bytes: Buffer }[] = [];

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

  hold(): void {
    this.#state = 'holding';
  }

  /** What waits here. */
  get held(): Buffer {
    return Buffer.concat(this.#held.map(({ bytes }) => bytes));
  }

  /** Breaks the connections of those that wait, on their side only, and is open for others. */
  strand(): Stranded {
    const held = this.#held.splice(0);
    const answers: Buffer[] = [];
    for (const server of new Set(held.map((one) => one.server)))
      server.removeAllListeners('data').on('data', (bytes) => answers.push(bytes));
    for (const { client } of held) client.removeAllListeners('close').destroy();
    this.#state = 'open';
    return {
      arrive: () => held.forEach(({ server, bytes }) => server.write(bytes)),
      get answer() {
        return Buffer.concat(answers);
      },
    };
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
    client.on('data', (bytes) => {
      if (this.#state === 'holding') this.#held.push({ client, server, bytes });
      else server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (this.#state === 'open') client.write(bytes);
    });
  }
}
