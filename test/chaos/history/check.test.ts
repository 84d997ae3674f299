import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from './check.ts';
import type { History, Operation, WatchEvent } from './operation.ts';

const write = (
  id: number,
  kind: 'create' | 'update',
  revision: number,
  [startMicros, endMicros]: [number, number],
  key = 'a',
): Operation => ({
  id,
  kind,
  key,
  value: `v${revision}`,
  startMicros,
  endMicros,
  outcome: 'done',
  revision,
});
const read = (id: number, revision: number | undefined, [startMicros, endMicros]: [number, number], key = 'a'): Operation => ({
  id,
  kind: 'read',
  key,
  startMicros,
  endMicros,
  outcome: 'done',
  ...(revision === undefined ? {} : { found: { revision, value: `v${revision}` } }),
});
const event = (type: WatchEvent['type'], revision: number, key = 'a'): WatchEvent => ({
  type,
  key,
  revision,
  value: `v${revision}`,
  uid: key,
});
const remove = (id: number, uid: string, [startMicros, endMicros]: [number, number]): Operation => ({
  id,
  kind: 'delete',
  key: uid,
  uid,
  startMicros,
  endMicros,
  outcome: 'done',
});

const list = (
  id: number,
  revision: number,
  all: Readonly<Record<string, number>>,
  [startMicros, endMicros]: [number, number],
): Operation => ({
  id,
  kind: 'list',
  key: '',
  startMicros,
  endMicros,
  outcome: 'done',
  revision,
  all: Object.fromEntries(Object.entries(all).map(([key, at]) => [key, { revision: at, value: `v${at}` }])),
});

/** A key made at 1 and changed at 2. */
const two: readonly WatchEvent[] = [event('ADDED', 1), event('MODIFIED', 2)];
/** Who did that, and heard no answer. */
const unheard: readonly Operation[] = [write(101, 'create', 1, [0, 0]), write(102, 'update', 2, [0, 0])].map((operation) => ({
  ...operation,
  outcome: 'unknown',
}));

describe('what may be', () => {
  test.each<[string, History]>([
    ['nothing', { operations: [], events: [] }],
    ['writes one after the other', { operations: [write(1, 'create', 1, [0, 10]), write(2, 'update', 2, [20, 30])], events: two }],
    ['writes at once, in either order', { operations: [write(1, 'create', 1, [5, 30]), write(2, 'update', 2, [0, 40])], events: two }],
    [
      'a read during a write that sees the old, and one that sees the new',
      {
        operations: [write(1, 'create', 1, [0, 10]), write(2, 'update', 2, [20, 50]), read(3, 1, [25, 30]), read(4, 2, [31, 40])],
        events: two,
      },
    ],
    [
      'a write that nobody acknowledged, and that took effect',
      { operations: [write(1, 'create', 1, [0, 10]), { ...write(2, 'update', 2, [20, 30]), outcome: 'unknown' }], events: two },
    ],
    ['and one that did not', { operations: [{ ...write(2, 'create', 2, [20, 30]), outcome: 'unknown' }], events: [] }],
    [
      'nothing found before it was made, and after it went',
      {
        operations: [
          read(1, undefined, [0, 1]),
          write(2, 'create', 1, [2, 3]),
          remove(3, 'a', [4, 8]),
          read(4, 1, [5, 6]),
          read(5, undefined, [7, 9]),
        ],
        events: [event('ADDED', 1), event('DELETED', 2)],
      },
    ],
    ['a list of what there was', { operations: [...unheard, list(9, 1, { a: 1 }, [0, 9])], events: two }],
  ])('%s', (_, history) => {
    expect(checkHistory(history)).toEqual([]);
  });
});

