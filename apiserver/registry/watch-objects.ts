import { type ApiError, badRequest, hasReason, type Status } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { bookmarkFrame } from '../storage/bookmark.ts';
import type { CacheEvent } from '../storage/cache-event.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import { type ObjectSelector, objectSelector } from '../storage/object-selector.ts';
import type { Snapshot } from '../storage/resource-cache.ts';
import type { ResourceCounts } from '../storage/resource-counts.ts';
import type { WatchCache } from '../storage/watch-cache.ts';
import { Watcher } from '../storage/watcher.ts';
import type { RequestContext, WatchFrame, WatchRequest } from './contract.ts';
import { expired, parseRevision, plainError, readable } from './failures.ts';
import { conversionCost, keyRange, objectsPerTurn } from './list-page.ts';
import type { Reader } from './reader.ts';
import type { ServedKind } from './served-kinds.ts';

interface WatchDeps {
  readonly cache: WatchCache;
  readonly reader: Reader;
  readonly clock: Clock;
}

/**
 * Starts a watch: from the present state (sent as ADDED), from now, or from a revision in the past. What is too old, or a state that
 * does not come in time, is reported by an ERROR frame, where clients expect it.
 */
export async function watchObjects(
  served: ServedKind,
  request: WatchRequest,
  context: RequestContext,
  { cache, reader, clock }: WatchDeps,
): Promise<AsyncIterable<readonly WatchFrame[]>> {
  const selector = objectSelector(served.form, { ...request, namespace: context.namespace });
  if (request.continue !== '') throw badRequest('continue is not allowed for watch');
  const { resourceVersion, sendInitialEvents } = request;
  const wanted = parseRevision(resourceVersion);
  if (typeof wanted === 'string') throw plainError(wanted);
  const tellsState = sendInitialEvents ?? wanted === 0;
  // A watch from a revision to come waits for events beyond it; only a state must exist now.
  if (tellsState) {
    const refusal = await refusalOf(reader.fresh(served, resourceVersion, context.signal));
    if (refusal !== undefined) return errorStream(refusal);
  }
  const resource = readable(cache, served);
  if (tellsState) {
    const { prefix, end } = keyRange(selector.namespace);
    resource.refuseUnreadable(prefix, end);
  }
  const revision = cache.revision;
  const start = tellsState || wanted === 0 ? revision : wanted;
  const past = tellsState ? [] : resource.since(Math.min(start, revision));
  if (past === undefined) return errorStream(expired(`too old resource version: ${start} (${resource.floor})`));
  const endsState = sendInitialEvents === true && request.allowBookmarks;
  const nowMs = clock.monotonicMs();
  const watcher = new Watcher({
    selector,
    initial: counted(
      tellsState
        ? stateFrames(resource.snapshot(), selector, endsState ? bookmarkFrame(served.form, revision, true) : undefined)
        : pastFrames(past, selector),
      resource.counts,
    ),
    afterRevision: Math.max(start, revision),
    wantsBookmarks: request.allowBookmarks,
    endMs: request.timeoutSeconds === undefined ? undefined : nowMs + request.timeoutSeconds * 1_000,
    nowMs,
    signal: context.signal,
    onEnd: (ended) => resource.removeWatcher(ended),
    onTooSlow: () => void resource.counts.terminatedWatchers++,
  });
  if (!context.signal.aborted) resource.addWatcher(watcher);
  return watcher;
}

type Initial = Generator<WatchFrame | 'rest'>;

function* counted(initial: Initial, counts: ResourceCounts): Initial {
  for (const frame of initial) {
    if (frame !== 'rest' && frame.type !== 'BOOKMARK') counts.initEvents++;
    yield frame;
  }
}

function* stateFrames(snapshot: Snapshot, selector: ObjectSelector, end: WatchFrame | undefined): Initial {
  const range = keyRange(selector.namespace);
  const { name, form } = selector;
  const isOne = name !== undefined && (range.prefix !== '' || form.kind.scope === 'cluster');
  const only = isOne ? snapshot.get(range.prefix + name) : undefined;
  const objects = isOne ? (only === undefined ? [] : [only]) : objectsIn(snapshot, range.prefix, range.end);
  let looked = 0;
  for (const object of objects) {
    looked += object.form === form ? 1 : conversionCost;
    if (looked >= objectsPerTurn) {
      looked = 0;
      yield 'rest';
    }
    const shown = object.as(form);
    if (selector.matches(shown)) yield shown.frame('ADDED', shown.revision);
  }
  if (end !== undefined) yield end;
}

function* objectsIn(snapshot: Snapshot, start: string, end: string | undefined): Generator<CachedObject> {
  for (const [key, object] of snapshot.entries(start)) {
    if (end !== undefined && key >= end) return;
    yield object;
  }
}

function* pastFrames(events: readonly CacheEvent[], selector: ObjectSelector): Initial {
  let looked = 0;
  for (const event of events) {
    looked += (event.current ?? event.previous)?.form === selector.form ? 1 : conversionCost;
    if (looked >= objectsPerTurn) {
      looked = 0;
      yield 'rest';
    }
    const frame = event.as(selector.form).frameFor(selector);
    if (frame !== undefined) yield frame;
  }
}

/** A timeout is reported in the stream; other errors are thrown. */
async function refusalOf(waiting: Promise<void>): Promise<ApiError | undefined> {
  try {
    await waiting;
    return undefined;
  } catch (error) {
    if (hasReason(error, 'Timeout')) return error;
    throw error;
  }
}

async function* errorStream(error: ApiError): AsyncGenerator<readonly WatchFrame[], void, undefined> {
  const status: Status = error.toStatus();
  const json = Buffer.from(JSON.stringify(status));
  const line = Buffer.from(`{"type":"ERROR","object":${json.toString()}}\n`);
  yield [{ type: 'ERROR', line, encoded: { json, resourceVersion: '', object: () => status } }];
}
