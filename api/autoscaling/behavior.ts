// How fast an autoscaler may go, up and down.
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingPolicy, V2HPAScalingRules } from '#api/generated/types.ts';
import { oneOfIfSet } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { signOfQuantity } from '../meta/quantity.ts';
import type { Unchecked } from '../meta/unchecked.ts';

const maxPeriodSeconds = 1_800;
const maxWindowSeconds = 3_600;

/** Where one direction is said, the other gets what holds without a word. Changes `behavior` in place. */
export function defaultBehavior(behavior: V2HorizontalPodAutoscalerBehavior | undefined): void {
  if (behavior === undefined) return;
  const up: V2HPAScalingRules = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  };
  const down: V2HPAScalingRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };
  behavior.scaleUp = { ...up, ...behavior.scaleUp };
  behavior.scaleDown = { ...down, ...behavior.scaleDown };
}

export function validateBehavior(behavior: Unchecked<V2HorizontalPodAutoscalerBehavior> | undefined, path: string): FieldProblem[] {
  return [...validateRules(behavior?.scaleUp, `${path}.scaleUp`), ...validateRules(behavior?.scaleDown, `${path}.scaleDown`)];
}

function validateRules(rules: Unchecked<V2HPAScalingRules> | undefined, path: string): FieldProblem[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies = [], tolerance } = rules;
  const problems: FieldProblem[] = [];
  const field = `${path}.stabilizationWindowSeconds`;
  if (window < 0) problems.push(invalid(field, window, 'must be greater than or equal to zero'));
  if (window > maxWindowSeconds) problems.push(invalid(field, window, `must be less than or equal to ${maxWindowSeconds}`));
  problems.push(...oneOfIfSet(`${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']));
  if (policies.length === 0) problems.push(required(`${path}.policies`, 'must specify at least one Policy'));
  policies.forEach((policy, at) => problems.push(...validatePolicy(policy, `${path}.policies[${at}]`)));
  if (tolerance !== undefined && signOfQuantity(tolerance) < 0) {
    problems.push(invalid(`${path}.tolerance`, tolerance, 'must be greater than or equal to 0'));
  }
  return problems;
}

function validatePolicy({ type = '', value = 0, periodSeconds = 0 }: Unchecked<V2HPAScalingPolicy>, path: string): FieldProblem[] {
  const problems = type === 'Pods' || type === 'Percent' ? [] : [notSupported(`${path}.type`, type, ['Percent', 'Pods'])];
  if (value <= 0) problems.push(invalid(`${path}.value`, value, 'must be greater than zero'));
  const field = `${path}.periodSeconds`;
  if (periodSeconds <= 0) problems.push(invalid(field, periodSeconds, 'must be greater than zero'));
  if (periodSeconds > maxPeriodSeconds) {
    problems.push(invalid(field, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`));
  }
  return problems;
}