describe('what may not be', () => {
  test.each<[string, History, string]>([
    [
      'an acknowledged write that is lost',
      { operations: [write(7, 'create', 1, [0, 1])], events: [] },
      'create 7 of a was acknowledged, and the watch never told of it',
    ],
    [
      'a refused one that took effect',
      { operations: [{ ...write(7, 'create', 1, [0, 1]), outcome: 'refused' }], events: [event('ADDED', 1)] },
      'create 7 of a was refused, and took effect at 1',
    ],
    [
      'two events of one revision',
      { operations: unheard, events: [event('ADDED', 1), { ...event('MODIFIED', 1), value: 'v2' }] },
      'the watch delivered revision 1 after 1',
    ],
    [
      'a write that took effect twice',
      { operations: unheard, events: [...two, { ...event('MODIFIED', 3), value: 'v2' }] },
      'the watch delivered MODIFIED v2 of a at 2 and again at 3',
    ],
    [
      'an event that was left out',
      { operations: unheard, events: [event('ADDED', 1), event('ADDED', 2)] },
      'the watch delivered ADDED of a at 2, which was there',
    ],
    [
      'a change that nobody made',
      { operations: unheard, events: [...two, event('MODIFIED', 3)] },
      'the watch delivered v3 of a at 3, which nobody wrote',
    ],
    [
      'a deletion that nobody made',
      { operations: unheard, events: [...two, event('DELETED', 3)] },
      'the watch delivered a deletion of a at 3, which nobody asked for',
    ],
    [
      'a later write ordered before an earlier one',
      {
        operations: [write(1, 'create', 2, [0, 10], 'b'), write(2, 'create', 1, [20, 30])],
        events: [event('ADDED', 1), event('ADDED', 2, 'b')],
      },
      'create 2 of a is ordered at 1, and 2 was known before it began, by create 1 of b',
    ],
    [
      'a read that sees less than was written before',
      { operations: [write(1, 'create', 1, [0, 10]), write(2, 'update', 2, [20, 30]), read(3, 1, [31, 40])], events: two },
      'read 3 of a saw revision 1, and 2 was there before it began, by update 2 of a',
    ],
    [
      'a read that sees less than another one before',
      {
        operations: [write(1, 'create', 1, [0, 10]), write(2, 'update', 2, [20, 90]), read(3, 2, [30, 40]), read(4, 1, [41, 50])],
        events: two,
      },
      'read 4 of a saw revision 1, and 2 was there before it began, by read 3 of a',
    ],
    [
      'a read of what nobody had asked for yet',
      { operations: [write(1, 'create', 1, [0, 10]), read(3, 2, [11, 15]), write(2, 'update', 2, [20, 30])], events: two },
      'read 3 of a saw revision 2, which was only asked for later',
    ],
    [
      'nothing found where there was something all the time',
      { operations: [write(1, 'create', 1, [0, 10]), read(3, undefined, [11, 15])], events: [event('ADDED', 1)] },
      'read 3 of a found nothing, and a was there since 1',
    ],
    [
      'a read that sees less of its key than there was when another key was read',
      {
        operations: [...unheard, write(3, 'create', 3, [0, 90], 'b'), read(4, 3, [10, 20], 'b'), read(5, 1, [30, 40])],
        events: [...two, event('ADDED', 3, 'b')],
      },
      'read 5 of a saw revision 1, and 2 was there before it began, by read 4 of b',
    ],
    [
      'a deletion that was acknowledged twice',
      { operations: [...unheard, remove(3, 'a', [10, 20]), remove(4, 'a', [10, 20])], events: [...two, event('DELETED', 3)] },
      'delete 3 of a and delete 4 of a were both acknowledged, and 3 is one change',
    ],
    [
      'a list that lacks something',
      { operations: [...unheard, list(9, 2, {}, [0, 9])], events: two },
      'list 9 at 2 has a at nothing, and it was 2',
    ],
    [
      'a list of what nobody wrote there',
      {
        operations: [...unheard, { ...list(9, 2, {}, [0, 9]), all: { a: { revision: 2, value: 'v1' } } }],
        events: two,
      },
      'list 9 at 2 has v1 of a, the watch v2',
    ],
    [
      'a list of the past',
      { operations: [write(1, 'create', 1, [0, 1]), write(2, 'update', 2, [2, 3]), list(9, 1, { a: 1 }, [4, 9])], events: two },
      'list 9 is as of 1, and 2 was known before it began, by update 2 of a',
    ],
    [
      'a read of the past of a list',
      { operations: [...unheard, list(9, 2, { a: 2 }, [4, 9]), read(10, 1, [10, 11])], events: two },
      'read 10 of a saw revision 1, and 2 was there before it began, by list 9',
    ],
  ])('%s', (_, history, problem) => {
    expect(checkHistory(history)).toEqual([problem]);
  });
});

/** Runs random operations against one store that does one thing at a time, each at a moment between its start and its end. */
test('every history of a store that does one thing at a time may be', () => {
  const step = fc.record({
    kind: fc.constantFrom('create' as const, 'update' as const, 'delete' as const, 'read' as const, 'list' as const),
    key: fc.constantFrom('a', 'b'),
    before: fc.integer({ min: 0, max: 30 }),
    after: fc.integer({ min: 0, max: 30 }),
    isHeard: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      expect(checkHistory(simulate(steps))).toEqual([]);
    }),
    { seed: Number(process.env['SEED'] ?? 1), numRuns: 1_000 },
  );
});

interface Step {
  readonly kind: 'create' | 'update' | 'delete' | 'read' | 'list';
  readonly key: string;
  readonly before: number;
  readonly after: number;
  readonly isHeard: boolean;
}

function simulate(steps: readonly Step[]): History {
  const there = new Map<string, { revision: number; value: string; uid: string }>();
  const [operations, events]: [Operation[], WatchEvent[]] = [[], []];
  let revision = 0;
  for (const [id, { kind, key, before, after, isHeard }] of steps.entries()) {
    const now = 100 + id * 10;
    const times = { startMicros: now - before, endMicros: now + after };
    const found = there.get(key);
    const base = { id, kind, key, ...times, outcome: isHeard ? ('done' as const) : ('unknown' as const) };
    if (kind === 'list') operations.push({ ...base, key: '', revision, all: Object.fromEntries(there) });
    else if (kind === 'read') operations.push({ ...base, ...(found === undefined ? {} : { found }) });
    else if ((kind === 'create') === (found !== undefined)) operations.push({ ...base, value: `r${id}`, outcome: 'refused' });
    else {
      revision++;
      const value = kind === 'delete' ? (found?.value ?? '') : `w${id}`;
      const uid = found?.uid ?? `u${id}`;
      events.push({ type: kind === 'create' ? 'ADDED' : kind === 'update' ? 'MODIFIED' : 'DELETED', key, revision, value, uid });
      if (kind === 'delete') there.delete(key);
      else there.set(key, { revision, value, uid });
      operations.push(kind === 'delete' ? { ...base, uid } : { ...base, value, ...(isHeard ? { revision } : {}) });
    }
  }
  return { operations, events };
}
