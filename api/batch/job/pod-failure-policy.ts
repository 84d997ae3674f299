// What happens when a pod of a Job fails: rules by exit codes and by conditions of the pod.
import type {
  V1JobSpec,
  V1PodFailurePolicy,
  V1PodFailurePolicyOnExitCodesRequirement,
  V1PodFailurePolicyOnPodConditionsPattern,
  V1PodFailurePolicyRule,
} from '#api/generated/types.ts';
import { qualifiedName } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, invalidWhole, notSupported, required, tooMany } from '../../meta/field-problem.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

type Spec = Unchecked<V1JobSpec>;

const maxRules = 20;
const maxExitCodes = 255;
const maxPatterns = 20;

export function validatePodFailurePolicy(spec: Spec, { rules = [] }: Unchecked<V1PodFailurePolicy>, path: string): FieldProblem[] {
  const problems = rules.length > maxRules ? [tooMany(`${path}.rules`, rules.length, maxRules)] : [];
  return [...problems, ...rules.flatMap((rule, at) => validateRule(spec, rule, `${path}.rules[${at}]`))];
}

function validateRule(spec: Spec, rule: Unchecked<V1PodFailurePolicyRule>, path: string): FieldProblem[] {
  const { action = '', onExitCodes, onPodConditions = [] } = rule;
  const field = `${path}.action`;
  const problems: FieldProblem[] = [];
  if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined) problems.push(invalid(field, action, 'requires the backoffLimitPerIndex to be set'));
  } else {
    problems.push(...oneOfListed(field, action, ['Count', 'FailIndex', 'FailJob', 'Ignore']));
  }
  if (onExitCodes !== undefined) {
    const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
    const names = [...containers, ...initContainers].map(({ name }) => name);
    problems.push(...validateExitCodes(onExitCodes, names, `${path}.onExitCodes`));
  }
  if (onPodConditions.length > 0) problems.push(...validatePatterns(onPodConditions, `${path}.onPodConditions`));
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    problems.push(invalidWhole(path, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    problems.push(invalidWhole(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return problems;
}

/** As `oneOf`, but the error for a missing value lists the supported ones. */
function oneOfListed(field: string, value: string, supported: readonly string[]): FieldProblem[] {
  const list = supported.map((one) => JSON.stringify(one)).join(' ');
  if (value === '') return [required(field, `valid values: [${list}]`)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

function validateExitCodes(
  rule: Unchecked<V1PodFailurePolicyOnExitCodesRequirement>,
  containerNames: readonly (string | undefined)[],
  path: string,
): FieldProblem[] {
  const { operator = '', containerName, values = [] } = rule;
  const problems = oneOfListed(`${path}.operator`, operator, ['In', 'NotIn']);
  if (containerName !== undefined && !containerNames.includes(containerName)) {
    const text = 'must be one of the container or initContainer names in the pod template';
    problems.push(invalid(`${path}.containerName`, containerName, text));
  }
  const field = `${path}.values`;
  if (values.length === 0) problems.push(invalid(field, rule.values ?? null, 'at least one value is required'));
  else if (values.length > maxExitCodes) problems.push(tooMany(field, values.length, maxExitCodes));
  const seen = new Set<number>();
  values.forEach((code, at) => {
    if (operator === 'In' && code === 0) problems.push(invalid(`${field}[${at}]`, code, 'must not be 0 for the In operator'));
    if (seen.has(code)) problems.push(duplicate(`${field}[${at}]`, code));
    seen.add(code);
  });
  const isOrdered = values.every((code, at) => at === 0 || (values[at - 1] ?? code) <= code);
  return isOrdered ? problems : [...problems, invalid(field, values, 'must be ordered')];
}

function validatePatterns(patterns: readonly Unchecked<V1PodFailurePolicyOnPodConditionsPattern>[], path: string): FieldProblem[] {
  const problems = patterns.length > maxPatterns ? [tooMany(path, patterns.length, maxPatterns)] : [];
  patterns.forEach(({ type = '', status = '' }, at) => {
    problems.push(...qualifiedName(`${path}[${at}].type`, type));
    problems.push(...oneOfListed(`${path}[${at}].status`, status, ['False', 'True', 'Unknown']));
  });
  return problems;
}
