// Judges whether a recorded history could have come from one store that does one thing at a time (linearizability), and whether the watch told
// all of it, once and in order.
//
// How it works: revisions order all writes, so nothing need be searched. The watch gives that order; what is left is to compare it with time.
// Whoever was answered by a write, a read or a list knows that the store had come to some revision; whatever begins after that answer must be
// ordered behind it, or see at least as much, whichever key it is about.
import type { History, Operation, WatchEvent } from './operation.ts';

/** What is wrong, a line each; empty: all is well. */
export function checkHistory({ operations, events }: History): string[] {
  const timeline = new Timeline(events);
  return [
    ...timeline.problems,
    ...timeline.strangers(operations),
    ...operations.flatMap((operation) => checkOutcome(operation, timeline.place(operation))),
    ...checkTimes(timeline, operations),
    ...operations.flatMap((operation) => checkList(timeline, operation)),
  ];
}

interface Place {
  /** Where the write stands in the order; undefined where it had no effect. */
  readonly revision: number | undefined;
}

/** The order of all changes, as the watch told it. */
class Timeline {
  readonly problems: string[] = [];
  readonly #byValue = new Map<string, WatchEvent>();
  readonly #deletions = new Map<string, WatchEvent>();
  readonly #ofKey = new Map<string, WatchEvent[]>();

  constructor(events: readonly WatchEvent[]) {
    let last = 0;
    for (const event of events) {
      if (event.revision <= last) this.problems.push(`the watch delivered revision ${event.revision} after ${last}`);
      last = Math.max(last, event.revision);
      this.#keep(event);
      const states = this.#ofKey.get(event.key) ?? [];
      const wasThere = states.length > 0 && states.at(-1)?.type !== 'DELETED';
      if ((event.type === 'ADDED') === wasThere) {
        this.problems.push(
          `the watch delivered ${event.type} of ${event.key} at ${event.revision}, which was ${wasThere ? '' : 'not '}there`,
        );
      }
      states.push(event);
      this.#ofKey.set(event.key, states);
    }
  }

  states(key: string): readonly WatchEvent[] {
    return this.#ofKey.get(key) ?? [];
  }

