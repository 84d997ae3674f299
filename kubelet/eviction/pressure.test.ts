import { describe, expect, test } from 'vitest';
import { judgePressure, noPressure, type PressureState } from './pressure.ts';
import type { Observation, Signal } from './signals.ts';
import { parseThresholds } from './thresholds.ts';

const thresholds = parseThresholds({
  hard: { 'memory.available': '100', 'nodefs.available': '10%' },
  soft: { 'memory.available': '200', 'pid.available': '50' },
  softGracePeriods: { 'memory.available': '30s', 'pid.available': '1m' },
  minimumReclaim: { 'nodefs.available': '5%' },
  enforcesAllocatable: false,
});

interface Step {
  readonly atMs: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly pids?: number;
  readonly due: readonly string[];
  readonly conditions: readonly string[];
}

const seen = (available: number): Observation => ({ available, capacity: 1_000 });

/** Each look after the one before it. */
function play(steps: readonly Step[]): void {
  let state: PressureState = noPressure;
  for (const { atMs, memory = 900, disk = 900, pids = 900, due, conditions } of steps) {
    const observations = new Map<Signal, Observation>([
      ['memory.available', seen(memory)],
      ['nodefs.available', seen(disk)],
      ['pid.available', seen(pids)],
    ]);
    const verdict = judgePressure(state, { thresholds, observations, transitionMs: 300_000, nowMs: atMs });
    state = verdict.state;
    const text = verdict.due.map(({ signal, graceMs }) => `${signal}${graceMs > 0 ? ' softly' : ''}`);
    expect({ atMs, due: text, conditions: state.conditions }).toEqual({ atMs, due, conditions });
  }
}

describe('judgePressure', () => {
  test('what is just enough is enough', () => play([{ atMs: 0, memory: 200, disk: 100, pids: 50, due: [], conditions: [] }]));

  test('a hard threshold is due at once; its condition stays for the transition period', () =>
    play([
      { atMs: 0, memory: 99, due: ['memory.available'], conditions: ['MemoryPressure'] },
      { atMs: 10_000, due: [], conditions: ['MemoryPressure'] },
      { atMs: 299_999, due: [], conditions: ['MemoryPressure'] },
      { atMs: 300_000, due: [], conditions: [] },
    ]));

  test('a soft one when it was met for its grace period without a break; the condition is there from the start', () =>
    play([
      { atMs: 0, memory: 199, due: [], conditions: ['MemoryPressure'] },
      { atMs: 20_000, memory: 201, due: [], conditions: ['MemoryPressure'] },
      { atMs: 30_000, memory: 199, due: [], conditions: ['MemoryPressure'] },
      { atMs: 59_999, memory: 199, due: [], conditions: ['MemoryPressure'] },
      { atMs: 60_000, memory: 199, due: ['memory.available softly'], conditions: ['MemoryPressure'] },
    ]));

  test('what was met stays so until its minimum reclaim is free as well', () =>
    play([
      { atMs: 0, disk: 120, due: [], conditions: [] },
      { atMs: 10_000, disk: 99, due: ['nodefs.available'], conditions: ['DiskPressure'] },
      { atMs: 20_000, disk: 149, due: ['nodefs.available'], conditions: ['DiskPressure'] },
      { atMs: 30_000, disk: 150, due: [], conditions: ['DiskPressure'] },
      { atMs: 40_000, disk: 120, due: [], conditions: ['DiskPressure'] },
    ]));

  test('memory comes first, conditions in one order', () =>
    play([
      {
        atMs: 0,
        memory: 50,
        disk: 50,
        pids: 10,
        due: ['memory.available', 'nodefs.available'],
        conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure'],
      },
      {
        atMs: 60_000,
        memory: 50,
        disk: 50,
        pids: 10,
        due: ['memory.available', 'memory.available softly', 'nodefs.available', 'pid.available softly'],
        conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure'],
      },
    ]));

  test('what cannot be measured is no pressure', () => {
    const view = { thresholds, observations: new Map(), transitionMs: 300_000, nowMs: 0 };
    expect(judgePressure(noPressure, view)).toEqual({ state: noPressure, due: [] });
  });
});
