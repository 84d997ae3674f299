// Writes that come at the same time share a transaction of etcd: one message, one entry of its log, one answer, and one message to each
// watch, where there would be as many as writes.
//
// How it works: what comes while a transaction is under way waits for the next one, which waits a little for those who are expected to
// come along (gathering.ts). Each write is a transaction inside of it, with guards of
// its own, so that it may succeed or fail whatever becomes of the others. Etcd judges all guards before it changes anything, and refuses a
// transaction that changes a key twice: so no key is in one twice. Where etcd refuses the whole for what one write asks, each is made
// alone. Writes of a commit have one revision at etcd; commit-place.ts says how they are told apart.
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '#base/clock.ts';
import type { CallOptions, EtcdConnection } from './connection.ts';
import { EtcdFailure } from './failures.ts';
import type { Fence } from './fence.ts';
import { Gathering } from './gathering.ts';
import { type Change, type Conditional, decodeTogether, encodeTogether, methods, type Outcome } from './messages.ts';

const underWayLimit = 1;
/** Etcd takes 128 operations; one of them is the transaction around a write's own. */
const changesLimit = 100;
/** Etcd takes 1.5 MiB; larger values go alone. */
const bytesLimit = 512 * 1_024;
/** Who stands behind a fence that was raised meanwhile did not write, and knows where it stands. */
const fenceTries = 4;

/** Why a wait for others ends. A reason of its own for each of them, with a stack, would cost more than the wait. */
const othersCame = Symbol('others came');

/** A write's changes are made in their order; the last one is the write itself. */
export type SharedWrite = Conditional;

export interface SharedAnswer {
  /** Etcd's, after the commit. */
  readonly revision: number;
  /** How many writes of the commit came behind this one. */
  readonly behind: number;
  readonly succeeded: boolean;
  readonly current: Outcome['current'];
}

interface Waiting {
  readonly write: SharedWrite;
  readonly bytes: number;
  readonly timeoutMs: number;
  readonly resolve: (answer: SharedAnswer) => void;
  readonly reject: (error: unknown) => void;
  isLeft: boolean;
}

export interface SharedCommitsDeps {
  readonly connection: Pick<EtcdConnection, 'call'>;
  readonly fence: Fence;
  readonly clock: Clock;
}

export class SharedCommits {
  readonly #deps: SharedCommitsDeps;
  readonly #gathering = new Gathering();
  #waiting: Waiting[] = [];
  #underWay = 0;
  #isDue = false;
  /** Ends the wait for others. */
  #patience: AbortController | undefined;
  readonly #noSignal = new AbortController().signal;

