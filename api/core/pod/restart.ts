// One container's own rules for being started again.
import type { V1Container, V1ContainerRestartRule, V1ContainerRestartRuleOnExitCodes } from '#api/generated/types.ts';
import { tooMany } from '../../meta/field-problem.ts';
import type { Problems } from '../../meta/problems.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

const maxRules = 20;
const maxExitCodes = 255;
const actions = ['Restart', 'RestartAllContainers'];
const operators = ['In', 'NotIn'];

/** The policy of a container or init container, and rules that make exceptions from it. */
export function checkRestart({ restartPolicy, restartPolicyRules }: Unchecked<V1Container>, at: Problems): void {
  at.oneOfIfSet('restartPolicy', restartPolicy, ['Always', 'Never', 'OnFailure']);
  if (restartPolicyRules === undefined || restartPolicyRules.length === 0) return;
  if (restartPolicy === undefined) at.required('restartPolicy', 'must specify restartPolicy when restart rules are used');
  const count = restartPolicyRules.length;
  if (count > maxRules) at.add(tooMany(at.path('restartPolicyRules'), count, maxRules));
  at.each('restartPolicyRules', restartPolicyRules, checkRule);
}

/** Whether a container that ended with `exitCode` starts again, by the first of its own rules that matches, its own policy, then the pod's. */
export function shouldRestart(container: V1Container, podPolicy: string | undefined, exitCode: number): boolean {
  if (restartAction(container, exitCode) !== undefined) return true;
  return mayRestart(container, podPolicy) && (policyOf(container, podPolicy) !== 'OnFailure' || exitCode !== 0);
}

/** What the first matching rule of a container asks for; every action starts at least the container itself again. */
export function restartAction({ restartPolicyRules = [] }: V1Container, exitCode: number): string | undefined {
  return restartPolicyRules.find(({ exitCodes }) => matches(exitCodes, exitCode))?.action;
}

/** True when some end of this container starts all containers of its pod again. */
export function restartsAll({ restartPolicyRules = [] }: V1Container): boolean {
  return restartPolicyRules.some(({ action }) => action === 'RestartAllContainers');
}

function matches(exitCodes: V1ContainerRestartRuleOnExitCodes | undefined, exitCode: number): boolean {
  const { operator, values = [] } = exitCodes ?? {};
  return operator === 'In' ? values.includes(exitCode) : operator === 'NotIn' && !values.includes(exitCode);
}

/** Whether a failed container starts again at all. */
export function mayRestart(container: V1Container, podPolicy: string | undefined): boolean {
  return policyOf(container, podPolicy) !== 'Never';
}

function policyOf(container: V1Container, podPolicy: string | undefined): string {
  return container.restartPolicy ?? podPolicy ?? 'Always';
}

/** An empty action or operator is not missing but unknown. */
function checkRule({ action = '', exitCodes }: Unchecked<V1ContainerRestartRule>, at: Problems): void {
  at.oneOfIfSet('action', action, actions);
  if (exitCodes === undefined) at.required('exitCodes', 'must be specified');
  at.member('exitCodes', exitCodes, checkExitCodes);
}

function checkExitCodes({ operator = '', values = [] }: Unchecked<V1ContainerRestartRuleOnExitCodes>, at: Problems): void {
  at.oneOfIfSet('operator', operator, operators);
  if (values.length > maxExitCodes) at.add(tooMany(at.path('values'), values.length, maxExitCodes));
}
