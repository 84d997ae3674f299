// Judges whether a recorded history could have come from one store that does one thing at a time (linearizability), and whether the watch told
// all of it, once and in order.
//
// How it works: revisions order all writes, so nothing need be searched. The watch gives that order; what is left is to compare it with time:
// an operation that began after another one ended must not be ordered, or see less, than that one. Each key is judged by itself, which is
// enough (linearizability is local); lists are judged across keys by their revision.
import type { History, Operation, WatchEvent } from './operation.ts';

/** What is wrong, a line each; empty: all is well. */
export function checkHistory({ operations, events }: History): string[] {
  const timeline = new Timeline(events);
  const placed = operations.map((operation) => ({ operation, at: timeline.place(operation) }));
  return [
    ...timeline.problems,
    ...placed.flatMap(({ operation, at }) => checkOutcome(operation, at)),
    ...checkTimes(placed.flatMap(({ operation, at }) => (at.revision === undefined ? [] : [{ operation, revision: at.revision }]))),
    ...[...byKey(operations)].flatMap(([key, ofKey]) => checkKey(timeline, key, ofKey)),
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
      if (event.type === 'DELETED') this.#deletions.set(event.uid, event);
      else this.#byValue.set(event.value, event);
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

  keys(): Iterable<string> {
    return this.#ofKey.keys();
  }

  /** Finds a write in the order. */
  place({ kind, value = '', uid = '' }: Operation): Place {
    if (kind === 'read' || kind === 'list') return { revision: undefined };
    const event = kind === 'delete' ? this.#deletions.get(uid) : this.#byValue.get(value);
    return { revision: event?.revision };
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

/** Writes in the order of their revisions must not contradict the order of time. */
function checkTimes(writes: readonly { readonly operation: Operation; readonly revision: number }[]): string[] {
  const starts = [...writes].sort((a, b) => a.operation.startMicros - b.operation.startMicros);
  const ends = [...writes]
    .filter(({ operation }) => operation.outcome === 'done')
    .sort((a, b) => a.operation.endMicros - b.operation.endMicros);
  const problems: string[] = [];
  let ended = 0;
  let latest = ends[0];
  for (const write of starts) {
    for (; (ends[ended]?.operation.endMicros ?? Infinity) < write.operation.startMicros; ended++) {
      if ((ends[ended]?.revision ?? 0) >= (latest?.revision ?? 0)) latest = ends[ended];
    }
    if (ended > 0 && latest !== undefined && write.revision < latest.revision) {
      problems.push(
        `${words(write.operation)} is ordered at ${write.revision}, before ${words(latest.operation)} at ${latest.revision}, which had ended`,
      );
    }
  }
  return problems;
}

/** A key's reads see nothing older than what was known before they began, and nothing that nobody had asked for yet. */
function checkKey(timeline: Timeline, key: string, operations: readonly Operation[]): string[] {
  const states = timeline.states(key);
  const indexOf = new Map(states.map(({ revision }, index) => [revision, index]));
  const writtenFrom = new Map(
    operations.filter(({ kind }) => kind !== 'read').map((operation) => [timeline.place(operation).revision, operation.startMicros]),
  );
  const starts = [...operations].sort((a, b) => a.startMicros - b.startMicros);
  const problems: string[] = [];
  const heard = new Heap();
  let floor = -1;
  for (const operation of starts) {
    for (let next = heard.peek(); next !== undefined && next.endMicros < operation.startMicros; next = heard.peek()) {
      floor = Math.max(floor, next.index);
      heard.pop();
    }
    const index = seenBy(operation, { timeline, states, indexOf, floor });
    if (typeof index === 'string') problems.push(index);
    else if (index !== undefined) {
      const revision = states[index]?.revision;
      if (operation.kind === 'read' && revision !== undefined && (writtenFrom.get(revision) ?? 0) > operation.endMicros) {
        problems.push(`${words(operation)} saw revision ${revision}, which was only asked for later`);
      }
      heard.push({ endMicros: operation.endMicros, index });
    }
  }
  return problems;
}

interface KeyView {
  readonly timeline: Timeline;
  readonly states: readonly WatchEvent[];
  readonly indexOf: ReadonlyMap<number, number>;
  /** The newest state that was known when the operation began; -1: that there was nothing. */
  readonly floor: number;
}

/** Which state of its key an operation made or saw: its index, -1 for nothing yet, undefined where it says nothing, or what is wrong. */
function seenBy(operation: Operation, { timeline, states, indexOf, floor }: KeyView): number | string | undefined {
  if (operation.outcome !== 'done') return undefined;
  if (operation.kind !== 'read') return indexOf.get(timeline.place(operation).revision ?? 0);
  const { found } = operation;
  if (found === undefined) {
    // The earliest time at which there was nothing, from what was known on.
    if (floor === -1) return -1;
    for (let index = floor; index < states.length; index++) if (states[index]?.type === 'DELETED') return index;
    return `${words(operation)} found nothing, and ${operation.key} was there since ${states[floor]?.revision}`;
  }
  const index = indexOf.get(found.revision);
  if (index === undefined) return `${words(operation)} saw revision ${found.revision}, of which the watch never told`;
  if (states[index]?.value !== found.value)
    return `${words(operation)} saw ${found.value} at revision ${found.revision}, the watch ${states[index]?.value}`;
  if (index < floor) return `${words(operation)} saw revision ${found.revision}, and ${states[floor]?.revision} was known before it began`;
  return index;
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
    }
  }
  return problems;
}

function byKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const found = new Map<string, Operation[]>();
  for (const operation of operations) {
    if (operation.kind === 'list') continue;
    const list = found.get(operation.key);
    if (list === undefined) found.set(operation.key, [operation]);
    else list.push(operation);
  }
  return found;
}

function words({ id, kind, key }: Operation): string {
  return `${kind} ${id}${key === '' ? '' : ` of ${key}`}`;
}

interface Known {
  readonly endMicros: number;
  readonly index: number;
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
