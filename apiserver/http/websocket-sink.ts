import type { WebSocket } from 'ws';
import type { Clock } from '#base/clock.ts';
import { lengthBytes } from './protobuf-frames.ts';
import type { FrameSink } from './watch-writer.ts';

/** Bytes that may wait to be sent before a watcher counts as slow. */
const highWaterBytes = 1024 * 1024;
const stallMs = 30_000;
const pollMs = 50;

/** Sends each frame of a watch as one message. */
export class WebSocketSink implements FrameSink {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #type: 'text' | 'binary';

  constructor(socket: WebSocket, clock: Clock, type: 'text' | 'binary') {
    this.#socket = socket;
    this.#clock = clock;
    this.#type = type;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  write(frames: readonly Uint8Array[]): boolean {
    // A binary message needs no length before it; the line feed of a text message is upstream's.
    const skipped = this.#type === 'binary' ? lengthBytes : 0;
    for (const frame of frames) this.#socket.send(frame.subarray(skipped), { binary: this.#type === 'binary' });
    return this.#socket.bufferedAmount < highWaterBytes;
  }

  async drained(signal: AbortSignal): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + stallMs;
    while (this.isOpen && this.#socket.bufferedAmount >= highWaterBytes) {
      if (this.#clock.monotonicMs() > untilMs) return this.cut();
      await this.#clock.sleep(pollMs, signal);
    }
  }

  end(): void {
    this.#socket.close(1000);
  }

  cut(): void {
    this.#socket.terminate();
  }
}
