// A SPDY/3.1 connection, either end, over a socket that has left HTTP.
//
// How it works. One loop reads the socket, frame by frame, and awaits what must keep its order (inflating header blocks). Streams
// hold what their readers have not taken; when one stream or all together hold too much, the loop stops reading the socket, and TCP
// slows the peer down. Writes go straight to the socket; a stream's next piece waits until the one before has left the process.
//
// Flow control. Kubernetes' own implementation (moby/spdystream) sends without regard to windows and never widens one; waiting
// for it to do so would stop every transfer at 64 KiB. A peer that names a window in SETTINGS or sends a WINDOW_UPDATE keeps
// windows, and from then on they count in both directions.
//
// What a peer can make us hold is bounded: streams, their data, header blocks, and answers that it does not read.
import type { Duplex } from 'node:stream';
import type { Clock } from '../../clock.ts';
import { encodeFrame, type Frame, FrameParser, resetStatus, SpdyError } from './frame.ts';
import { HeaderBlockError, HeaderDecoder, HeaderEncoder, type Headers } from './header-block.ts';
import { SpdyStream, type StreamLink } from './stream.ts';

interface SpdyOptions {
  readonly side: 'server' | 'client';
  readonly clock: Clock;
  /** Closes after so long without a stream's traffic; pings do not count. 0 means never. */
  readonly idleMs: number;
  /** Called for each stream the peer opens; it has been accepted already. Destroy it to refuse. */
  readonly onStream?: (stream: SpdyStream) => void;
  /** What came with the upgrade request. */
  readonly head?: Buffer;
}

const maxStreams = 2_000;
const maxStreamBytes = 1024 * 1024;
const maxQueuedBytes = 8 * 1024 * 1024;
const maxUnreadAnswerBytes = 256 * 1024;
const usualWindowBytes = 64 * 1024;
/** How long the peer has to read our last words before the socket goes. */
const lingerMs = 2_000;

export class SpdyConnection implements StreamLink {
  readonly #socket: Duplex;
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #encoder = new HeaderEncoder();
  readonly #closed = new AbortController();
  /** Settles when the connection is over. Rejects only when `onStream` throws. */
  readonly ended: Promise<void>;
  #nextId: number;
  #lastPeerId = 0;
  #queuedBytes = 0;
  #roomMade: (() => void) | undefined;
  #answerBytes = 0;
  #isClosing = false;
  #peerWindowBytes = usualWindowBytes;
  #keepsWindows = false;
  #consumedBytes = 0;
  readonly #consumedByStream = new Map<number, number>();
  #lastTrafficMs: number;