  constructor(deps: SharedCommitsDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a write, with whatever others there are: their transaction may take as long as the most patient of them allows. Rejects as calls do;
   * a caller that leaves does not undo what is under way.
   */
  async make(write: SharedWrite, { timeoutMs, signal }: CallOptions): Promise<SharedAnswer> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<SharedAnswer>();
    const mine: Waiting = { write, bytes: bytesOf(write.changes), timeoutMs, resolve, reject, isLeft: false };
    const leave = (): void => {
      mine.isLeft = true;
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(mine);
    this.#goOn();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #goOn(): void {
    if (this.#isDue || this.#waiting.length === 0 || this.#underWay >= underWayLimit) return;
    const patienceMs = this.#gathering.patienceMs(this.#waiting.length);
    if (patienceMs > 0) {
      if (this.#patience === undefined) void this.#waitForOthers(patienceMs);
      return;
    }
    this.#patience?.abort(othersCame);
    this.#patience = undefined;
    this.#isDue = true;
    void this.#sendSoon();
  }

  async #waitForOthers(patienceMs: number): Promise<void> {
    const patience = new AbortController();
    this.#patience = patience;
    await this.#deps.clock.sleep(patienceMs, patience.signal).catch(() => undefined);
    if (this.#patience !== patience) return;
    this.#gathering.giveUp();
    this.#goOn();
  }

  async #sendSoon(): Promise<void> {
    // The other requests of this turn come along.
    await setImmediate();
    this.#isDue = false;
    const batch = this.#take();
    if (batch.length === 0) return;
    const hasLeftOut = this.#waiting.length > 0;
    const fromMs = this.#deps.clock.monotonicMs();
    this.#underWay++;
    await this.#commit(batch);
    this.#underWay--;
    const tookMs = this.#deps.clock.monotonicMs() - fromMs;
    this.#gathering.done({ writes: batch.length, waiting: this.#waiting.length, hasLeftOut, tookMs });
    this.#goOn();
  }

  /** The next writes that can share a transaction, in the order they came. */
  #take(): readonly Waiting[] {
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    const keys = new Set<string>();
    let [changes, bytes] = [0, 0];
    for (const one of this.#waiting) {
      if (one.isLeft) continue;
      const isFull = changes + one.write.changes.length > changesLimit || bytes + one.bytes > bytesLimit;
      const fits = batch.length === 0 || (!isFull && !one.write.changes.some(({ key }) => keys.has(key)));
      if (fits) {
        batch.push(one);
        changes += one.write.changes.length;
        bytes += one.bytes;
      } else {
        left.push(one);
      }
      // Whoever waits for a key waits behind those that came before.
      for (const { key } of one.write.changes) keys.add(key);
    }
    this.#waiting = left;
    return batch;
  }

  /** Never rejects: failures reach each waiting writer. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    const options = { timeoutMs: Math.max(...batch.map(({ timeoutMs }) => timeoutMs)), signal: this.#noSignal };
    try {
      const placed = withPlaces(batch.map(({ write }) => write));
      const { revision, answers } = await this.#call(placed, options);
      const behind = placesOf(placed, answers);
      for (const [at, { resolve }] of batch.entries()) {
        const answer = answers[at];
        if (answer === undefined) throw new EtcdFailure('again', 'unavailable', 'etcd did not answer all of a transaction');
        resolve({ revision, behind: behind[at] ?? 0, succeeded: answer.succeeded, current: answer.current });
      }
    } catch (error) {
      const isOnesFault = error instanceof EtcdFailure && (error.verdict === 'final' || error.verdict === 'lease-gone');
      if (isOnesFault && batch.length > 1) await Promise.all(batch.map((one) => this.#commit([one])));
      else for (const { reject } of batch) reject(error);
    }
  }

  async #call(writes: readonly SharedWrite[], options: CallOptions): Promise<{ revision: number; answers: readonly Outcome[] }> {
    const { connection, fence } = this.#deps;
    for (let tries = 0; tries < fenceTries; tries++) {
      const found = decodeTogether(await connection.call(methods.txn, encodeTogether(writes, fence.guard), options));
      if (found.succeeded) return found;
      fence.foundAt(found.current?.modRevision ?? 0);
    }
    throw new EtcdFailure('refused', 'unavailable', 'etcd is raising fences all the time');
  }
}

function bytesOf(changes: readonly Change[]): number {
  let bytes = 0;
  for (const change of changes) bytes += change.key.length + (change.do === 'put' ? change.value.length : 0);
  return bytes;
}

/** Tells each value how many changes come behind it if all writes succeed. */
function withPlaces(writes: readonly SharedWrite[]): readonly SharedWrite[] {
  let left = 0;
  for (const { changes } of writes) left += changes.length;
  return writes.map(({ guards, changes }) => ({
    guards,
    changes: changes.map((change): Change => {
      left--;
      return change.do === 'put' ? { ...change, behind: left } : change;
    }),
  }));
}

/**
 * How many changes came behind each write. A deletion leaves no value that says so: it comes right before what follows it, which is
 * all that a watch can tell of it (`placeDeletions` in change-stream.ts does the same).
 */
function placesOf(writes: readonly SharedWrite[], answers: readonly Outcome[]): readonly number[] {
  const places: number[] = [];
  let following = -1;
  for (let at = writes.length - 1; at >= 0; at--) {
    if (answers[at]?.succeeded !== true) continue;
    const changes = writes[at]?.changes ?? [];
    for (let index = changes.length - 1; index >= 0; index--) {
      const change = changes[index];
      following = change?.do === 'put' ? (change.behind ?? 0) : following + 1;
      if (index === changes.length - 1) places[at] = following;
    }
  }
  return places;
}
