// For tests of everything that must live through bad connections: an API server behind a link that can be cut, frozen and restarted.
import { connect as dial, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { MemoryStore } from '#apiserver/storage/memory.ts';
import { systemClock } from '#base/clock.ts';
import { createCa } from '#base/pki.ts';
import type { ApiEndpoint } from './endpoint.ts';

/** A TCP forwarder on loopback. */
class Link implements AsyncDisposable {
  targetPort = 0;
  readonly #frozen = new WeakSet<Socket>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer({ allowHalfOpen: false }, (from) => this.#forward(from));
  }

  static async open(): Promise<Link> {
    const link = new Link();
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The connections that are there go silent for ever: nothing arrives, nothing breaks, as when a machine is gone without a word. */
  freeze(): void {
    for (const socket of this.#sockets) this.#frozen.add(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #forward(from: Socket): void {
    const to = dial(this.targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('data', (chunk) => {
        if (!this.#frozen.has(socket)) other.write(chunk);
      });
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

/** An API server with a memory store that outlives its restarts, reached through a link. */
export interface FlakyServer extends AsyncDisposable {
  /** Through the link. */
  readonly endpoint: ApiEndpoint;
  /** Past the link, to the server that runs now. */
  readonly direct: ApiEndpoint;
  /** Breaks every connection; new ones work. */
  cut(): void;
  /** Connections that are there go silent for ever; new ones work. */
  freeze(): void;
  /** Stops the server; connections are refused until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startFlakyServer(): Promise<FlakyServer> {
  const ca = await createCa('kubernetes', systemClock.nowMs());
  const store = new MemoryStore({ clock: systemClock });
  const link = await Link.open();
  let server: TestApiServer | undefined;
  const start = async (): Promise<void> => {
    server = await startTestApiServer({ ca, store });
    link.targetPort = server.port;
  };
  const stop = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
    link.cut();
  };
  await start();
  const direct = (): ApiEndpoint => {
    if (server === undefined) throw new Error('the server is stopped');
    return server.adminClientConfig;
  };
  return {
    endpoint: { ...direct(), server: `https://127.0.0.1:${link.port}` },
    get direct() {
      return direct();
    },
    cut: () => link.cut(),
    freeze: () => link.freeze(),
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await link[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Waits until `check` gives something else than undefined or false. */
export async function eventually<V>(check: () => V | undefined | false | Promise<V | undefined | false>, limitMs = 25_000): Promise<V> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (systemClock.monotonicMs() - startedMs > limitMs) throw new Error(`did not happen within ${limitMs} ms: ${check.toString()}`);
    await systemClock.sleep(5, new AbortController().signal);
  }
}
