import { expect, test } from 'vitest';
import { aPod, nowMs } from '../builders.ts';
import { burst, planReplicas } from './plan.ts';

const pods = (count: number) => Array.from({ length: count }, (_, at) => aPod({ name: `p${at}`, readySeconds: 2 ** Math.min(at, 20) }));

test.each<[wanted: number, there: number, expected: object]>([
  [3, 3, { kind: 'keep' }],
  [0, 0, { kind: 'keep' }],
  [3, 1, { kind: 'create', count: 2 }],
  [2_000, 0, { kind: 'create', count: burst }],
  [2, 3, { kind: 'delete', pods: [expect.objectContaining({ metadata: expect.objectContaining({ name: 'p0' }) })] }],
])('%i wanted of %i', (wanted, there, expected) => {
  const active = pods(there);
  expect(planReplicas({ wanted, active, related: () => active, nowMs })).toEqual(expected);
});

test('where all go, nobody asks who goes first', () => {
  const active = pods(2);
  const related = (): never => expect.unreachable('asked for related pods');
  expect(planReplicas({ wanted: 0, active, related, nowMs })).toEqual({ kind: 'delete', pods: active });
});

test('no more than a burst goes at once', () => {
  const active = pods(burst + 20);
  const plan = planReplicas({ wanted: 10, active, related: () => active, nowMs });
  expect(plan.kind === 'delete' && plan.pods.length).toBe(burst);
});
