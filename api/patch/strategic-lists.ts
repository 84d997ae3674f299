// Lists under strategic merge: what their items are, how scalars are merged, and the order that the result gets.
import type { Json, JsonObject } from '../meta/object.ts';
import { getOwn, isObject } from './json-object.ts';

/** What all items of the lists are; `list` where the first of all is one. */
export function elementKind(lists: readonly (readonly Json[])[]): 'map' | 'list' | 'scalar' | 'mixed' {
  let kind: string | undefined;
  for (const list of lists) {
    for (const item of list) {
      const own = Array.isArray(item) ? 'list' : isObject(item) ? 'map' : typeof item;
      if (own === 'list' && kind === undefined) return 'list';
      if (kind !== undefined && kind !== own) return 'mixed';
      kind = own;
    }
  }
  return kind === 'map' ? 'map' : 'scalar';
}

/** Both lists without repetition. */
export function mergeScalars(current: readonly Json[], wanted: readonly Json[]): Json[] {
  return [...new Set([...current, ...wanted])];
}

export function removeScalars(current: readonly Json[], gone: readonly Json[]): Json[] {
  const values = new Set(gone);
  return current.filter((item) => !values.has(item));
}

/** Where each item first stands, by its key (or by itself where `mergeKey` is ''). */
export function positions(items: readonly Json[], mergeKey: string): Map<Json | undefined, number> {
  const at = new Map<Json | undefined, number>();
  for (const [index, item] of items.entries()) {
    const id = idOf(item, mergeKey);
    if (!at.has(id)) at.set(id, index);
  }
  return at;
}

/**
 * The merged items in the order of the patch. Items that the patch does not name keep the order they had, each before the first
 * named item that it stood before; named items that are new come as early as they can.
 */
export function inPatchOrder(merged: readonly Json[], patchOrder: readonly Json[], oldOrder: readonly Json[], mergeKey: string): Json[] {
  const inPatch = positions(patchOrder, mergeKey);
  const inOld = positions(oldOrder, mergeKey);
  const rank = (order: ReadonlyMap<Json | undefined, number>, item: Json): number => order.get(idOf(item, mergeKey)) ?? -1;
  const named = merged.filter((item) => rank(inPatch, item) >= 0).toSorted((left, right) => rank(inPatch, left) - rank(inPatch, right));
  const others = inOldOrder(
    merged.filter((item) => rank(inPatch, item) < 0),
    (item) => rank(inOld, item),
  );
  const result: Json[] = [];
  let next = 0;
  for (const item of others) {
    // A named item goes first unless both stood in the old list with the other one before it.
    while (next < named.length) {
      const mine = rank(inOld, item);
      const theirs = rank(inOld, named[next] as Json);
      if (mine >= 0 && theirs >= 0 && mine < theirs) break;
      result.push(named[next] as Json);
      next++;
    }
    result.push(item);
  }
  return [...result, ...named.slice(next)];
}

/**
 * The old order, as upstream sees it once it has merged: there the items that are left have moved up over those that went, new ones
 * have come behind them as far as the old list had room, and the rest of the old list follows.
 */
export function orderLeftBehind(old: readonly Json[], gone: readonly Json[], added: readonly Json[], mergeKey: string): Json[] {
  const places = Map.groupBy(old.keys(), (at) => idOf(old[at] as Json, mergeKey));
  const isGone = new Set<number>();
  const stale: Json[] = [];
  let last = old.length - 1;
  for (const at of gone.flatMap((id) => places.get(id) ?? [])) {
    if (isGone.has(at)) continue;
    stale.unshift(old[last] as Json);
    isGone.add(at);
    while (isGone.has(last)) last--;
  }
  const left = old.filter((_item, at) => !isGone.has(at));
  const kept = positions(left, mergeKey);
  const come = added.filter((item) => !kept.has(idOf(item, mergeKey)));
  return [...left, ...come.slice(0, stale.length), ...stale.slice(come.length)];
}

/** Upstream sorts in blocks of this length, which shows only where its comparison contradicts itself. */
const sortedAtOnce = 20;

/**
 * Items by the rank they had. One without a rank moves upstream before whatever it is compared with: they end up last, and in
 * reverse where all are new. Only an empty order makes such items: the patch then names none of those it adds.
 */
function inOldOrder(items: Json[], rankOf: (item: Json) => number): Json[] {
  const unranked = items.some((item) => rankOf(item) < 0);
  if (!unranked || items.length > sortedAtOnce) return items.toSorted((left, right) => rankOf(left) - rankOf(right));
  for (let at = 1; at < items.length; at++) {
    for (let to = at; to > 0 && goesBefore(rankOf(items[to] as Json), rankOf(items[to - 1] as Json)); to--) {
      [items[to - 1], items[to]] = [items[to] as Json, items[to - 1] as Json];
    }
  }
  return items;
}

function goesBefore(mine: number, theirs: number): boolean {
  return mine < 0 || theirs < 0 || mine < theirs;
}

function idOf(item: Json, mergeKey: string): Json | undefined {
  if (mergeKey === '') return item;
  return isObject(item) ? getOwn(item as JsonObject, mergeKey) : undefined;
}
