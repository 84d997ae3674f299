import type { V1PriorityClass } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { oneOf } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';

export interface PriorityClass extends V1PriorityClass {
  metadata: ObjectMeta;
  value: number;
}

const systemPrefix = 'system-';
const highestOfUsers = 1_000_000_000;
/** What pods may do to others of lower priority, unless something else is said. */
export const defaultPreemption = 'PreemptLowerPriority';

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  scope: 'cluster',
  names: { plural: 'priorityclasses', short: ['pc'] },
  schema: 'io.k8s.api.scheduling.v1.PriorityClass',
  // Starts at 1 and stays: what could change the meaning of a class cannot be changed.
  hasGeneration: true,
  bumpsGeneration: () => false,
  defaults: [
    (object) => {
      object.value ??= 0;
      object.preemptionPolicy ??= defaultPreemption;
    },
  ],
  // Whatever a rule could be about cannot be changed, so updates are not judged by it.
  validate: (object, { verb }) => (verb === 'create' ? validatePriorityClass(object) : []),
  validateUpdate: (next, prev) => [
    ...(next.value === prev.value ? [] : [forbiddenField('value', 'may not be changed in an update.')]),
    ...validateImmutable(next.preemptionPolicy, prev.preemptionPolicy, 'preemptionPolicy'),
  ],
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', value: ({ value }) => value },
    { name: 'Global-Default', type: 'boolean', value: ({ globalDefault = false }) => globalDefault },
    ageColumn,
    { name: 'PreemptionPolicy', value: ({ preemptionPolicy = defaultPreemption }) => preemptionPolicy },
  ],
});

/** The classes that every cluster has; the API server makes them. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
    preemptionPolicy: defaultPreemption,
  },
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    preemptionPolicy: defaultPreemption,
  },
];

function validatePriorityClass(object: PriorityClass): FieldProblem[] {
  const { metadata, value, preemptionPolicy } = object;
  const problems: FieldProblem[] = [];
  if (metadata.name?.startsWith(systemPrefix) === true) {
    const why = systemClassProblem(object);
    const text = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${why}`;
    if (why !== '') problems.push(forbiddenField('metadata.name', text));
  } else if (value > highestOfUsers) {
    problems.push(forbiddenField('value', `maximum allowed value of a user defined priority is ${highestOfUsers}`));
  }
  if (preemptionPolicy !== undefined) problems.push(...oneOf('preemptionPolicy', preemptionPolicy, [defaultPreemption, 'Never']));
  return problems;
}

/** How a class under a name of the system's differs from it; '' where it does not. */
function systemClassProblem({ metadata: { name = '' }, value, globalDefault = false }: PriorityClass): string {
  const known = systemPriorityClasses.find(({ metadata }) => metadata.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known.value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : '';
}
