// Keeps a sink equal to what the server holds: list once, then watch from the list's revision, and from the last revision seen
// whenever a watch ends, however it ends. Only when the server no longer knows that revision (410) or answers otherwise
// nonsensically does it list again; the sink then compares, so no change is lost or delivered twice.
// One loop per reflector writes to the sink; between awaits the sink holds exactly the state of `#revision`.
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, hasReason } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type Client, TransportError, type TypedResource, type WatchEvent } from './client.ts';

export interface ReflectorSink<T> {
  /** The whole state, as of one revision. */
  replace(objects: readonly T[]): void;
  change(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void;
}

export interface ReflectorDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Numbers in [0, 1) for jitter; default Math.random. */
  readonly random?: () => number;
}

export interface Selection<T extends KubeObject> {
  readonly kind: TypedResource<T>;
  /** Undefined is all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Items a page of the first list: a page parses in a few milliseconds. */
const pageSize = 500;
/** A watch that ended sooner and gave nothing counts as a failure, or a broken proxy would make us spin. */
const shortWatchMs = 1_000;

/** Lists and watches one selection of objects until the signal aborts. */
export class Reflector<T extends KubeObject> {
  readonly #selection: Selection<T>;
  readonly #sink: ReflectorSink<T>;
  readonly #deps: ReflectorDeps;
  readonly #backoff: Backoff;
  /** Until anything was heard: a process often starts a moment before the server does. */
  readonly #firstBackoff: Backoff;
  #hasListed = false;
  #revision: string | undefined;
  /** The last thing the server said was that our revision is too old. */
  #relisted = false;
  /** The present watch gave something. */
  #heard = false;

  constructor(selection: Selection<T>, sink: ReflectorSink<T>, deps: ReflectorDeps) {
    this.#selection = selection;
    this.#sink = sink;
    this.#deps = deps;
    const random = deps.random === undefined ? {} : { random: deps.random };
    this.#backoff = new Backoff({ initialMs: 800, maxMs: 30_000, jitter: 1, ...random });
    this.#firstBackoff = new Backoff({ initialMs: 100, maxMs: 30_000, jitter: 0.2, ...random });
  }

  /** Works until `signal` aborts; rejects with its reason. Server faults never end it. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      try {
        if (this.#revision === undefined) await this.#list(signal);
        else await this.#watch(signal);
      } catch (error) {
        if (signal.aborted || isAbort(error, signal)) throw signal.reason;
        if (this.#forgetRevision(error)) continue;
        const backoff = this.#hasListed ? this.#backoff : this.#firstBackoff;
        const delayMs = backoff.next();
        this.#report(error, delayMs, backoff.steps);
        await this.#deps.clock.sleep(delayMs, signal);
      }
    }
  }

  /** True when the next step is a list at once, without a pause. */
  #forgetRevision(error: unknown): boolean {
    if (!(error instanceof ApiError)) return false;
    const passing = hasReason(error, 'TooManyRequests', 'ServiceUnavailable', 'ServerTimeout', 'InternalError', 'Timeout');
    const aheadOfServer = error.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true;
    const expired = this.#revision !== undefined && error.code === 410;
    if (!passing || aheadOfServer) this.#revision = undefined;
    // At once only the first time: a server that calls its own fresh revision too old must not make us spin.
    const atOnce = expired && !this.#relisted;
    this.#relisted = expired;
    return atOnce;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const { kind, namespace, labelSelector, fieldSelector } = this.#selection;
    const objects: T[] = [];
    let next: string | undefined;
    let limit: number | undefined = pageSize;
    for (;;) {
      try {
        const page = await client.list(kind, { namespace, labelSelector, fieldSelector, limit, continue: next }, signal);
        for (const object of page.items) objects.push(object);
        next = page.metadata.continue;
        if (next !== undefined && next !== '') continue;
        this.#sink.replace(objects);
        this.#revision = page.metadata.resourceVersion;
        this.#hasListed = true;
        return;
      } catch (error) {
        // The snapshot that the pages belong to is gone: take everything in one piece, once.
        if (next === undefined || !hasReason(error, 'Expired', 'Gone')) throw error;
        objects.length = 0;
        next = undefined;
        limit = undefined;
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock, random = Math.random } = this.#deps;
    const { kind, namespace, labelSelector, fieldSelector } = this.#selection;
    const timeoutSeconds = Math.floor(300 + 300 * random());
    const options = { namespace, labelSelector, fieldSelector, resourceVersion: this.#revision, allowBookmarks: true, timeoutSeconds };
    const startedMs = clock.monotonicMs();
    const worked = (): boolean => this.#heard || clock.monotonicMs() - startedMs >= shortWatchMs;
    this.#heard = false;
    try {
      for await (const event of client.watch(kind, options, signal)) this.#take(event);
      signal.throwIfAborted();
      if (!worked()) throw new Error('the watch ended at once and gave nothing');
    } catch (error) {
      // What worked until now deserves another try at once; a server that is really gone fails that quickly.
      if (signal.aborted || !(error instanceof TransportError) || !worked()) throw error;
      this.#deps.log.debug({ err: error, kind: kind.kind }, 'a watch broke, resuming');
    }
    this.#relisted = false;
    this.#backoff.reset();
  }

  #take(event: WatchEvent<T>): void {
    if (event.type !== 'BOOKMARK') this.#sink.change(event.type, event.object);
    this.#revision = event.object.metadata.resourceVersion ?? this.#revision;
    if (this.#heard) return;
    this.#heard = true;
    this.#backoff.reset();
  }

  #report(error: unknown, delayMs: number, failures: number): void {
    const cause = error instanceof TransportError ? { why: error.message } : { err: error };
    const fields = { ...cause, kind: this.#selection.kind.kind, delayMs: Math.round(delayMs) };
    // A server that restarts is normal; one that stays away is not.
    if (failures <= 2) this.#deps.log.info(fields, 'list or watch failed, trying again');
    else this.#deps.log.warn(fields, 'list or watch keeps failing, trying again');
  }
}
