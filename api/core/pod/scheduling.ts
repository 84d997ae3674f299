// Tolerations and spreading.
import type { V1LabelSelector, V1Toleration, V1TopologySpreadConstraint } from '#api/generated/types.ts';
import { oneOfIfSet, qualifiedName, validateLabelSelector } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { labelValueProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Tolerations of a pod or template. */
export function validateTolerations(tolerations: readonly Unchecked<V1Toleration>[], path: string): FieldProblem[] {
  return tolerations.flatMap((toleration, at) => validateToleration(toleration, `${path}[${at}]`));
}

function validateToleration(toleration: Unchecked<V1Toleration>, path: string): FieldProblem[] {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  const problems = key === '' ? [] : qualifiedName(`${path}.key`, key);
  if (key === '' && operator !== 'Exists') {
    const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    problems.push(invalid(`${path}.operator`, operator, text));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    problems.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === 'Equal' || operator === '') {
    const texts = labelValueProblems(value);
    if (texts.length > 0) problems.push(invalid(`${path}.operator`, value, texts.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') problems.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else {
    problems.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  return effect === '' ? problems : [...problems, ...oneOfIfSet(`${path}.effect`, effect, effects)];
}

/** Constraints on spreading; two for the same topology must differ in what happens when they cannot be met. */
export function validateTopologySpread(constraints: readonly Unchecked<V1TopologySpreadConstraint>[], path: string): FieldProblem[] {
  return constraints.flatMap((constraint, at) => {
    const own = `${path}[${at}]`;
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint;
    const problems = maxSkew <= 0 ? [invalid(`${own}.maxSkew`, maxSkew, 'must be greater than zero')] : [];
    if (topologyKey === '') problems.push(required(`${own}.topologyKey`, 'can not be empty'));
    else problems.push(...qualifiedName(`${own}.topologyKey`, topologyKey));
    problems.push(...oneOfIfSet(`${own}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']));
    const isRepeated = constraints
      .slice(at + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    const both = '{topologyKey, whenUnsatisfiable}';
    if (isRepeated) problems.push(duplicate(`${own}.${both}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    problems.push(...validateMinDomains(minDomains, whenUnsatisfiable, `${own}.minDomains`));
    problems.push(...oneOfIfSet(`${own}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ['Honor', 'Ignore']));
    problems.push(...oneOfIfSet(`${own}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ['Honor', 'Ignore']));
    problems.push(...validateLabelKeys(constraint.matchLabelKeys ?? [], constraint.labelSelector, `${own}.matchLabelKeys`));
    return [...problems, ...validateLabelSelector(constraint.labelSelector, `${own}.labelSelector`)];
  });
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

function validateLabelKeys(keys: readonly string[], selector: Unchecked<V1LabelSelector> | undefined, path: string): FieldProblem[] {
  if (keys.length === 0) return [];
  const problems: FieldProblem[] = [];
  if (selector === undefined) problems.push(forbiddenField(path, 'must not be specified when labelSelector is not set'));
  keys.forEach((key, at) => problems.push(...qualifiedName(`${path}[${at}]`, key)));
  return problems;
}
