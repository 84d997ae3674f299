import { badRequest } from '#api/meta/status.ts';

/** The largest number of 64 bits that is one here, too. */
const largestInteger = 2 ** 63 - 1_024;

/** The query of a request, read as upstream reads it: the first value counts, unknown parameters are ignored. */
export class Query {
  /** The query of requests without one. */
  static readonly empty = new Query('');
  readonly raw: string;
  #params: URLSearchParams | undefined;

  /** @param raw what follows the question mark. */
  constructor(raw: string) {
    this.raw = raw;
  }

  /** The first value, undefined where the parameter is absent. */
  get(name: string): string | undefined {
    return this.raw === '' ? undefined : (this.#all.get(name) ?? undefined);
  }

  getAll(name: string): string[] {
    return this.raw === '' ? [] : this.#all.getAll(name);
  }

  /** A switch: present and neither `0` nor `false`. */
  flag(name: string): boolean {
    return this.optionalFlag(name) ?? false;
  }

  /** A switch that may be absent. */
  optionalFlag(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return value !== '0' && value.toLowerCase() !== 'false';
  }

  /** A whole number of 64 bits; undefined where absent. Throws BadRequest in Go's words. */
  integer(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    const whole = BigInt(value.replace('+', ''));
    if (BigInt.asIntN(64, whole) !== whole) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
    return Math.min(Number(whole), largestInteger);
  }

  get #all(): URLSearchParams {
    this.#params ??= new URLSearchParams(this.raw);
    return this.#params;
  }
}
