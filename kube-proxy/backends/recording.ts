import { type Dispatch, frontOf } from '../model/dispatch.ts';
import type { DispatchChanges } from '../model/claims.ts';
import type { ProxyBackend } from './contract.ts';

/** Records its calls, for tests of the proxier. */
export class RecordingBackend implements ProxyBackend {
  readonly name = 'recording';
  readonly carried = new Map<string, Dispatch>();
  /** `replace N` or `change N` for each transaction, with the number of fronts. */
  readonly transactions: string[] = [];
  /** So many transactions are refused next. */
  refusals = 0;
  isGone = false;

  async replace(all: Iterable<Dispatch>): Promise<void> {
    const fronts = new Map([...all].map((one) => [frontOf(one), one]));
    this.#begin(`replace ${fronts.size}`);
    this.carried.clear();
    this.isGone = false;
    for (const [front, one] of fronts) this.carried.set(front, one);
  }

  async change(changes: DispatchChanges): Promise<void> {
    this.#begin(`change ${changes.size}`);
    for (const [front, next] of changes) {
      if (next === undefined) this.carried.delete(front);
      else this.carried.set(front, next);
    }
  }

  async isIntact(): Promise<boolean> {
    return !this.isGone;
  }

  async cleanup(): Promise<void> {
    this.carried.clear();
  }

  /** Front and endpoints of everything carried, sorted. */
  show(): readonly string[] {
    return [...this.carried].map(([front, { endpoints }]) => `${front} -> ${endpoints.map(({ ip }) => ip).join(' ')}`).toSorted();
  }

  #begin(transaction: string): void {
    this.transactions.push(transaction);
    if (this.refusals === 0) return;
    this.refusals--;
    throw new Error('refused, as the test asked for');
  }
}
