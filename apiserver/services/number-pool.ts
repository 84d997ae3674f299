import { randomInt } from 'node:crypto';

/** Why a number cannot be had. */
export type PoolRefusal = 'out-of-range' | 'taken' | 'full';

export interface NumberPoolOptions {
  readonly first: number;
  readonly last: number;
  /** How many of the first numbers are given out by chance only when all others are taken: kept for those who ask by number. */
  readonly reserved: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** How long a number stays with a write that has not been seen in the store yet. */
const pendingMs = 10_000;

/**
 * Numbers (addresses, ports) and who holds them. What the store says counts: `holds` is told every change there. Between a grant
 * and the change that proves it a number is pending, so that two writes at a time never get the same one, and a write that fails
 * gives its numbers back by itself.
 */
export class NumberPool {
  readonly #options: NumberPoolOptions;
  readonly #owners = new Map<number, string>();
  readonly #held = new Map<string, ReadonlySet<number>>();
  readonly #pending = new Map<number, { readonly owner: string; readonly untilMs: number }>();

  constructor(options: NumberPoolOptions) {
    this.#options = options;
  }

  /** Numbers that are held, pending ones not counted. */
  get used(): number {
    return this.#owners.size;
  }

  /** Who holds a number by what the store says. */
  ownerOf(number: number): string | undefined {
    return this.#owners.get(number);
  }

  /** From now on `owner` holds exactly these. */
  holds(owner: string, numbers: readonly number[]): void {
    for (const number of this.#held.get(owner) ?? []) if (this.#owners.get(number) === owner) this.#owners.delete(number);
    for (const number of numbers) {
      this.#owners.set(number, owner);
      this.#pending.delete(number);
    }
    if (numbers.length === 0) this.#held.delete(owner);
    else this.#held.set(owner, new Set(numbers));
  }

  /** Forgets everything the store said, before it is read anew. */
  clear(): void {
    this.#owners.clear();
    this.#held.clear();
  }

  /** Takes one number for `owner`. `isDry` only asks. */
  take(number: number, owner: string, isDry: boolean): PoolRefusal | undefined {
    const { first, last } = this.#options;
    if (!Number.isInteger(number) || number < first || number > last) return 'out-of-range';
    if (this.#isTakenFrom(number, owner)) return 'taken';
    if (!isDry && this.#owners.get(number) !== owner) this.#reserve(number, owner);
    return undefined;
  }

  /** Takes any free number, by chance. */
  takeAny(owner: string, isDry: boolean): number | PoolRefusal {
    const { first, last, reserved } = this.#options;
    const number = this.#findFree(first + reserved, last) ?? this.#findFree(first, first + reserved - 1);
    if (number === undefined) return 'full';
    if (!isDry) this.#reserve(number, owner);
    return number;
  }

  #reserve(number: number, owner: string): void {
    this.#pending.set(number, { owner, untilMs: this.#options.nowMs() + pendingMs });
  }

  #isTakenFrom(number: number, owner: string): boolean {
    const held = this.#owners.get(number);
    if (held !== undefined) return held !== owner;
    const pending = this.#pending.get(number);
    if (pending === undefined || pending.owner === owner) return false;
    if (pending.untilMs > this.#options.nowMs()) return true;
    this.#pending.delete(number);
    return false;
  }

  /** A random start, then the next free one: no long search while the range is not nearly full. */
  #findFree(from: number, to: number): number | undefined {
    const count = to - from + 1;
    if (count <= 0) return undefined;
    const start = randomInt(count);
    for (let step = 0; step < count; step++) {
      const number = from + ((start + step) % count);
      if (!this.#owners.has(number) && !this.#isTakenFrom(number, '')) return number;
    }
    return undefined;
  }
}
