// Group commit over lmdb's write thread. Everything that arrives in a turn of the event loop, or while a batch is being flushed,
// shares the next transaction and its flush. Batches follow one another; there is never more than one under way.
//
// Invariant: a write is acknowledged only after its batch is on disk. When a flush fails, so does everything behind it, because it
// may have been allowed on the strength of what was lost.
import { statfsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Log } from '#base/log.ts';
import { StoreError } from './contract.ts';

/** One write. */
interface GroupWrite {
  /** Puts its operations into the transaction; called inside lmdb's batch. */
  readonly apply: () => void;
  /** Called in the order of the writes, when all of the batch is on disk. */
  readonly committed: () => void;
  readonly failed: (error: StoreError) => void;
}

interface GroupCommitOptions {
  /** Where the database lies, to tell a full disk from a broken one. */
  readonly folder: string;
  /** Runs `apply` in one transaction; resolves when it is on disk. */
  readonly transact: (apply: () => void) => Promise<unknown>;
  /** Called after a batch is on disk, before its writes are acknowledged. */
  readonly onCommit: () => void;
  readonly log: Log;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: GroupWrite[] = [];
  #working: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Why the last batch is not on disk; undefined: it is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Adds a write to the next batch. */
  add(write: GroupWrite): void {
    this.#waiting.push(write);
    this.#working ??= this.#work();
  }

  /** Resolves when everything that was added is on disk or has failed. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async #work(): Promise<void> {
    // The other requests of this turn come along. Later batches are what arrived during the flush before: the disk is never idle then.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#options.transact(() => {
          for (const write of batch) write.apply();
        });
        this.#options.onCommit();
        if (this.#trouble !== undefined) this.#recover();
        for (const write of batch) write.committed();
      } catch (error) {
        const failure = await storeErrorOf(error, this.#options.folder);
        this.#fail(failure);
        const lost = [...batch, ...this.#waiting];
        this.#waiting = [];
        for (const write of lost) write.failed(failure);
      }
    }
    this.#working = undefined;
  }

  /** Said once, however many writes fail. */
  #fail(failure: StoreError): void {
    const { folder, log } = this.#options;
    if (this.#trouble !== failure.message) log.error({ err: failure, folder }, 'writes are refused: they cannot be kept');
    this.#trouble = failure.message;
  }

  #recover(): void {
    this.#trouble = undefined;
    this.#options.log.info({ folder: this.#options.folder }, 'writes are kept again');
  }
}

const codes = { ioError: 5, noSpace: 28, readOnly: 30, overQuota: 122, mapFull: -30_792 };
/** LMDB says "input/output error" for a write that found room only for its beginning. */
const littleSpaceBytes = 1_024 * 1_024;

/** lmdb reports the true reason in a separate promise. */
async function storeErrorOf(error: unknown, folder: string): Promise<StoreError> {
  let cause = error;
  if (error instanceof Error && 'commitError' in error) {
    cause = await Promise.resolve(error.commitError).then(
      () => error,
      (reason: unknown) => reason,
    );
  }
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const isFull =
    code === codes.noSpace || code === codes.overQuota || code === codes.mapFull || (code === codes.ioError && hasLittleSpace(folder));
  if (isFull) return new StoreError('full', 'etcdserver: mvcc: database space exceeded', { cause });
  return new StoreError('unavailable', `the database could not be written: ${wordsOf(code, cause)}`, { cause });
}

/** LMDB's own words go on with what it tried to write where. */
function wordsOf(code: unknown, cause: unknown): string {
  if (code === codes.readOnly) return 'the file system is read-only';
  if (code === codes.ioError) return 'the disk fails';
  return cause instanceof Error ? cause.message : String(cause);
}

function hasLittleSpace(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < littleSpaceBytes;
}
