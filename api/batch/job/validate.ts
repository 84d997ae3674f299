// What a Job must be, and what may change of it.
import type { V1JobSpec, V1PodTemplateSpec } from '#api/generated/types.ts';
import { compileSelector } from '../../apps/workload.ts';
import { shownTemplate } from '../../core/pod/go-shapes.ts';
import type { WriteContext } from '../../kind.ts';
import { equalValues } from '../../meta/equality.ts';
import { validateLabelSelector } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { mapForm } from '../../meta/go-form.ts';
import { dnsLabelProblems } from '../../meta/names.ts';
import { immutableText, validateImmutable, validateSelectorUpdate } from '../../meta/object-meta.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import type { Job } from './job.ts';
import { hasNewLabels, validateGeneratedSelector } from './selector.ts';
import { shownFailurePolicy, shownSuccessPolicy, validateJobSpec } from './spec.ts';
import { validateStatusUpdate } from './status.ts';

/** Validates a create; updates are validated against the old object. */
export function validateJob(job: Job, { verb }: WriteContext): FieldProblem[] {
  return verb === 'create' ? validateWhole(job, true) : [];
}

export function validateJobUpdate(next: Job, prev: Job, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return validateStatusUpdate(next, prev);
  return [...validateWhole(next, hasNewLabels(prev)), ...validateChange(next, prev)];
}

function validateWhole(job: Job, needsNewLabels: boolean): FieldProblem[] {
  const { spec, metadata } = job;
  const selector: Unchecked<V1JobSpec>['selector'] = spec.selector;
  const problems = [...validateGeneratedSelector(job, needsNewLabels), ...validateJobSpec(spec, 'spec')];
  if (selector === undefined) problems.push(required('spec.selector'));
  else problems.push(...validateLabelSelector(selector, 'spec.selector'));
  const { labels } = spec.template.metadata ?? {};
  if (compileSelector(selector)?.matches(labels) === false) {
    problems.push(invalid('spec.template.metadata.labels', mapForm(labels), '`selector` does not match template `labels`'));
  }
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    // The last pod has the longest name.
    const name = metadata.name ?? '';
    const longest = `${name}-${(spec.completions ?? 0) - 1}`;
    const text = `will not able to create pod with invalid DNS label: ${longest}`;
    if (dnsLabelProblems(longest).length > 0) problems.push(invalid('metadata.name', name, text));
  }
  return problems;
}

function validateChange({ spec }: Job, prev: Job): FieldProblem[] {
  const before = prev.spec;
  return [
    ...validateCompletions(spec, before),
    ...validateSelectorUpdate(spec.selector, before.selector),
    ...validateUnchanged('template', spec.template, withChangeable(spec.template, prev), shownTemplate),
    ...validateImmutable(spec.completionMode, before.completionMode, 'spec.completionMode'),
    ...validateUnchanged('podFailurePolicy', spec.podFailurePolicy, before.podFailurePolicy, shownFailurePolicy),
    ...validateImmutable(spec.backoffLimitPerIndex, before.backoffLimitPerIndex, 'spec.backoffLimitPerIndex'),
    ...validateImmutable(spec.managedBy, before.managedBy, 'spec.managedBy'),
    ...validateUnchanged('successPolicy', spec.successPolicy, before.successPolicy, shownSuccessPolicy),
  ];
}

/** As `validateImmutable`, for what messages show in its inner form. */
function validateUnchanged<T extends object>(
  name: string,
  next: T | undefined,
  prev: T | undefined,
  show: (value: T) => object,
): FieldProblem[] {
  if (equalValues(next, prev)) return [];
  return [invalid(`spec.${name}`, next && show(next), immutableText)];
}

/** Indexed Jobs may be scaled, all of them at once. */
function validateCompletions({ completions, parallelism, completionMode }: V1JobSpec, before: V1JobSpec): FieldProblem[] {
  const field = 'spec.completions';
  if (completionMode !== 'Indexed') return validateImmutable(completions, before.completions, field);
  if (completions === before.completions || completions === undefined || completions === parallelism) return [];
  return [invalid(field, completions, 'can only be modified in tandem with spec.parallelism')];
}

/** The old template with what may change in the new one: where pods go and what they ask for, while none of them runs. */
function withChangeable(next: V1PodTemplateSpec, { spec, status }: Job): V1PodTemplateSpec {
  const { template } = spec;
  const hasStopped = status?.conditions?.some((one) => one.type === 'Suspended' && one.status === 'True') === true;
  const hasNoPods = (status?.active ?? 0) === 0 && (status?.startTime === undefined || hasStopped);
  if (spec.suspend !== true || !hasNoPods) return template;
  const before = template.spec ?? { containers: [] };
  const now = next.spec ?? { containers: [] };
  const { nodeSelector, tolerations, schedulingGates } = now;
  const affinity = withNodeAffinity(now.affinity, before.affinity);
  const pod = { ...before, nodeSelector, tolerations, schedulingGates, affinity, ...resourcesOf(now, before) };
  const metadata = { ...template.metadata, labels: next.metadata?.labels, annotations: next.metadata?.annotations };
  return { ...template, metadata, spec: pod } as V1PodTemplateSpec;
}

type PodSpec = NonNullable<V1PodTemplateSpec['spec']>;
type Affinity = PodSpec['affinity'];

/** It may come and go whole, as long as nothing else is in it. */
function withNodeAffinity(next: Affinity, prev: Affinity): Affinity {
  const { nodeAffinity: _changed, ...others } = prev ?? {};
  if (next === undefined && Object.keys(others).length === 0) return undefined;
  return next?.nodeAffinity === undefined ? others : { ...others, nodeAffinity: next.nodeAffinity };
}

/** What the new containers ask for, in the old ones of the same names. */
function resourcesOf(next: PodSpec, prev: PodSpec): Partial<PodSpec> {
  const withResources = (list: 'containers' | 'initContainers'): PodSpec['containers'] | undefined =>
    prev[list]?.map((container) => {
      const found = next[list]?.find(({ name }) => name === container.name)?.resources;
      return found === undefined ? container : { ...container, resources: found };
    });
  const initContainers = withResources('initContainers');
  return { containers: withResources('containers') ?? [], ...(initContainers === undefined ? {} : { initContainers }) };
}
