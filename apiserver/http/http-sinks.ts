// Where the frames of a watch over plain HTTP go.
import { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import type { Exchange, RawResponse } from './exchange.ts';
import type { FrameChunks } from './frame-chunks.ts';
import { protobufType, type Wanted } from './negotiate.ts';
import { jsonType, start } from './respond.ts';
import type { FrameSink } from './watch-writer.ts';

/** How long a full connection may stay full. */
const stallMs = 30_000;
/** Frames that are sent as one chunk. */
const chunkBytes = 64 * 1024;

interface HttpSinkDeps {
  readonly clock: Clock;
  readonly chunks: FrameChunks;
}

/** Starts the answer of a watch; JSON is its type whether or not the client asked for `;stream=watch`. */
export function openHttpSink(exchange: Exchange, wanted: Wanted, { clock, chunks }: HttpSinkDeps): FrameSink {
  const { response } = exchange;
  start(exchange, 200, wanted.encoding === 'protobuf' ? `${protobufType};stream=watch` : jsonType);
  response.flushHeaders();
  // A request that is still open when its connection ends is given an error, whose stack costs as much as all else about the end.
  exchange.request.resume();
  const isChunked = response instanceof ServerResponse && response.chunkedEncoding && response.socket !== null;
  return isChunked ? new ChunkedSink(response, response.socket, chunks, clock) : new ResponseSink(response, clock);
}

/** Over HTTP/2 and HTTP/1.0: Node frames what is written. */
class ResponseSink implements FrameSink {
  readonly #response: RawResponse;
  readonly #clock: Clock;

  constructor(response: RawResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  write(frames: readonly Uint8Array[]): boolean {
    let flows = true;
    for (const frame of frames) flows = this.#response.write(frame);
    return flows;
  }

  drained(signal: AbortSignal): Promise<void> {
    return drainOf(this.#response, this.#clock, signal, () => this.cut());
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }
}

/**
 * Over HTTP/1.1: behind the head, chunks go to the connection as they are, shared by all watchers. Node's own chunked encoding would
 * copy every frame for every watcher. The response still ends the stream.
 */
class ChunkedSink implements FrameSink {
  readonly #response: ServerResponse;
  readonly #socket: Duplex;
  readonly #chunks: FrameChunks;
  readonly #clock: Clock;

  constructor(response: ServerResponse, socket: Duplex, chunks: FrameChunks, clock: Clock) {
    this.#response = response;
    this.#socket = socket;
    this.#chunks = chunks;
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded && this.#socket.writable;
  }

  write(frames: readonly Uint8Array[]): boolean {
    let flows = true;
    let first = 0;
    let bytes = 0;
    for (let at = 0; at < frames.length; at++) {
      bytes += frames[at]?.length ?? 0;
      const isLast = at === frames.length - 1;
      if (!isLast && bytes < chunkBytes) continue;
      if (!this.isOpen) return true;
      flows = this.#socket.write(this.#chunks.of(first === 0 && isLast ? frames : frames.slice(first, at + 1)));
      first = at + 1;
      bytes = 0;
    }
    return flows;
  }

  drained(signal: AbortSignal): Promise<void> {
    return drainOf(this.#socket, this.#clock, signal, () => this.cut());
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }
}

interface Drains {
  on(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

/** Resolves when the other side has read; cuts it off when it does not in time, or when the watch is over. */
export async function drainOf(target: Drains, clock: Clock, signal: AbortSignal, cut: () => void): Promise<void> {
  // Over already, while the last batch was being made: no event would follow.
  if (signal.aborted) return cut();
  using deadline = clock.deadline(signal, stallMs);
  await new Promise<void>((resolve) => {
    const done = (): void => {
      target.off('drain', done);
      deadline.signal.removeEventListener('abort', stalled);
      resolve();
    };
    const stalled = (): void => {
      done();
      cut();
    };
    target.on('drain', done);
    deadline.signal.addEventListener('abort', stalled, { once: true });
  });
}