  constructor(socket: Duplex, options: SpdyOptions, signal: AbortSignal) {
    this.#socket = socket;
    this.#options = options;
    this.#nextId = options.side === 'client' ? 1 : 2;
    this.#lastTrafficMs = options.clock.monotonicMs();
    socket.on('error', () => socket.destroy());
    const onAbort = (): void => this.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#closed.signal.addEventListener('abort', () => signal.removeEventListener('abort', onAbort), { once: true });
    if (signal.aborted) this.destroy();
    this.ended = Promise.all([this.#read(), this.#watchIdle()]).then(() => undefined);
  }

  /** Aborts when the connection is over. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Opens a stream to the peer. */
  open(headers: Headers): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#add(id, headers);
    this.#send({ type: 'syn-stream', streamId: id, fin: false, block: this.#encoder.encode(headers) });
    return stream;
  }

  ping(id: number): void {
    this.#send({ type: 'ping', id });
  }

  /** Says goodbye after everything written so far, waits a moment for the peer to read it, and closes. */
  async close(): Promise<void> {
    if (this.#isClosing) return this.ended;
    this.#isClosing = true;
    const { clock } = this.#options;
    this.#send({ type: 'goaway', lastStreamId: this.#lastPeerId });
    this.#socket.end();
    // Closing while the peer still sends would reset the connection, and what we wrote last could get lost with it.
    await clock.sleep(lingerMs, this.#closed.signal).catch(() => undefined);
    this.destroy();
    await this.ended;
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#isClosing = true;
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error('SPDY connection closed'));
    this.#socket.destroy();
    for (const stream of this.#streams.values()) stream.lost();
    this.#roomMade?.();
  }

  sendData(streamId: number, payload: Buffer, fin: boolean, sent: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      sent(new Error('SPDY connection closed'));
      return;
    }
    this.#touch();
    this.#socket.write(encodeFrame({ type: 'data', streamId, fin, payload }), sent);
  }

  sendReset(streamId: number, status: number): void {
    this.#send({ type: 'reset', streamId, status });
  }

  consumed(stream: SpdyStream, bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#roomMade?.();
    if (bytes === 0 || !this.#keepsWindows) return;
    const streamBytes = (this.#consumedByStream.get(stream.id) ?? 0) + bytes;
    const isDue = streamBytes >= usualWindowBytes / 2;
    if (isDue) this.#send({ type: 'window', streamId: stream.id, delta: streamBytes });
    this.#consumedByStream.set(stream.id, isDue ? 0 : streamBytes);
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < usualWindowBytes / 2) return;
    this.#send({ type: 'window', streamId: 0, delta: this.#consumedBytes });
    this.#consumedBytes = 0;
  }

  gone(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
    this.#consumedByStream.delete(stream.id);
  }

  #add(id: number, headers: Headers): SpdyStream {
    const stream = new SpdyStream(id, headers, this, { bytes: this.#peerWindowBytes, isKept: this.#keepsWindows });
    this.#streams.set(id, stream);
    return stream;
  }

  async #read(): Promise<void> {
    using decoder = new HeaderDecoder();
    const parser = new FrameParser();
    try {
      const { head } = this.#options;
      if (head !== undefined && head.length > 0) await this.#take(parser, head, decoder);
      for await (const chunk of this.#socket as AsyncIterable<Buffer>) await this.#take(parser, chunk, decoder);
    } catch (error) {
      // A broken peer or a broken connection: either way it is over, and streams say so to their users.
      if (!(error instanceof SpdyError || error instanceof HeaderBlockError) && !this.#socket.destroyed) throw error;
    } finally {
      this.destroy();
    }
  }

  async #take(parser: FrameParser, chunk: Buffer, decoder: HeaderDecoder): Promise<void> {
    for (const frame of parser.push(chunk)) {
      if (frame.type !== 'ping') this.#touch();
      await this.#handle(frame, decoder);
      if (this.#closed.signal.aborted) return;
    }
  }

  async #handle(frame: Frame, decoder: HeaderDecoder): Promise<void> {
    switch (frame.type) {
      case 'data':
        return this.#handleData(frame.streamId, frame.payload, frame.fin);
      case 'syn-stream':
        return this.#accept(frame.streamId, await decoder.decode(frame.block), frame.fin);
      case 'syn-reply':
      case 'headers':
        await decoder.decode(frame.block);
        if (frame.fin) this.#streams.get(frame.streamId)?.deliver(Buffer.alloc(0), true);
        return;
      case 'reset':
        this.#streams.get(frame.streamId)?.resetByPeer(frame.status);
        return;
      case 'settings':
        if (frame.windowBytes !== undefined) this.#keepWindows(frame.windowBytes);
        return;
      case 'ping':
        // Ids of our own parity are answers to us.
        if (frame.id % 2 !== this.#nextId % 2) this.#send({ type: 'ping', id: frame.id });
        return;
      case 'goaway':
        return;
      case 'window':
        this.#keepWindows(this.#peerWindowBytes);
        if (frame.streamId !== 0) this.#streams.get(frame.streamId)?.widen(frame.delta, true);
        return;
    }
  }

  #accept(id: number, headers: Headers, fin: boolean): void {
    const isPeers = id !== 0 && id % 2 !== this.#nextId % 2;
    if (!isPeers || id <= this.#lastPeerId) throw new SpdyError(`stream ${id} out of turn`);
    this.#lastPeerId = id;
    const { onStream } = this.#options;
    if (onStream === undefined || this.#isClosing || this.#streams.size >= maxStreams) {
      this.sendReset(id, resetStatus.refused);
      return;
    }
    const stream = this.#add(id, headers);
    this.#send({ type: 'syn-reply', streamId: id, fin: false, block: this.#encoder.encode(new Map()) });
    if (fin) stream.deliver(Buffer.alloc(0), true);
    onStream(stream);
  }

  async #handleData(id: number, payload: Buffer, fin: boolean): Promise<void> {
    // Data for a stream that is gone was under way when it went.
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#queuedBytes += payload.length;
    stream.deliver(payload, fin);
    while (!this.#closed.signal.aborted && (this.#queuedBytes > maxQueuedBytes || stream.queuedBytes > maxStreamBytes)) {
      await new Promise<void>((resolve) => (this.#roomMade = resolve));
    }
    this.#roomMade = undefined;
  }

  #keepWindows(windowBytes: number): void {
    const delta = windowBytes - this.#peerWindowBytes;
    this.#peerWindowBytes = windowBytes;
    this.#keepsWindows = true;
    for (const stream of this.#streams.values()) stream.widen(delta, true);
  }

  /** Sends a control frame. A peer that makes us answer without reading the answers is cut off. */
  #send(frame: Frame): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    const bytes = encodeFrame(frame);
    this.#answerBytes += bytes.length;
    this.#socket.write(bytes, () => {
      this.#answerBytes -= bytes.length;
    });
    if (this.#answerBytes > maxUnreadAnswerBytes) this.destroy();
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
      this.destroy();
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    }
  }
}
