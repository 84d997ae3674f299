// One watch request. The cache offers it events; the HTTP layer takes batches of frames. It delays no one: when it holds more
// frames than it may, it ends, and the client starts a new watch from what it saw last.
import { setImmediate } from 'node:timers/promises';
import type { WatchFrame } from '../registry/contract.ts';
import { bookmarkFrame } from './bookmark.ts';
import type { CacheEvent } from './cache-event.ts';
import type { ObjectSelector } from './object-selector.ts';

const queueLimit = 10_000;
const batchLimit = 500;
/** Frames of the beginning may have to be rendered: no more of them at a time. */
const batchBytes = 512 * 1_024;

interface WatcherOptions {
  readonly selector: ObjectSelector;
  /** Initial events, sent first; created lazily. `rest` asks to let others run before going on. */
  readonly initial: Iterable<WatchFrame | 'rest'>;
  /** Events up to this revision are skipped. */
  readonly afterRevision: number;
  readonly wantsBookmarks: boolean;
  /** When the client's own timeout ends the watch, monotonic; a last bookmark comes shortly before. */
  readonly endMs: number | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** Called once, when it takes no more events. */
  readonly onEnd: (watcher: Watcher) => void;
  /** Called before that where the client reads too slowly. */
  readonly onTooSlow: () => void;
}

const bookmarkPeriodMs = 60_000;
const lastBookmarkMs = 2_000;

export class Watcher implements AsyncIterable<readonly WatchFrame[]> {
  readonly selector: ObjectSelector;
  readonly #options: WatcherOptions;
  #queue: WatchFrame[] = [];
  #seen: number;
  #nextBookmarkMs: number;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.selector = options.selector;
    this.#seen = options.afterRevision;
    this.#nextBookmarkMs = this.#bookmarkAfter(options.nowMs);
    if (options.signal.aborted) this.end();
    else options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Takes an event if the selector wants it. */
  offer(event: CacheEvent): void {
    if (event.revision <= this.#seen || this.#hasEnded) return;
    const frame = event.frameFor(this.selector);
    if (frame === undefined) return;
    this.#seen = event.revision;
    this.#push(frame);
  }

  /** Sends a bookmark when it is time for one. `revision`: everything up to there was offered. */
  tick(nowMs: number, revision: number): void {
    if (nowMs < this.#nextBookmarkMs) return;
    this.#nextBookmarkMs = this.#bookmarkAfter(nowMs);
    if (revision < this.#seen) return;
    this.#seen = revision;
    this.#push(bookmarkFrame(this.selector.form, revision, false));
  }

  /** Takes no more events; what is queued is not delivered. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#queue = [];
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#options.onEnd(this);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly WatchFrame[], void, undefined> {
    try {
      let batch: WatchFrame[] = [];
      let bytes = 0;
      for (const frame of this.#options.initial) {
        if (frame !== 'rest') {
          batch.push(frame);
          bytes += frame.line.length;
          if (batch.length < batchLimit && bytes < batchBytes) continue;
          yield batch;
          batch = [];
          bytes = 0;
        }
        await setImmediate();
        if (this.#hasEnded) return;
      }
      if (batch.length > 0) yield batch;
      while (!this.#hasEnded) {
        if (this.#queue.length > 0) {
          const frames = this.#queue;
          this.#queue = [];
          yield frames;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.end();
    }
  }

  readonly #onAbort = (): void => this.end();

  #push(frame: WatchFrame): void {
    if (this.#queue.length >= queueLimit) {
      if (!this.#hasEnded) this.#options.onTooSlow();
      this.end();
      return;
    }
    this.#queue.push(frame);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #bookmarkAfter(nowMs: number): number {
    const { wantsBookmarks, endMs } = this.#options;
    if (!wantsBookmarks) return Infinity;
    const regular = nowMs + bookmarkPeriodMs;
    if (endMs === undefined || regular < endMs - lastBookmarkMs) return regular;
    return nowMs < endMs - lastBookmarkMs ? endMs - lastBookmarkMs : Infinity;
  }
}
