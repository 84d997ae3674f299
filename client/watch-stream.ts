import type { Readable } from 'node:stream';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, type Status } from '#api/meta/status.ts';
import type { Clock, DeadlineSignal } from '#base/clock.ts';
import { TransportError, type WatchEvent } from './client.ts';
import { LineSplitter } from './line-splitter.ts';

interface WatchStreamOptions {
  readonly clock: Clock;
  /** Fails when not a byte comes for so long; undefined waits for ever. */
  readonly silenceLimitMs?: number | undefined;
  /** Longest event; default 32 MiB. */
  readonly lineLimitBytes?: number | undefined;
}

/**
 * The events in the body of a watch, until it ends. Throws ApiError for an ERROR event, TransportError when the connection
 * breaks, falls silent or carries what is no event. Destroys the body whenever it is left.
 */
export async function* watchStream<T extends KubeObject>(
  body: Readable,
  options: WatchStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const splitter = new LineSplitter(options.lineLimitBytes ?? 32 * 1_024 * 1_024);
  const silence = new SilenceGuard(body, options, signal);
  const onAbort = (): void => {
    body.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      silence.heard();
      for (const line of splitter.push(chunk)) yield parseEvent<T>(line);
    }
    if (splitter.pendingBytes > 0) throw new TransportError('the watch ended within an event');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof ApiError || error instanceof TransportError) throw error;
    throw new TransportError(`the watch broke: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    silence.stop();
    signal.removeEventListener('abort', onAbort);
    // A late error of an abandoned body must not end the process.
    body.on('error', () => undefined);
    body.destroy();
  }
  signal.throwIfAborted();
}

/** Destroys a body that says nothing for too long. One timer is pending at most, armed anew only when it fires. */
class SilenceGuard {
  readonly #body: Readable;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #limitMs: number;
  #lastHeardMs: number;
  #timer: DeadlineSignal | undefined;

  constructor(body: Readable, options: WatchStreamOptions, signal: AbortSignal) {
    this.#body = body;
    this.#clock = options.clock;
    this.#signal = signal;
    this.#limitMs = options.silenceLimitMs ?? 0;
    this.#lastHeardMs = options.clock.monotonicMs();
    if (this.#limitMs > 0) this.#arm(this.#limitMs);
  }

  heard(): void {
    this.#lastHeardMs = this.#clock.monotonicMs();
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    const timer = this.#clock.deadline(this.#signal, ms);
    this.#timer = timer;
    timer.signal.addEventListener('abort', () => {
      if (this.#timer !== timer || this.#signal.aborted) return;
      const silentMs = this.#clock.monotonicMs() - this.#lastHeardMs;
      if (silentMs < this.#limitMs) this.#arm(this.#limitMs - silentMs);
      else this.#body.destroy(new TransportError(`the watch said nothing for ${this.#limitMs} ms`));
    });
  }
}

function parseEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: { type?: unknown; object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new TransportError(`not a watch event: ${line.slice(0, 200)}`, { cause: error });
  }
  if (event?.type === 'ERROR') throw ApiError.fromStatus(event.object as Status);
  const known = event?.type === 'ADDED' || event?.type === 'MODIFIED' || event?.type === 'DELETED' || event?.type === 'BOOKMARK';
  if (!known || typeof event.object !== 'object' || event.object === null) {
    throw new TransportError(`not a watch event: ${line.slice(0, 200)}`);
  }
  return event as WatchEvent<T>;
}
