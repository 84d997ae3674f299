import { expect, test } from 'vitest';
import type { V1PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import { pod } from '../core/pod/pod.ts';
import { ApiError } from '../meta/status.ts';
import { decoded } from '../testing.ts';
import { budgetsOf, countEviction, freedomOf, goesUncounted } from './eviction.ts';
import { type PodDisruptionBudget, podDisruptionBudget } from './pod-disruption-budget.ts';

const aPod = (status: string, meta = '') =>
  decoded(
    pod,
    `metadata: {name: p, namespace: a, labels: {app: web}${meta}}\nspec: {containers: [{name: c, image: i}]}\nstatus: {${status}}`,
  );
const aBudget = (spec: string): PodDisruptionBudget =>
  decoded(podDisruptionBudget, `metadata: {name: b, namespace: a, generation: 2}\nspec: {${spec}}`);

test.each([
  ['phase: Running', '', 'budgeted'],
  ['phase: Pending', '', 'pending'],
  ['phase: Failed', '', 'gone'],
  ['phase: Succeeded', '', 'gone'],
  ['phase: Running', ', deletionTimestamp: "2026-01-01T00:00:00Z"', 'gone'],
])('%s%s is %s', (status, meta, expected) => {
  expect(freedomOf(aPod(status, meta))).toBe(expected);
});

test.each([
  ['selector: {matchLabels: {app: web}}', 1],
  ['selector: {}', 1],
  ['selector: {matchLabels: {app: db}}', 0],
  ['minAvailable: 1', 0],
  ['selector: {matchExpressions: [{key: app, operator: Near}]}', 0],
])('a budget with %s counts for %d pods', (spec, expected) => {
  expect(budgetsOf(aPod('phase: Running'), [aBudget(spec)])).toHaveLength(expected);
});

const ready = 'phase: Running, conditions: [{type: Ready, status: "True"}]';

test.each<[string, string, string, [number, number], boolean]>([
  ['ready', ready, '', [3, 2], false],
  ['not ready, healthy enough', 'phase: Running', '', [2, 2], true],
  ['not ready, not healthy enough', 'phase: Running', '', [1, 2], false],
  ['not ready, nobody counted', 'phase: Running', '', [0, 0], false],
  ['not ready, always allowed', 'phase: Running', 'unhealthyPodEvictionPolicy: AlwaysAllow', [0, 2], true],
  ['ready, always allowed', ready, 'unhealthyPodEvictionPolicy: AlwaysAllow', [0, 2], false],
])('uncounted: %s', (_name, status, spec, [currentHealthy, desiredHealthy], expected) => {
  const budget = { ...aBudget(spec), status: { currentHealthy, desiredHealthy, disruptionsAllowed: 0, expectedPods: 3 } };
  expect(goesUncounted(aPod(status), budget)).toBe(expected);
});

const time = '2026-01-01T00:00:00Z';
const counted: V1PodDisruptionBudgetStatus = {
  observedGeneration: 2,
  currentHealthy: 3,
  desiredHealthy: 2,
  disruptionsAllowed: 2,
  expectedPods: 3,
};

test('an eviction is taken from the budget', () => {
  const budget = { ...aBudget(''), status: counted };
  expect(countEviction(budget, 'p', time)).toEqual({ ...counted, disruptionsAllowed: 1, disruptedPods: { p: time } });
  const last = countEviction({ ...budget, status: { ...counted, disruptionsAllowed: 1 } }, 'p', time);
  expect(last).toMatchObject({
    disruptionsAllowed: 0,
    conditions: [
      { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', lastTransitionTime: time, observedGeneration: 2 },
    ],
  });
});

const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
const unseen = 'The disruption budget b is still being processed by the server.';
const currently = 'The disruption budget b does not allow evicting pods currently:';
const failedSync = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no such kind', lastTransitionTime: time };

test.each<[string, Partial<V1PodDisruptionBudgetStatus>, number, string, string]>([
  ['used up', { disruptionsAllowed: 0 }, 429, refusal, 'The disruption budget b needs 2 healthy pods and has 3 currently'],
  [
    'not synced',
    { disruptionsAllowed: 0, conditions: [failedSync] },
    429,
    refusal,
    'The disruption budget b does not allow evicting pods currently because it failed sync: no such kind',
  ],
  ['not seen', { observedGeneration: 1 }, 429, refusal, unseen],
  [
    'negative',
    { disruptionsAllowed: -1 },
    403,
    'poddisruptionbudget.policy "b" is forbidden: pdb disruptions allowed is negative',
    `${currently} pdb disruptions allowed is negative`,
  ],
  [
    'too many at a time',
    { disruptedPods: Object.fromEntries(Array.from({ length: 2_001 }, (_, at) => [`p${at}`, time])) },
    403,
    'poddisruptionbudget.policy "b" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    `${currently} too many pending evictions not confirmed by PDB controller`,
  ],
])('no eviction: %s', (_name, status, code, message, cause) => {
  let refused: unknown;
  try {
    countEviction({ ...aBudget(''), status: { ...counted, ...status } }, 'p', time);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(ApiError);
  const causes = [{ reason: 'DisruptionBudget', message: cause }];
  expect((refused as ApiError).toStatus()).toMatchObject({ code, message, details: { causes } });
  expect((refused as ApiError).retryAfterSeconds).toBe(cause === unseen ? 10 : undefined);
});
