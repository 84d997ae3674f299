import { sealedPrefix } from './sealed-prefix.ts';
import { identity, type Sealer } from './sealers.ts';

/** A resource of the API, or `*`. */
export interface ResourceName {
  readonly group: string;
  readonly resource: string;
}

/** What the values of some resources are sealed with: written by the first, read by whichever made them. */
interface SealingRule {
  readonly resources: readonly ResourceName[];
  readonly sealers: readonly Sealer[];
}

/** The sealers of one resource. */
export class Seals {
  readonly #sealers: readonly Sealer[];
  readonly #first: Sealer;

  /** True where `fetchKey` has to be asked before `open`. */
  readonly fetchesKeys: boolean;

  /** At least one. */
  constructor(sealers: readonly Sealer[]) {
    this.#sealers = sealers;
    this.#first = sealers[0] ?? identity;
    this.fetchesKeys = sealers.some(({ fetchKey }) => fetchKey !== undefined);
  }

  /** Gets the key that a value was sealed with; undefined where it is there. */
  fetchKey(stored: Uint8Array): Promise<void> | undefined {
    const sealer = this.#sealers.find((one) => one.fetchKey !== undefined && hasMark(stored, one));
    return sealer?.fetchKey?.(stored.subarray(sealer.mark.length));
  }

  seal(value: Uint8Array, place: string): Uint8Array {
    return this.#first.seal(value, place);
  }

  /** What sealed values start with from now on; '' where they stay as they are. */
  get prefix(): string {
    return this.#first.mark.toString();
  }

  /** What a value starts with that one of the sealers made; undefined where none did. */
  prefixOf(stored: Uint8Array): string | undefined {
    return this.#sealers.find((sealer) => hasMark(stored, sealer))?.mark.toString();
  }

  /** The value, and whether it would be sealed otherwise today. Throws where none of the sealers can open it. */
  open(stored: Uint8Array, place: string): { readonly value: Uint8Array; readonly isOutdated: boolean } {
    let failure: unknown;
    for (const sealer of this.#sealers) {
      if (!hasMark(stored, sealer)) continue;
      try {
        const sealed = stored.subarray(sealer.mark.length);
        const value = sealer.open(sealed, place);
        return { value, isOutdated: sealer !== this.#first || sealer.isCurrent?.(sealed) === false };
      } catch (error) {
        // Keys may share a name between providers' entries, so another one may still fit.
        failure = error;
      }
    }
    throw failure ?? new Error('no matching prefix found');
  }
}

/** Finds the sealers of a resource: its own, else those of its group, else those of everything. */
export class SealingRules {
  readonly #seals = new Map<string, Seals>();

  constructor(rules: readonly SealingRule[]) {
    const sealers = new Map<string, Sealer[]>();
    for (const rule of rules) {
      for (const name of rule.resources) sealers.set(keyOf(name), [...(sealers.get(keyOf(name)) ?? []), ...rule.sealers]);
    }
    for (const [key, list] of sealers) this.#seals.set(key, new Seals(list));
  }

  /** Undefined where values stay as they are. */
  find({ group, resource }: ResourceName): Seals | undefined {
    return (
      this.#seals.get(keyOf({ group, resource })) ??
      this.#seals.get(keyOf({ group, resource: '*' })) ??
      this.#seals.get(keyOf({ group: '*', resource: '*' }))
    );
  }
}

/** `deployments.apps`, `secrets`, `*.` for a whole core group, as messages name it. */
export function keyOf({ group, resource }: ResourceName): string {
  return group === '' && resource !== '*' ? resource : `${resource}.${group}`;
}

/** Values as they are have no mark, but must not look sealed. */
function hasMark(stored: Uint8Array, sealer: Sealer): boolean {
  if (sealer.mark.length === 0) return !startsWith(stored, sealedPrefix);
  return startsWith(stored, sealer.mark);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false;
  for (let at = 0; at < start.length; at++) if (bytes[at] !== start[at]) return false;
  return true;
}
