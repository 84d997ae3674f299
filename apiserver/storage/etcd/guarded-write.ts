// One guarded write, tried until its outcome is known.
//
// How it works: a write whose answer is lost may have happened, or happen yet, when a member that hangs wakes up. So it is made again
// with the same guard. An update can happen only once, since the first success makes the guard false for ever; where the guard does not hold
// after such a doubt, the key's history tells who was first: the value right after the expected revision is ours or somebody else's. A
// creation could happen twice, where somebody deletes what one attempt made before the other comes: so a fence is raised (fence.ts), behind
// which the lost attempt cannot happen any more, and the creation is made again only when the watch has come so far and did not tell of
// it. A deletion leaves nothing that tells whose it was. Where the outcome cannot be told, the caller hears that it is unknown, never
// that the write failed.
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { StoreError } from '../contract.ts';
import type { CallOptions } from './connection.ts';
import { EtcdFailure, storeError } from './failures.ts';
import type { Fence } from './fence.ts';
import type { Leases } from './leases.ts';
import type { Change, Guard, KeyValue } from './messages.ts';
import type { OwnWrites } from './own-writes.ts';
import type { EtcdReads } from './reads.ts';
import type { SharedAnswer, SharedCommits } from './shared-commits.ts';

/** How long the first attempt may take. A leader that fails takes writes with it that another member passed on to it, and nobody tells. */
const attemptMs = 1_000;
/** Attempts that come late are given twice as long, up to this. */
const longestAttemptMs = 5_000;
const patienceMs = 20_000;
/** How many newer values of the key are looked behind. */
const lookBack = 8;

export interface GuardedWrite {
  readonly key: string;
  /** Of etcd; 0: the key must not exist. */
  readonly expected: number;
  /** Undefined: delete. */
  readonly value: Uint8Array | undefined;
  readonly ttlSeconds?: number | undefined;
  /** Other keys that are written in the same transaction. */
  readonly along?: readonly AlongWrite[];
}

export interface AlongWrite {
  readonly key: string;
  readonly expected: number;
  readonly value: Uint8Array;
}

export type WriteOutcome =
  | {
      readonly ok: true;
      readonly revision: number;
      /** How many writes of the same commit came behind it; default 0. */
      readonly behind?: number;
    }
  | { readonly ok: false; readonly current: KeyValue | undefined; readonly isBlocked?: boolean };

export interface GuardedWriteDeps {
  readonly commits: SharedCommits;
  readonly reads: EtcdReads;
  readonly leases: Leases;
  readonly own: OwnWrites;
  readonly fence: Fence;
  readonly clock: Clock;
}

/** Resolves when the outcome is known. Rejects with StoreError; 'timeout' says that it is not. */
export async function writeGuarded(deps: GuardedWriteDeps, write: GuardedWrite, signal: AbortSignal): Promise<WriteOutcome> {
  const { clock, fence } = deps;
  const backoff = new Backoff({ initialMs: 20, maxMs: 150, jitter: 0.5 });
  const untilMs = clock.monotonicMs() + patienceMs;
  let inDoubt = false;
  let timeoutMs = attemptMs;
  for (;;) {
    try {
      if (inDoubt && isCreation(write)) {
        await fence.raise(timeoutMs);
        const outcome = await whatBecame(deps, write, signal);
        if (outcome !== undefined) return outcome;
        inDoubt = false;
      }
      const answer = await attempt(deps, write, { timeoutMs, signal });
      if (answer.succeeded) return { ok: true, revision: answer.revision, behind: answer.behind };
      const isBlocked = write.value !== undefined && (answer.current?.modRevision ?? 0) === write.expected;
      if (!inDoubt) return { ok: false, current: answer.current, isBlocked };
      // The attempt that is in doubt may happen yet: what blocks it may go.
      if (isBlocked) throw unknown(write);
      return await whoWasFirst(deps, write, answer.current, signal);
    } catch (error) {
      if (!(error instanceof EtcdFailure)) throw error;
      if (error.verdict === 'final') return await giveUp(deps, write, { error, inDoubt }, signal);
      inDoubt ||= error.verdict === 'again';
      if (error.storeCode === 'timeout') timeoutMs = Math.min(2 * timeoutMs, longestAttemptMs);
      if (clock.monotonicMs() >= untilMs) throw new StoreError('timeout', error.message, { cause: error });
      await clock.sleep(backoff.next(), signal);
    }
  }
}

function isCreation({ expected, value }: GuardedWrite): boolean {
  return expected === 0 && value !== undefined;
}

function unknown({ key }: GuardedWrite, cause?: Error): StoreError {
  return new StoreError('timeout', `the outcome of a write of ${key} is not known`, { cause });
}

