// Every change of an etcd cluster above a revision, in order, each exactly once, over as many connections as it takes.
//
// How it works: the watch covers all keys, those of others too: every revision then comes with an event, so the stream always reaches
// the revision that a read was told to wait for. (Asking for progress is not reliable in etcd 3.4, and a marker key would cost a write
// for every read.) A response that was cut in pieces may end within a revision; those events wait for the next piece. After a
// disconnection the stream goes on behind the last whole revision; where etcd has forgotten that, it ends with 'compacted'.
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { revisionsPerCommit } from './commit-place.ts';
import type { EtcdConnection } from './connection.ts';
import { EtcdFailure, storeError } from './failures.ts';
import { decodeWatch, encodeWatch, methods, type WatchEvent, type WatchResponse } from './messages.ts';

export interface ChangeStreamDeps {
  readonly connection: EtcdConnection;
  /** Called before each connection with the last revision told; throws where going on from there would be wrong. */
  readonly check: (revision: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whole revisions. */
export interface Changes {
  readonly events: readonly WatchEvent[];
  /** Everything up to here has been told with these. */
  readonly revision: number;
}

/** Ends when the signal aborts. Rejects with StoreError: 'compacted', or where etcd refuses for good. */
export async function* changesAfter(
  { connection, check, clock, log }: ChangeStreamDeps,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Changes, void, undefined> {
  const backoff = new Backoff({ initialMs: 20, maxMs: 1_000, jitter: 0.5 });
  let seen = after;
  while (!signal.aborted) {
    try {
      await check(seen, signal);
      for await (const changes of connected(connection, seen, signal)) {
        backoff.reset();
        seen = changes.revision;
        yield changes;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof EtcdFailure)) throw error;
      if (error.verdict === 'final') throw storeError(error);
      log.debug({ err: error, revision: seen }, 'the watch of etcd broke off and goes on');
      await clock.sleep(backoff.next(), signal).catch(() => undefined);
    }
  }
}

/** One connection's worth. */
async function* connected(connection: EtcdConnection, after: number, signal: AbortSignal): AsyncGenerator<Changes, void, undefined> {
  // From the last revision told on, which is then left out: compaction may have taken a deletion out of the very revision that it
  // names, so that a watch may start there without being told of it.
  let seen = after;
  let held: WatchEvent[] = [];
  for await (const bytes of connection.stream(methods.watch, encodeWatch(Math.max(1, after)), signal)) {
    const response = decodeWatch(bytes);
    if (response.isCanceled) throw canceled(response);
    if (response.isCreated) continue;
    const events = held.concat(response.events.filter(({ kv }) => kv.modRevision > seen));
    const last = events.at(-1)?.kv.modRevision;
    held = response.isFragment ? events.filter(({ kv }) => kv.modRevision === last) : [];
    const whole = held.length === 0 ? events : events.slice(0, events.length - held.length);
    const revision = whole.at(-1)?.kv.modRevision ?? (response.events.length === 0 ? response.revision : seen);
    if (revision <= seen) continue;
    seen = revision;
    yield { events: placeDeletions(whole), revision };
  }
}

/** Gives each deletion its place in its commit: right before what follows it there. Values tell theirs. */
function placeDeletions(events: readonly WatchEvent[]): readonly WatchEvent[] {
  if (!events.some(({ type }) => type === 'delete')) return events;
  const placed = [...events];
  for (let at = events.length - 1; at >= 0; at--) {
    const [event, next] = [events[at], placed[at + 1]];
    if (event?.type !== 'delete' || next?.kv.modRevision !== event.kv.modRevision) continue;
    placed[at] = { ...event, kv: { ...event.kv, behind: Math.min(next.kv.behind + 1, revisionsPerCommit - 1) } };
  }
  return placed;
}

function canceled({ compactRevision, cancelReason }: WatchResponse): EtcdFailure {
  if (compactRevision > 0) {
    return new EtcdFailure('final', 'compacted', `etcdserver: mvcc: required revision has been compacted (up to ${compactRevision})`);
  }
  return cancelReason.includes('permission')
    ? new EtcdFailure('final', 'unavailable', `etcd refuses the watch: ${cancelReason}`)
    : new EtcdFailure('again', 'unavailable', `etcd ended the watch: ${cancelReason}`);
}
