// Several byte streams over one WebSocket, as Kubernetes does it: the first byte of a message (or its first digit, where messages
// are base64 text) names the channel. A channel whose reader is slow pauses the whole socket.
import { Readable, Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { StreamOptions } from './session.ts';
import type { AcceptedWebSocket } from './websocket-server.ts';

/** From v5 on: the channel in the next byte has no more data from this side. */
const closeChannel = 255;
/** How long a client has to read our last words. */
const lingerMs = 2_000;

export class WebSocketChannels {
  readonly #socket: WebSocket;
  readonly #isText: boolean;
  readonly #hasClose: boolean;
  readonly #readers = new Map<number, (payload: Buffer | undefined) => void>();
  readonly #paused = new Set<number>();
  readonly #closed = new AbortController();
  readonly #options: StreamOptions;
  #lastTrafficMs: number;

  /** `signal` ends it at once. */
  constructor({ socket, protocol }: AcceptedWebSocket, options: StreamOptions, signal: AbortSignal) {
    this.#socket = socket;
    this.#options = options;
    this.#isText = protocol.includes('base64.');
    this.#hasClose = protocol.startsWith('v5.');
    this.#lastTrafficMs = options.clock.monotonicMs();
    const onAbort = (): void => socket.terminate();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('message', (data) => this.#take(data));
    socket.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      this.#closed.abort(new Error('WebSocket closed'));
      for (const read of this.#readers.values()) read(undefined);
    });
    if (signal.aborted) onAbort();
    if (socket.readyState === socket.CLOSED) this.#closed.abort(new Error('WebSocket closed'));
    void this.#watchIdle();
  }

  /** Aborts when the connection is over. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** What comes on a channel. Call before the client can have sent anything: unread data is dropped. */
  readable(channel: number): Readable {
    const stream = new Readable({
      read: () => {
        if (this.#paused.delete(channel) && this.#paused.size === 0) this.#socket.resume();
      },
      destroy: (error, done) => {
        this.#readers.delete(channel);
        if (this.#paused.delete(channel) && this.#paused.size === 0) this.#socket.resume();
        done(error);
      },
    });
    this.listen(channel, (payload) => {
      if (stream.readableEnded || stream.destroyed) return;
      if (stream.push(payload ?? null) || payload === undefined) return;
      this.#paused.add(channel);
      this.#socket.pause();
    });
    return stream;
  }

  /** Calls back for each message of a channel, and once with undefined at its end. */
  listen(channel: number, read: (payload: Buffer | undefined) => void): void {
    this.#readers.set(channel, read);
    if (this.#closed.signal.aborted) read(undefined);
  }

  /** What goes out on a channel. */
  writable(channel: number): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, sent) => this.send(channel, chunk, sent),
    });
  }

  send(channel: number, payload: Buffer, sent: (error?: Error) => void = () => undefined): void {
    this.#touch();
    if (this.#isText) this.#socket.send(`${channel}${payload.toString('base64')}`, sent);
    else this.#socket.send(Buffer.concat([Buffer.from([channel]), payload]), { binary: true }, sent);
  }

  /** Says goodbye after everything sent so far, and closes. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#socket.resume();
    this.#paused.clear();
    this.#socket.close(1000);
    await this.#options.clock.sleep(lingerMs, this.#closed.signal).catch(() => undefined);
    this.#socket.terminate();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #take(data: RawData): void {
    this.#touch();
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
    const first = bytes[0];
    if (first === undefined) return;
    const channel = this.#isText ? first - 48 : first;
    if (this.#hasClose && channel === closeChannel) {
      const ended = bytes[1];
      if (ended !== undefined) this.#readers.get(ended)?.(undefined);
      return;
    }
    const payload = this.#isText ? Buffer.from(bytes.toString('latin1', 1), 'base64') : bytes.subarray(1);
    if (payload.length > 0) this.#readers.get(channel)?.(payload);
  }

  #touch(): void {
    this.#lastTrafficMs = this.#options.clock.monotonicMs();
  }

  async #watchIdle(): Promise<void> {
    const { clock, idleMs } = this.#options;
    if (idleMs === 0) return;
    try {
      for (;;) {
        const leftMs = this.#lastTrafficMs + idleMs - clock.monotonicMs();
        if (leftMs <= 0) break;
        await clock.sleep(leftMs, this.#closed.signal);
      }
      this.#socket.terminate();
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    }
  }
}
