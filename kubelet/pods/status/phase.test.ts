import { describe, expect, test } from 'vitest';
import type { V1ContainerStatus } from '#api/generated/types.ts';
import { aContainer, aPod } from '../testing.ts';
import { type Phase, phaseOf } from './phase.ts';

/** `run`, `up` (running, and its startup probe has passed), an exit code, `wait`, or `wait/1`: waits after it has ended so. */
function stateOf(text: string): Partial<V1ContainerStatus> {
  const [word = '', last] = text.split('/');
  if (word === 'run' || word === 'up') return { state: { running: {} }, started: word === 'up' };
  if (word !== 'wait') return { state: { terminated: { exitCode: Number(word) } } };
  return { state: { waiting: {} }, ...(last === undefined ? {} : { lastState: { terminated: { exitCode: Number(last) } } }) };
}

const i = aContainer('i');
const s = aContainer('s', { restartPolicy: 'Always' });
const both = { containers: [aContainer('a'), aContainer('b')] };
const pods = {
  apps: both,
  init: { ...both, initContainers: [i] },
  sidecar: { ...both, initContainers: [s] },
  mixed: { initContainers: [i, s], containers: [aContainer('a')] },
};

type Row = readonly [kind: keyof typeof pods, states: string, phase: Phase, isTerminal?: 'terminal'];
const whatever: Row[] = [
  ['apps', '', 'Pending'],
  ['apps', 'a=run b=run', 'Running'],
  ['apps', 'a=run b=0', 'Running'],
  ['apps', 'a=run', 'Pending'],
  ['apps', 'a=run b=wait', 'Pending'],
  ['init', '', 'Pending'],
  ['init', 'i=run', 'Pending'],
  ['init', 'i=wait/0', 'Pending'],
  ['init', 'i=wait', 'Pending'],
  ['init', 'i=0 a=run b=run', 'Running'],
  ['sidecar', '', 'Pending'],
  ['sidecar', 's=run', 'Pending'],
  ['sidecar', 's=0', 'Pending'],
  ['sidecar', 's=wait/0', 'Pending'],
  ['sidecar', 's=wait/1', 'Pending'],
  ['sidecar', 's=wait', 'Pending'],
  ['sidecar', 's=up a=run', 'Pending'],
  ['sidecar', 's=up a=run b=run', 'Running'],
  ['sidecar', 's=run a=run b=run', 'Running'],
  ['sidecar', 's=0 a=run b=run', 'Running'],
  ['sidecar', 's=wait/0 a=run b=run', 'Running'],
  ['sidecar', 's=1 a=0 b=0', 'Succeeded', 'terminal'],
  ['sidecar', 's=0 a=0 b=0', 'Succeeded', 'terminal'],
  ['mixed', 'i=run s=run a=run', 'Pending'],
  ['mixed', 'i=run s=run a=0', 'Pending'],
  ['mixed', 'i=0 s=run a=0', 'Running'],
  ['mixed', 'i=0 s=run a=run', 'Running'],
];
const byPolicy: Record<string, readonly Row[]> = {
  Always: [
    ['apps', 'a=0 b=0', 'Running'],
    ['apps', 'a=0 b=0', 'Succeeded', 'terminal'],
    ['apps', 'a=0 b=1', 'Failed', 'terminal'],
    ['apps', 'a=run b=wait/0', 'Running'],
    ['init', 'i=1', 'Pending'],
    ['init', 'i=wait/1', 'Pending'],
  ],
  OnFailure: [
    ['apps', 'a=0 b=0', 'Succeeded'],
    ['apps', 'a=1 b=1', 'Running'],
    ['apps', 'a=run b=wait/1', 'Running'],
    ['init', 'i=1', 'Pending'],
    ['sidecar', 's=0 a=0 b=0', 'Succeeded'],
    ['sidecar', 's=1 a=0 b=0', 'Succeeded'],
  ],
  Never: [
    ['apps', 'a=0 b=0', 'Succeeded'],
    ['apps', 'a=1 b=1', 'Failed'],
    ['init', 'i=1', 'Failed'],
    ['init', 'i=wait/1', 'Failed'],
    ['sidecar', 's=up a=0 b=0', 'Running'],
    ['sidecar', 's=0 a=0 b=0', 'Succeeded'],
    ['sidecar', 's=1 a=0 b=0', 'Succeeded'],
    ['sidecar', 's=wait/1 a=0 b=0', 'Succeeded'],
    ['sidecar', 's=0 a=0 b=1', 'Failed'],
  ],
};

describe.each(Object.entries(byPolicy))('%s', (restartPolicy, rows) => {
  const cases = [...whatever, ...rows].map(([kind, states, phase, end]) => ({ kind, states, phase, end }));
  test.each(cases)('$kind: $states is $phase', ({ kind, states, phase, end }) => {
    const statuses = states.split(' ').flatMap((text): V1ContainerStatus[] => {
      const [name = '', state] = text.split('=');
      return state === undefined ? [] : [{ name, image: '', imageID: '', ready: false, restartCount: 0, ...stateOf(state) }];
    });
    expect(phaseOf(aPod({ ...pods[kind], restartPolicy }), statuses, end === 'terminal')).toBe(phase);
  });
});
