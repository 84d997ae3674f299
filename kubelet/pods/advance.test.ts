import { describe, expect, test } from 'vitest';
import { advance, type PodState, type View } from './advance.ts';
import { aContainer, aPod, aSandbox, observed, seen } from './testing.ts';

const nowMs = 50_000;
const runs: PodState = { at: 'running', histories: new Map() };
const end = { want: 'end', graceMs: 30_000, forget: true } as const;

function view(rest: Partial<View> = {}): View {
  return {
    pod: aPod(),
    observed: observed([seen('c', 'running')]),
    desired: { want: 'run' },
    isComplete: false,
    isReleased: false,
    isPrepared: true,
    unhealthy: new Map(),
    started: new Set(['c-0']),
    unstartable: new Set(),
    histories: new Map(),
    notBefore: new Map(),
    nowMs,
    ...rest,
  };
}
const still = observed([seen('c', 0)], [aSandbox(0, { state: 'notReady' })]);
const halfDone = observed([seen('i', 0)], [aSandbox(0, { state: 'notReady' })]);

describe('states only move forward', () => {
  test.each<[name: string, state: PodState, view: Partial<View>, expected: PodState['at']]>([
    ['begins', { at: 'waiting' }, { observed: undefined }, 'running'],
    ['goes on', runs, {}, 'running'],
    ['told to end', runs, { desired: end }, 'terminating'],
    ['told to end before it began', { at: 'waiting' }, { desired: end, observed: undefined }, 'terminated'],
    ['told to run again: too late', { at: 'terminating', deadlineMs: 1 }, {}, 'terminating'],
    ['all ended', { at: 'terminating', deadlineMs: 1 }, { observed: still, desired: end }, 'terminated'],
    ['complete, something runs', runs, { isComplete: true }, 'terminating'],
    ['complete, nothing runs', runs, { isComplete: true, observed: still }, 'terminated'],
    ['lost its sandbox, may begin again', runs, { observed: still }, 'running'],
    ['lost its sandbox, may not begin again', runs, { pod: aPod({ restartPolicy: 'Never' }), observed: halfDone }, 'terminated'],
    ['complete when first seen', { at: 'waiting' }, { isComplete: true, observed: still }, 'terminated'],
    ['stays for its logs', { at: 'terminated' }, { observed: still, isReleased: true }, 'terminated'],
    ['is not forgotten before it is cleared', { at: 'terminated' }, { observed: still, isReleased: true, desired: end }, 'terminated'],
    ['is not forgotten before it is released', { at: 'terminated' }, { observed: undefined, desired: end }, 'terminated'],
    ['is gone', { at: 'terminated' }, { observed: undefined, isReleased: true, desired: end }, 'gone'],
    ['stays gone', { at: 'gone' }, {}, 'gone'],
  ])('%s', (_, state, rest, expected) => expect(advance(state, view(rest)).state.at).toBe(expected));
});

describe('the deadline', () => {
  const deadline = (state: PodState, rest: Partial<View>): number | undefined => {
    const next = advance(state, view(rest)).state;
    return next.at === 'terminating' ? next.deadlineMs : undefined;
  };
  test('is set by the first desired', () => expect(deadline(runs, { desired: end })).toBe(80_000));
  test('only comes nearer', () => {
    const state: PodState = { at: 'terminating', deadlineMs: 60_000 };
    expect(deadline(state, { desired: end })).toBe(60_000);
    expect(deadline(state, { desired: { ...end, graceMs: 1_000 } })).toBe(51_000);
    expect(deadline(state, { desired: { want: 'run' } })).toBe(60_000);
  });
});

describe('ending', () => {
  const stops = (rest: Partial<View>): string[] =>
    advance({ at: 'terminating', deadlineMs: 60_000 }, view({ desired: end, ...rest })).steps.map((step) =>
      step.do === 'stopContainer' ? `${step.name} ${step.why.graceMs}` : `${step.do} ${'id' in step ? step.id : ''}`.trim(),
    );
  const sidecars = aPod({
    initContainers: [aContainer('s', { restartPolicy: 'Always' }), aContainer('t', { restartPolicy: 'Always' })],
    containers: [aContainer('c'), aContainer('d')],
  });
  test('containers first, all together', () => {
    const all = observed([seen('c', 'running'), seen('d', 'running'), seen('s', 'running')]);
    expect(stops({ pod: sidecars, observed: all })).toEqual(['c 10000', 'd 10000']);
  });
  test('then sidecars, the last first', () => {
    expect(stops({ pod: sidecars, observed: observed([seen('t', 'running'), seen('s', 'running')]) })).toEqual(['t 10000']);
    expect(stops({ pod: sidecars, observed: observed([seen('t', 0), seen('s', 'running')]) })).toEqual(['s 10000']);
  });
  test('then the sandbox', () => expect(stops({ observed: observed([seen('c', 0)]) })).toEqual(['stopSandbox s0']));
  test('past the deadline there is no grace', () => expect(stops({ nowMs: 70_000 })).toEqual(['c 0']));
});

describe('clearing away', () => {
  const steps = (rest: Partial<View>): string[] =>
    advance({ at: 'terminated' }, view({ observed: still, ...rest })).steps.map((step) => step.do);
  test('a complete pod keeps its containers', () => expect(steps({ isComplete: true })).toEqual(['release']));
  test('nothing to do after that', () => expect(steps({ isReleased: true })).toEqual([]));
  test('for want of disk it does not', () => expect(steps({ isReleased: true, dropsEnded: true })).toEqual(['removeSandbox']));
  test('a deleted one loses everything', () => expect(steps({ desired: end })).toEqual(['release', 'removeSandbox']));
});

describe('old containers and sandboxes are removed while the pod runs', () => {
  const many = observed(
    [seen('c', 'running', { attempt: 3, sandboxId: 's1' }), ...[2, 1, 0].map((attempt) => seen('c', 1, { attempt }))],
    [aSandbox(1), aSandbox(0, { state: 'notReady' })],
  );
  test.each<[string, View['keeps'], removed: string[]]>([
    ['all but the last', undefined, ['c-1', 'c-0']],
    ['all but two', { perContainer: 2, minAgeMs: 0 }, ['c-0']],
    ['all', { perContainer: 0, minAgeMs: 0 }, ['c-2', 'c-1', 'c-0', 's0']],
    // They ended 48 seconds ago.
    ['none is old enough', { perContainer: 0, minAgeMs: 48_001 }, []],
    ['just old enough', { perContainer: 1, minAgeMs: 48_000 }, ['c-1', 'c-0']],
  ])('%s', (_, keeps, removed) => {
    const { steps } = advance(runs, view({ observed: many, started: new Set(['c-3']), ...(keeps === undefined ? {} : { keeps }) }));
    expect(steps.map((step) => ('id' in step ? step.id : step.do))).toEqual(removed);
  });
});
