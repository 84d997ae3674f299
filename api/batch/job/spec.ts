// What a Job's spec must be, in a Job and in a CronJob's template (pkg/apis/batch/validation/validation.go).
import type { V1JobSpec } from '#api/generated/types.ts';
import { validatePodTemplate } from '../../core/pod/template.ts';
import { domainPrefixedPath, notNegative, oneOfIfSet } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required, tooLong } from '../../meta/field-problem.ts';
import { goTree } from '../../meta/go-form.ts';
import { byteLength } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validatePodFailurePolicy } from './pod-failure-policy.ts';
import { validateSuccessPolicy } from './success-policy.ts';

type Spec = Unchecked<V1JobSpec>;

const maxParallelism = 100_000;
const maxFailedIndexes = 100_000;
/** Indexed Jobs with more completions than this have lower bounds elsewhere. */
export const manyCompletions = 100_000;
const parallelismOfMany = 10_000;
const failedIndexesOfMany = 10_000;
const managedByLimitBytes = 63;

/** All but the selector. */
export function validateJobSpec(spec: Spec, path: string): FieldProblem[] {
  const { managedBy, successPolicy, completionMode, podFailurePolicy } = spec;
  const problems: FieldProblem[] = [];
  for (const name of counts) problems.push(...notNegative(`${path}.${name}`, spec[name]));
  if (spec.maxFailedIndexes !== undefined) {
    problems.push(...notNegative(`${path}.maxFailedIndexes`, spec.maxFailedIndexes));
    if (spec.backoffLimitPerIndex === undefined) {
      problems.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
    }
  }
  if (managedBy !== undefined) {
    problems.push(...domainPrefixedPath(`${path}.managedBy`, managedBy));
    if (byteLength(managedBy) > managedByLimitBytes) problems.push(tooLong(`${path}.managedBy`, managedByLimitBytes));
  }
  problems.push(...oneOfIfSet(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']));
  if (completionMode === 'Indexed') problems.push(...validateIndexed(spec, path));
  if (completionMode === undefined || completionMode === 'NonIndexed') problems.push(...validateNotIndexed(spec, path));
  if (podFailurePolicy !== undefined) problems.push(...validatePodFailurePolicy(spec, podFailurePolicy, `${path}.podFailurePolicy`));
  if (successPolicy !== undefined) {
    const field = `${path}.successPolicy`;
    if (completionMode === 'Indexed') problems.push(...validateSuccessPolicy(successPolicy, spec.completions, field));
    else problems.push(invalid(field, shownSuccessPolicy(successPolicy), 'requires indexed completion mode'));
  }
  const policies = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  problems.push(...oneOfIfSet(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, policies));
  return [...problems, ...validatePodTemplate(spec.template ?? {}, `${path}.template`), ...validateRestarts(spec, path)];
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
] as const;

/** A policy as messages show it. */
export function shownSuccessPolicy(policy: NonNullable<Spec['successPolicy']>): object {
  return goTree(policy, { Rules: { each: { SucceededIndexes: null, SucceededCount: null } } });
}

/** A policy as messages show it. */
export function shownFailurePolicy(policy: NonNullable<Spec['podFailurePolicy']>): object {
  return goTree(policy, {
    Rules: {
      each: {
        Action: '',
        OnExitCodes: { one: { ContainerName: null, Operator: '', Values: null } },
        OnPodConditions: { each: { Type: '', Status: '' } },
      },
    },
  });
}

function validateIndexed(
  { completions, parallelism = 0, maxFailedIndexes: mayFail, backoffLimitPerIndex }: Spec,
  path: string,
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const bound = (name: string, value: number, max: number, when: string): void => {
    if (value > max) problems.push(invalid(`${path}.${name}`, value, `must be less than or equal to ${max}${when}`));
  };
  if (completions === undefined) problems.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  bound('parallelism', parallelism, maxParallelism, ' when completion mode is Indexed');
  if (completions !== undefined && mayFail !== undefined && mayFail > completions) {
    problems.push(invalid(`${path}.maxFailedIndexes`, mayFail, 'must be less than or equal to completions'));
  }
  bound('maxFailedIndexes', mayFail ?? 0, maxFailedIndexes, '');
  if ((completions ?? 0) <= manyCompletions || backoffLimitPerIndex === undefined) return problems;
  if (mayFail === undefined) {
    problems.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyCompletions}`));
  }
  const when = ` when completions are above ${manyCompletions} and used with backoff limit per index`;
  bound('parallelism', parallelism, parallelismOfMany, when);
  bound('maxFailedIndexes', mayFail ?? 0, failedIndexesOfMany, when);
  return problems;
}

function validateNotIndexed(spec: Spec, path: string): FieldProblem[] {
  const text = 'requires indexed completion mode';
  return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const).flatMap((name) =>
    spec[name] === undefined ? [] : [invalid(`${path}.${name}`, spec[name], text)],
  );
}

/** Pods of Jobs end; the default of all other pods is the wrong one here. */
function validateRestarts({ template, podFailurePolicy }: Spec, path: string): FieldProblem[] {
  const field = `${path}.template.spec.restartPolicy`;
  const policy = template?.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(field, policy, ['OnFailure', 'Never'])];
  if (podFailurePolicy === undefined || policy === 'Never') return [];
  return [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}
