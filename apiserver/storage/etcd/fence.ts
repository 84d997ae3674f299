// What keeps a write that comes late from happening: a key of this store's own, whose revision every commit names. Who does not know what
// became of an attempt writes the key, and no commit from before can happen any more.
//
// How it works: the key does not exist until there is a doubt, so a commit costs one comparison more, and no write. An attempt to raise the
// fence may itself come late; a commit that is refused for that tells where the fence stands now, and is made again. The key stays when the
// store is closed: without it, what comes late would find the fence where it stood at first.
import { randomUUID } from 'node:crypto';
import type { EtcdConnection } from './connection.ts';
import { decodeTxn, encodeTxn, type Guard, methods } from './messages.ts';

export class Fence {
  readonly #connection: Pick<EtcdConnection, 'call'>;
  readonly #key = `coxswain-fence/${randomUUID()}`;
  /** Of etcd, as far as is known; 0: the key was never written. */
  #revision = 0;
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(connection: Pick<EtcdConnection, 'call'>) {
    this.#connection = connection;
  }

  /** What is sent with it happens only while the fence stands where it stands now. */
  get guard(): Guard {
    return { key: this.#key, compare: 'modRevision', equals: this.#revision };
  }

  /** Where a commit that was refused found it. */
  foundAt(revision: number): void {
    this.#revision = revision;
  }

  /**
   * Resolves when what was sent before the call has happened, or never will. Rejects as calls do. Who comes while it is being raised waits for
   * the next time, and shares that with others.
   */
  async raise(timeoutMs: number): Promise<void> {
    this.#next ??= this.#raise(timeoutMs);
    await this.#next;
  }

  async #raise(timeoutMs: number): Promise<void> {
    await this.#running;
    this.#next = undefined;
    const raised = this.#put(timeoutMs);
    this.#running = raised.catch(() => undefined);
    await raised;
  }

  async #put(timeoutMs: number): Promise<void> {
    const request = encodeTxn({ guards: [], changes: [{ do: 'put', key: this.#key, value: Buffer.from('raised') }] });
    // No caller's signal: several wait for it.
    const options = { timeoutMs, signal: new AbortController().signal };
    this.#revision = decodeTxn(await this.#connection.call(methods.txn, request, options)).revision;
  }
}