async function attempt({ commits, leases }: GuardedWriteDeps, write: GuardedWrite, options: CallOptions): Promise<SharedAnswer> {
  const { key, expected, ttlSeconds, along = [] } = write;
  try {
    const lease = ttlSeconds === undefined ? undefined : await leases.leaseFor(ttlSeconds, options);
    const change: Change = write.value === undefined ? { do: 'delete', key } : { do: 'put', key, value: write.value, lease };
    const guards = [{ key, expected }, ...along].map((one): Guard => ({ key: one.key, compare: 'modRevision', equals: one.expected }));
    const changes = [...along.map((put): Change => ({ do: 'put', key: put.key, value: put.value })), change];
    return await commits.make({ guards, changes }, options);
  } catch (error) {
    if (ttlSeconds !== undefined && error instanceof EtcdFailure && error.verdict === 'lease-gone') leases.forget(ttlSeconds);
    throw error;
  }
}

/** Etcd refuses for good: so the write did not happen, unless an attempt before did, or will yet. */
async function giveUp(
  deps: GuardedWriteDeps,
  write: GuardedWrite,
  { error, inDoubt }: { error: EtcdFailure; inDoubt: boolean },
  signal: AbortSignal,
): Promise<WriteOutcome> {
  if (!inDoubt) throw storeError(error);
  if (isCreation(write)) {
    const { ours } = await madeOf(deps, write, signal);
    if (ours === undefined) throw unknown(write, error);
    return ours;
  }
  const [current] = (await deps.reads.range({ key: write.key }, signal)).items;
  if ((current?.modRevision ?? 0) === write.expected) throw unknown(write, error);
  return await whoWasFirst(deps, write, current, signal);
}

/** The guard does not hold any more of a write that is no creation, and an attempt of ours may be why. */
async function whoWasFirst(
  deps: GuardedWriteDeps,
  write: GuardedWrite,
  current: KeyValue | undefined,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  if (write.value === undefined) {
    // What was to be deleted is gone, whoever did it, unless it is still the same object with a newer value.
    if (current === undefined || current.createRevision > write.expected) throw unknown(write);
    return { ok: false, current };
  }
  const { successor, isFound } = await valueAfter(deps.reads, write, current, signal);
  if (!isFound) throw unknown(write);
  const isOurs = successor !== undefined && Buffer.compare(successor.value, write.value) === 0;
  return isOurs ? { ok: true, revision: successor.modRevision, behind: successor.behind } : { ok: false, current };
}

/** What became of a creation that cannot come late any more; undefined: nothing, and its place is free. */
async function whatBecame(deps: GuardedWriteDeps, write: GuardedWrite, signal: AbortSignal): Promise<WriteOutcome | undefined> {
  const { key, value = new Uint8Array() } = write;
  const { ours, current, revision } = await madeOf(deps, write, signal);
  if (ours !== undefined) return ours;
  // It may have been there, and be gone.
  if (!(await deps.own.isUnseen(key, value, revision, signal))) throw unknown(write);
  return current && { ok: false, current };
}

/** What is there in place of a creation: ours, or what else. */
async function madeOf(
  { reads }: GuardedWriteDeps,
  { key, value = new Uint8Array() }: GuardedWrite,
  signal: AbortSignal,
): Promise<{ readonly ours: WriteOutcome | undefined; readonly current: KeyValue | undefined; readonly revision: number }> {
  const { items, revision } = await reads.range({ key }, signal);
  const [current] = items;
  const made = current === undefined || current.version === 1 ? current : await asMade(reads, current, signal);
  const isOurs = made !== undefined && Buffer.compare(made.value, value) === 0;
  return { ours: isOurs ? { ok: true, revision: made.modRevision, behind: made.behind } : undefined, current, revision };
}

/** Undefined where history does not reach back so far. */
async function asMade(reads: EtcdReads, { key, createRevision }: KeyValue, signal: AbortSignal): Promise<KeyValue | undefined> {
  return (await reads.range({ key, revision: createRevision }, signal).catch(unlessCompacted)).items[0];
}

/** The value that took the place of the expected one. */
async function valueAfter(
  reads: EtcdReads,
  { key, expected }: GuardedWrite,
  current: KeyValue | undefined,
  signal: AbortSignal,
): Promise<{ isFound: boolean; successor?: KeyValue }> {
  let at = current;
  for (let step = 0; step < lookBack && at !== undefined; step++) {
    const { items } = await reads.range({ key, revision: at.modRevision - 1 }, signal).catch(unlessCompacted);
    const before: KeyValue | undefined = items[0];
    if ((before?.modRevision ?? 0) === expected) return { isFound: true, successor: at };
    at = before;
  }
  return { isFound: false };
}

function unlessCompacted(error: unknown): { items: readonly KeyValue[] } {
  if (error instanceof StoreError && error.code === 'compacted') return { items: [] };
  throw error;
}
