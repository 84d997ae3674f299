import { WorkSlice } from '../work-slice.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import type { ObjectSelector } from '../storage/object-selector.ts';
import type { Snapshot } from '../storage/resource-cache.ts';

/** Looking at so many objects takes about 5 ms; then others get their turn. */
export const objectsPerTurn = 20_000;
/** Looks at objects that one takes which is served in another form than it is stored in, and so is converted. */
export const conversionCost = 100;

/** The keys that a list covers: those with `prefix`, up to (not including) `end`. */
interface KeyRange {
  readonly prefix: string;
  /** Undefined: to the last key. */
  readonly end: string | undefined;
}

interface PageRequest {
  readonly selector: ObjectSelector;
  readonly range: KeyRange;
  /** First key wanted, without the range's prefix. */
  readonly start: string;
  readonly limit: number | undefined;
  /** Objects that it does not hold of are not seen at all, as if they were not there. Absent: all are seen. */
  readonly sees?: ((object: CachedObject) => boolean) | undefined;
}

interface Page {
  readonly items: CachedObject[];
  /** Where the next page starts; undefined where this was the last. */
  readonly next: string | undefined;
  /** How many objects were looked at. */
  readonly looked: number;
}

/** The keys of one namespace, or of all ('' ). */
export function keyRange(namespace: string): KeyRange {
  // '0' follows '/'.
  return namespace === '' ? { prefix: '', end: undefined } : { prefix: `${namespace}/`, end: `${namespace}0` };
}

/**
 * Collects one page of what the selector wants. The snapshot does not change meanwhile. A full page has a next one where any object
 * follows that is seen, wanted or not, as upstream's: it does not look on for one that is wanted.
 */
export async function collect(
  snapshot: Snapshot,
  { selector, range, start, limit, sees }: PageRequest,
  signal: AbortSignal,
): Promise<Page> {
  const { form, name } = selector;
  const wants = (object: CachedObject): CachedObject | undefined => {
    const served = object.as(form);
    return selector.matches(served) ? served : undefined;
  };
  if (name !== undefined && (range.prefix !== '' || form.kind.scope === 'cluster')) {
    const only = snapshot.get(range.prefix + name);
    const wanted = only === undefined || only.key < range.prefix + start ? undefined : wants(only);
    return { items: wanted === undefined ? [] : [wanted], next: undefined, looked: only === undefined ? 0 : 1 };
  }
  const items: CachedObject[] = [];
  const slice = new WorkSlice(objectsPerTurn);
  let last = '';
  let looked = 0;
  for (const [key, object] of snapshot.entries(range.prefix + start)) {
    if (range.end !== undefined && key >= range.end) break;
    looked++;
    const isSeen = sees === undefined || sees(object.as(form));
    if (items.length === limit && isSeen) return { items, next: `${last}\0`, looked };
    const wanted = isSeen ? wants(object) : undefined;
    if (wanted !== undefined) {
      items.push(wanted);
      last = key;
    }
    slice.spend(object.form === form ? 1 : conversionCost);
    if (slice.isOver) {
      await slice.rest();
      signal.throwIfAborted();
    }
  }
  return { items, next: undefined, looked };
}

/** How many objects lie from a key on. */
export function countFrom(snapshot: Snapshot, { end }: KeyRange, key: string): number {
  const high = end ?? snapshot.maxKey();
  return high === undefined ? 0 : snapshot.forRange(key, high, end === undefined);
}