  /** What was told of that nobody had asked for. */
  strangers(operations: readonly Operation[]): string[] {
    const [values, uids] = [new Set(operations.map(({ value }) => value)), new Set(operations.map(({ uid }) => uid))];
    return [
      ...[...this.#byValue.values()]
        .filter(({ value }) => !values.has(value))
        .map(({ key, value, revision }) => `the watch delivered ${value} of ${key} at ${revision}, which nobody wrote`),
      ...[...this.#deletions.values()]
        .filter(({ uid }) => !uids.has(uid))
        .map(({ key, revision }) => `the watch delivered a deletion of ${key} at ${revision}, which nobody asked for`),
    ];
  }

  keys(): Iterable<string> {
    return this.#ofKey.keys();
  }

  /** Finds a write in the order. */
  place({ kind, value = '', uid = '' }: Operation): Place {
    if (kind === 'read' || kind === 'list') return { revision: undefined };
    const event = kind === 'delete' ? this.#deletions.get(uid) : this.#byValue.get(value);
    return { revision: event?.revision };
  }

  /** Finds the newest state of a key at a revision: its index, -1 where there was none yet. */
  indexAt(key: string, revision: number): number {
    const states = this.states(key);
    let [low, high] = [0, states.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((states[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #keep(event: WatchEvent): void {
    const { type, key, revision, value, uid } = event;
    const [kept, by] = type === 'DELETED' ? [this.#deletions, uid] : [this.#byValue, value];
    const before = kept.get(by);
    if (before === undefined) kept.set(by, event);
    else this.problems.push(`the watch delivered ${type} ${by} of ${key} at ${before.revision} and again at ${revision}`);
  }
}

function checkOutcome(operation: Operation, { revision }: Place): string[] {
  const { kind, outcome } = operation;
  if (kind === 'read' || kind === 'list' || outcome === 'unknown') return [];
  if (outcome === 'refused') return revision === undefined ? [] : [`${words(operation)} was refused, and took effect at ${revision}`];
  if (revision === undefined) return [`${words(operation)} was acknowledged, and the watch never told of it`];
  if (operation.revision !== undefined && operation.revision !== revision) {
    return [`${words(operation)} was acknowledged at ${operation.revision}, and the watch says ${revision}`];
  }
  return [];
}

/** Nothing is ordered before, or sees less than, what was known when it began; and no read sees what was only asked for after its end. */
function checkTimes(timeline: Timeline, operations: readonly Operation[]): string[] {
  const askers = askersOf(timeline, operations);
  const heard = new Heap();
  const problems = [...askers].flatMap(([revision, list]) => checkAskers(revision, list));
  let known: Known = { endMicros: 0, revision: 0, by: '' };
  for (const operation of [...operations].sort((a, b) => a.startMicros - b.startMicros)) {
    for (let next = heard.peek(); next !== undefined && next.endMicros < operation.startMicros; next = heard.peek()) {
      if (next.revision > known.revision) known = next;
      heard.pop();
    }
    const told = toldBy(timeline, operation, { known, askers });
    if (typeof told === 'string') problems.push(told);
    else if (told !== undefined) {
      if (operation.kind === 'read' && (askers.get(told)?.[0]?.startMicros ?? 0) > operation.endMicros) {
        problems.push(`${words(operation)} saw revision ${told}, which was only asked for later`);
      }
      heard.push({ endMicros: operation.endMicros, revision: told, by: words(operation) });
    }
  }
  return problems;
}

/** By revision: who asked for that change, the earliest first. Only a deletion can have several. */
type Askers = ReadonlyMap<number, readonly Operation[]>;

function askersOf(timeline: Timeline, operations: readonly Operation[]): Askers {
  const found = new Map<number, Operation[]>();
  for (const operation of [...operations].sort((a, b) => a.startMicros - b.startMicros)) {
    const { revision } = timeline.place(operation);
    if (revision === undefined) continue;
    const list = found.get(revision);
    if (list === undefined) found.set(revision, [operation]);
    else list.push(operation);
  }
  return found;
}

function checkAskers(revision: number, askers: readonly Operation[]): string[] {
  const done = askers.filter(({ outcome }) => outcome === 'done');
  return done.length < 2 ? [] : [`${done.map(words).join(' and ')} were both acknowledged, and ${revision} is one change`];
}

/** The revision that the store had come to when it answered, by what it said; undefined where it said nothing of it; or what is wrong. */
function toldBy(
  timeline: Timeline,
  operation: Operation,
  { known, askers }: { readonly known: Known; readonly askers: Askers },
): number | string | undefined {
  const { kind, outcome } = operation;
  if (kind !== 'read' && kind !== 'list') {
    const { revision } = timeline.place(operation);
    // Nobody knows of one that was not answered whether it was the one of several that did it.
    const isSure = outcome === 'done' || askers.get(revision ?? 0)?.length === 1;
    if (isSure && revision !== undefined && revision < known.revision) {
      return `${words(operation)} is ordered at ${revision}, and ${known.revision} was known before it began, by ${known.by}`;
    }
    return outcome === 'done' ? revision : undefined;
  }
  if (outcome !== 'done') return undefined;
  if (kind === 'read') return seenBy(timeline, operation, known);
  const { revision = 0 } = operation;
  if (revision >= known.revision) return revision;
  return `${words(operation)} is as of ${revision}, and ${known.revision} was known before it began, by ${known.by}`;
}

/** The revision of the state that a read saw, or what is wrong with it. */
function seenBy(timeline: Timeline, operation: Operation, known: Known): number | string | undefined {
  const { key, found } = operation;
  const states = timeline.states(key);
  const floor = timeline.indexAt(key, known.revision);
  if (found === undefined) {
    // The earliest time at which there was nothing, from what was known on.
    if (floor === -1) return undefined;
    const gone = states.slice(floor).find(({ type }) => type === 'DELETED');
    return gone?.revision ?? `${words(operation)} found nothing, and ${key} was there since ${states[floor]?.revision}`;
  }
  const index = timeline.indexAt(key, found.revision);
  const state = states[index];
  if (state?.revision !== found.revision) return `${words(operation)} saw revision ${found.revision}, of which the watch never told`;
  if (state.value !== found.value) return `${words(operation)} saw ${found.value} at revision ${found.revision}, the watch ${state.value}`;
  if (index >= floor) return found.revision;
  return `${words(operation)} saw revision ${found.revision}, and ${states[floor]?.revision} was there before it began, by ${known.by}`;
}

/** A list is what there was at its revision, all of it. */
function checkList(timeline: Timeline, operation: Operation): string[] {
  const { kind, outcome, all = {}, revision = 0 } = operation;
  if (kind !== 'list' || outcome !== 'done') return [];
  const problems: string[] = [];
  for (const key of new Set([...timeline.keys(), ...Object.keys(all)])) {
    const last = timeline.states(key).findLast((state) => state.revision <= revision);
    const expected = last === undefined || last.type === 'DELETED' ? undefined : last.revision;
    if (all[key]?.revision !== expected) {
      problems.push(
        `${words(operation)} at ${revision} has ${key} at ${all[key]?.revision ?? 'nothing'}, and it was ${expected ?? 'not there'}`,
      );
    } else if (last !== undefined && all[key] !== undefined && all[key].value !== last.value) {
      problems.push(`${words(operation)} at ${revision} has ${all[key].value} of ${key}, the watch ${last.value}`);
    }
  }
  return problems;
}

function words({ id, kind, key }: Operation): string {
  return `${kind} ${id}${key === '' ? '' : ` of ${key}`}`;
}

/** What whoever was answered until `endMicros` can know: the store has come to `revision`. */
interface Known {
  readonly endMicros: number;
  readonly revision: number;
  /** Who was answered so. */
  readonly by: string;
}

/** What was heard, earliest end first. */
class Heap {
  readonly #items: Known[] = [];

  peek(): Known | undefined {
    return this.#items[0];
  }

  push(item: Known): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    for (let up = (at - 1) >> 1; at > 0 && (items[up]?.endMicros ?? 0) > item.endMicros; at = up, up = (at - 1) >> 1) {
      items[at] = items[up] as Known;
      items[up] = item;
    }
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if ((items[child + 1]?.endMicros ?? Infinity) < (items[child]?.endMicros ?? 0)) child++;
      if ((items[child]?.endMicros ?? 0) >= last.endMicros) break;
      items[at] = items[child] as Known;
      at = child;
    }
    items[at] = last;
  }
}
