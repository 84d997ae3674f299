import type { V1PodDisruptionBudget, V1PodDisruptionBudgetSpec, V1PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { validateConditions } from '../meta/conditions.ts';
import { countOrPercent, notMoreThanAll, notNegative, oneOfIfSet, validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import { goForm } from '../meta/go-form.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface PodDisruptionBudget extends V1PodDisruptionBudget {
  metadata: ObjectMeta;
  spec: V1PodDisruptionBudgetSpec;
}

export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  scope: 'namespaced',
  names: { plural: 'poddisruptionbudgets', short: ['pdb'] },
  schema: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [
    (object) => {
      object.spec ??= {};
      object.status ??= untold();
    },
  ],
  prepareCreate: (created) => {
    created.status = untold();
  },
  validate: validateBudget,
  columns: [
    nameColumn,
    {
      name: 'Min Available',
      description: 'The minimum number of pods that must be available.',
      value: ({ spec }) => String(spec.minAvailable ?? 'N/A'),
    },
    {
      name: 'Max Unavailable',
      description: 'The maximum number of pods that may be unavailable.',
      value: ({ spec }) => String(spec.maxUnavailable ?? 'N/A'),
    },
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      description: 'Calculated number of pods that may be disrupted at this time.',
      value: ({ status }) => status?.disruptionsAllowed ?? 0,
    },
    ageColumn,
  ],
  subresources: { status: true },
});

/** Before the controller has counted. */
function untold(): V1PodDisruptionBudgetStatus {
  return { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
}

function validateBudget({ spec, status = untold() }: PodDisruptionBudget, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') {
    const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = status;
    const counts = Object.entries({ disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods });
    return [
      ...validateConditions(status.conditions, 'status.conditions'),
      ...counts.flatMap(([name, count]) => notNegative(`status.${name}`, count)),
    ];
  }
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  const problems: FieldProblem[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = goForm(spec, ['MinAvailable', 'Selector', 'MaxUnavailable', 'UnhealthyPodEvictionPolicy']);
    problems.push(invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    problems.push(...countOrPercent(`spec.${name}`, value), ...notMoreThanAll(`spec.${name}`, value));
  }
  return [
    ...problems,
    ...validateLabelSelector(selector, 'spec.selector'),
    ...oneOfIfSet('spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']),
  ];
}
