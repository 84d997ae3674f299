import { randomInt } from 'node:crypto';

export interface NumberPoolOptions {
  readonly first: number;
  readonly last: number;
  /** How many of the first numbers are given out by chance only when all others are taken: kept for those who ask by number. */
  readonly reserved: number;
}

/** Numbers (addresses, ports) and who holds them. Owners are uids, so that an object never inherits from one of the same name. */
export class NumberPool {
  readonly #options: NumberPoolOptions;
  readonly #owners = new Map<number, string>();

  constructor(options: NumberPoolOptions) {
    this.#options = options;
  }

  get used(): number {
    return this.#owners.size;
  }

  /** Takes one number for `owner`: `new`, or `own` where the owner holds it already; else says why not. */
  take(number: number, owner: string): 'new' | 'own' | 'taken' | 'out-of-range' {
    const { first, last } = this.#options;
    if (!Number.isInteger(number) || number < first || number > last) return 'out-of-range';
    const holder = this.#owners.get(number);
    if (holder !== undefined) return holder === owner ? 'own' : 'taken';
    this.#owners.set(number, owner);
    return 'new';
  }

  /** Takes any free number, by chance; undefined where all are taken. */
  takeAny(owner: string): number | undefined {
    const { first, last, reserved } = this.#options;
    const number = this.#findFree(first + reserved, last) ?? this.#findFree(first, first + reserved - 1);
    if (number !== undefined) this.#owners.set(number, owner);
    return number;
  }

  /** Gives back those of `numbers` that `owner` holds. */
  release(numbers: Iterable<number>, owner: string): void {
    for (const number of numbers) if (this.#owners.get(number) === owner) this.#owners.delete(number);
  }

  clear(): void {
    this.#owners.clear();
  }

  /** A random start, then the next free one: no long search while the range is not nearly full. */
  #findFree(from: number, to: number): number | undefined {
    const count = to - from + 1;
    if (count <= 0) return undefined;
    const start = randomInt(count);
    for (let step = 0; step < count; step++) {
      const number = from + ((start + step) % count);
      if (!this.#owners.has(number)) return number;
    }
    return undefined;
  }
}
