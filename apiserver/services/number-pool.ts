import { randomInt } from 'node:crypto';

/** Numbers that a pool gives out. Bands may overlap. */
export interface Band {
  readonly first: number;
  readonly last: number;
  /** How many of the first numbers are given out by chance only when all others are taken: kept for those who ask by number. */
  readonly reserved: number;
}

/** Numbers (addresses, ports) and who holds them. Owners are uids, so that an object never inherits from one of the same name. */
export class NumberPool {
  #bands: readonly Band[];
  readonly #owners = new Map<number, string>();

  constructor(bands: readonly Band[]) {
    this.#bands = bands;
  }

  get used(): number {
    return this.#owners.size;
  }

  /** Gives out of other bands from now on. What is held stays held. */
  useBands(bands: readonly Band[]): void {
    this.#bands = bands;
  }

  /** Takes one number for `owner`: `new`, or `own` where the owner holds it already; else says why not. */
  take(number: number, owner: string): 'new' | 'own' | 'taken' | 'out-of-range' {
    const isInside = Number.isInteger(number) && this.#bands.some(({ first, last }) => number >= first && number <= last);
    return isInside || this.#owners.get(number) === owner ? this.hold(number, owner) : 'out-of-range';
  }

  /** As `take`, also outside of the range: for numbers in use already. */
  hold(number: number, owner: string): 'new' | 'own' | 'taken' {
    const holder = this.#owners.get(number);
    if (holder !== undefined) return holder === owner ? 'own' : 'taken';
    this.#owners.set(number, owner);
    return 'new';
  }

  /** Takes any free number, by chance; undefined where all are taken. */
  takeAny(owner: string): number | undefined {
    const start = this.#bands.length > 1 ? randomInt(this.#bands.length) : 0;
    for (let step = 0; step < this.#bands.length; step++) {
      const band = this.#bands[(start + step) % this.#bands.length];
      if (band === undefined) continue;
      const { first, last, reserved } = band;
      const number = this.#findFree(first + reserved, last) ?? this.#findFree(first, first + reserved - 1);
      if (number === undefined) continue;
      this.#owners.set(number, owner);
      return number;
    }
    return undefined;
  }

  /** Gives back those of `numbers` that `owner` holds. */
  release(numbers: Iterable<number>, owner: string): void {
    for (const number of numbers) if (this.#owners.get(number) === owner) this.#owners.delete(number);
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
