// Tolerations and spreading.
import type { V1Toleration, V1TopologySpreadConstraint } from '#api/generated/types.ts';
import { validateLabelSelector } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid } from '../../meta/field-problem.ts';
import { labelValueProblems } from '../../meta/names.ts';
import type { Problems } from '../../meta/problems.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateLabelKeys } from './label-keys.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** A toleration of a pod, a template or a runtime class. */
export function checkToleration(toleration: Unchecked<V1Toleration>, at: Problems): void {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  if (key !== '') at.qualifiedName('key', key);
  else if (operator !== 'Exists') {
    at.invalid('operator', operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"');
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    at.invalid('effect', effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (operator === 'Equal' || operator === '') {
    const texts = labelValueProblems(value);
    if (texts.length > 0) at.invalid('operator', value, texts.join(';'));
  } else if (operator === 'Exists') {
    if (value !== '') at.invalid('operator', value, "value must be empty when `operator` is 'Exists'");
  } else if (operator === 'Lt' || operator === 'Gt') {
    // Known, but behind a gate that is off; upstream's text says so little.
    at.notSupported('operator', operator, ['Equal', 'Exists', 'Lt', 'Gt']);
  } else {
    at.notSupported('operator', operator, ['Equal', 'Exists']);
  }
  if (effect !== '') at.oneOfIfSet('effect', effect, effects);
}

type Constraint = Unchecked<V1TopologySpreadConstraint>;

/** Constraints on spreading; two for the same topology must differ in what happens when they cannot be met. */
export function checkTopologySpread(constraint: Constraint, at: Problems, constraints: readonly Constraint[], index: number): void {
  const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains, labelSelector } = constraint;
  if (maxSkew <= 0) at.invalid('maxSkew', maxSkew, 'must be greater than zero');
  if (topologyKey === '') at.required('topologyKey', 'can not be empty');
  at.oneOfIfSet('whenUnsatisfiable', whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
  const isRepeated = constraints
    .slice(index + 1)
    .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
  if (isRepeated) at.duplicate('{topologyKey, whenUnsatisfiable}', `{${topologyKey}, ${whenUnsatisfiable}}`);
  at.addAll(validateMinDomains(minDomains, whenUnsatisfiable, at.path('minDomains')));
  at.oneOfIfSet('nodeAffinityPolicy', constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
  at.oneOfIfSet('nodeTaintsPolicy', constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
  if (constraint.matchLabelKeys !== undefined) at.addAll(validateLabelKeys(constraint, at.path()));
  at.addAll(validateLabelSelector(labelSelector, at.path('labelSelector')));
}

function validateMinDomains(minDomains: number | undefined, whenUnsatisfiable: string, field: string): FieldProblem[] {
  if (minDomains === undefined) return [];
  const problems = minDomains <= 0 ? [invalid(field, minDomains, 'must be greater than zero')] : [];
  if (whenUnsatisfiable !== 'DoNotSchedule') {
    const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
    problems.push(invalid(field, minDomains, text));
  }
  return problems;
}
