import { Duplex } from 'node:stream';
import { resetStatus } from './frame.ts';
import type { Headers } from './header-block.ts';

/** What a stream needs of its connection. */
export interface StreamLink {
  /** Both must call back once the bytes have left. */
  sendData(streamId: number, payload: Buffer, fin: boolean, sent: (error?: Error | null) => void): void;
  sendReset(streamId: number, status: number): void;
  /** The stream's reader took so many bytes. */
  consumed(stream: SpdyStream, bytes: number): void;
  /** Both directions have ended, or the stream was reset. */
  gone(stream: SpdyStream): void;
}

/** Data goes out in frames of at most so much, so that streams take turns. */
const maxFrameBytes = 64 * 1024;

/**
 * One stream of a SPDY connection: a Duplex that half-closes both ways. `end()` sends FIN; `destroy()` resets the stream. Writes wait
 * for the peer's window only where the peer keeps windows (see connection.ts).
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  /** What came and was not read yet. */
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #wantsData = false;
  #hasEnded = false;
  #wasReset = false;
  readonly #link: StreamLink;
  #waiting: { chunk: Buffer; sent: (error?: Error | null) => void } | undefined;
  /** Bytes that may still be sent; meaningful where the peer keeps windows. */
  #windowBytes: number;
  #isWindowed: boolean;

  constructor(id: number, headers: Headers, link: StreamLink, window: { readonly bytes: number; readonly isKept: boolean }) {
    super({ allowHalfOpen: true, emitClose: true });
    this.id = id;
    this.headers = headers;
    this.#link = link;
    this.#windowBytes = window.bytes;
    this.#isWindowed = window.isKept;
    // A peer may reset any stream at any time; whoever uses the stream sees it close.
    this.on('error', () => undefined);
  }

  /** Bytes that wait for the reader. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Takes what the peer sent. */
  deliver(payload: Buffer, fin: boolean): void {
    if (this.#hasEnded || this.destroyed) {
      this.#link.consumed(this, payload.length);
      return;
    }
    if (payload.length > 0) {
      this.#queue.push(payload);
      this.#queuedBytes += payload.length;
    }
    this.#hasEnded = fin;
    this.#flushRead();
  }

  /** The peer reset the stream. */
  resetByPeer(status: number): void {
    this.#wasReset = true;
    this.destroy(status === resetStatus.cancel ? undefined : new Error(`stream was reset with status ${status}`));
  }

  /** The connection is gone. What the peer sent to its end can still be read. */
  lost(): void {
    this.#wasReset = true;
    if (!this.#hasEnded) this.destroy();
  }

  /** The peer made room for `delta` more bytes. From now on it counts. */
  widen(delta: number, isKept: boolean): void {
    this.#windowBytes += delta;
    this.#isWindowed ||= isKept;
    this.#flushWrite();
  }

  override _read(): void {
    this.#wantsData = true;
    this.#flushRead();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, sent: (error?: Error | null) => void): void {
    this.#waiting = { chunk, sent };
    this.#flushWrite();
  }

  override _final(sent: (error?: Error | null) => void): void {
    this.#link.sendData(this.id, Buffer.alloc(0), true, sent);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isOver = this.#wasReset || (this.writableFinished && this.#hasEnded && this.#queuedBytes === 0);
    if (!isOver) this.#link.sendReset(this.id, error === null ? resetStatus.cancel : resetStatus.internal);
    this.#link.consumed(this, this.#queuedBytes);
    this.#queue = [];
    this.#queuedBytes = 0;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.sent(error ?? new Error('stream is closed'));
    this.#link.gone(this);
    done(error);
  }

  #flushRead(): void {
    while (this.#wantsData && this.#queue.length > 0) {
      const chunk = this.#queue.shift() as Buffer;
      this.#queuedBytes -= chunk.length;
      this.#wantsData = this.push(chunk);
      this.#link.consumed(this, chunk.length);
    }
    if (this.#hasEnded && this.#queue.length === 0) this.push(null);
  }

  #flushWrite(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const { chunk, sent } = waiting;
    const size = Math.min(chunk.length, maxFrameBytes, this.#isWindowed ? Math.max(0, this.#windowBytes) : chunk.length);
    if (size === 0 && chunk.length > 0) return;
    this.#windowBytes -= size;
    const rest = chunk.subarray(size);
    this.#waiting = undefined;
    this.#link.sendData(this.id, chunk.subarray(0, size), false, (error) => {
      if (error || rest.length === 0 || this.destroyed) sent(error);
      else {
        this.#waiting = { chunk: rest, sent };
        this.#flushWrite();
      }
    });
  }
}
