import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { podDisruptionBudget } from './pod-disruption-budget.ts';

/** A budget with these members of its spec. */
function aBudget(spec: string): string {
  return `metadata: {name: a, namespace: b}\nspec: {${spec}}`;
}

test.each<[string, string, string[]]>([
  ['fine', aBudget('minAvailable: 1, selector: {matchLabels: {app: web}}'), []],
  ['nothing', 'metadata: {name: a, namespace: b}', []],
  [
    'both',
    aBudget('minAvailable: 1, maxUnavailable: 20%'),
    [
      'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"20%","UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
    ],
  ],
  ['counts', aBudget('minAvailable: -1'), ['spec.minAvailable: Invalid value: -1: must be greater than or equal to 0']],
  ['shares', aBudget('maxUnavailable: 120%'), ['spec.maxUnavailable: Invalid value: "120%": must not be greater than 100%']],
  [
    'selector and policy',
    aBudget('selector: {matchExpressions: [{key: a, operator: In}]}, unhealthyPodEvictionPolicy: Never'),
    [
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(podDisruptionBudget, yaml)).toEqual(expected);
});

test('the spec may change, the status counts', () => {
  expect(updateProblems(podDisruptionBudget, aBudget('minAvailable: 1'), ({ spec }) => void (spec.minAvailable = 2))).toEqual([]);
  const conditions = [
    { type: 'DisruptionAllowed', status: 'Maybe', reason: 'Why', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ];
  const status = { disruptionsAllowed: -1, currentHealthy: 0, desiredHealthy: 1, expectedPods: -2, conditions };
  expect(updateProblems(podDisruptionBudget, aBudget(''), (object) => void (object.status = status), 'status')).toEqual([
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
    'status.expectedPods: Invalid value: -2: must be greater than or equal to 0',
  ]);
});

test('columns', () => {
  const object = decoded(podDisruptionBudget, `${aBudget('minAvailable: 50%')}\nstatus: {disruptionsAllowed: 2}`);
  expect(row(podDisruptionBudget, object)).toMatchObject({
    'Min Available': '50%',
    'Max Unavailable': 'N/A',
    'Allowed Disruptions': 2,
  });
});
