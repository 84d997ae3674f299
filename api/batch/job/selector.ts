// How a Job finds its pods: by labels that it is given when it is made, and that no other Job has.
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { mapForm, selectorForm } from '../../meta/go-form.ts';
import { compileSelector } from '../../apps/workload.ts';
import type { Job } from './job.ts';

const jobNameLabel = 'batch.kubernetes.io/job-name';
const jobUidLabel = 'batch.kubernetes.io/controller-uid';
/** The same without a domain, from before label names had one. */
const oldNameLabel = 'job-name';
const oldUidLabel = 'controller-uid';

/** Adds the labels and the selector, unless the client wants to care for them. Wrong ones stay: validation refuses them. */
export function generateSelector({ metadata, spec }: Job): void {
  if (spec.manualSelector === true) return;
  const { name = '', uid = '' } = metadata;
  const meta = (spec.template.metadata ??= {});
  const added = { [oldNameLabel]: name, [jobNameLabel]: name, [oldUidLabel]: uid, [jobUidLabel]: uid };
  meta.labels = Object.fromEntries(Object.entries({ ...added, ...meta.labels }).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const selector = (spec.selector ??= {});
  selector.matchLabels = { [jobUidLabel]: uid, ...selector.matchLabels };
}

/** A Job without labels has those of its pods. */
export function defaultLabels({ metadata, spec }: Job): void {
  const { labels } = spec.template.metadata ?? {};
  if (labels !== undefined && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

/** Whether a Job was made since labels have a domain. */
export function hasNewLabels({ spec }: Job): boolean {
  const { labels = {} } = spec.template.metadata ?? {};
  return labels[jobNameLabel] !== undefined && labels[jobUidLabel] !== undefined;
}

/** Labels and selector that were generated must be as they were. */
export function validateGeneratedSelector({ metadata, spec }: Job, needsNewLabels: boolean): FieldProblem[] {
  if (spec.manualSelector === true || spec.selector === undefined) return [];
  const { name = '', uid = '' } = metadata;
  const problems = uid === '' ? [required('metadata.uid')] : [];
  const wanted = { [oldUidLabel]: uid, [oldNameLabel]: name, ...(needsNewLabels ? { [jobUidLabel]: uid, [jobNameLabel]: name } : {}) };
  const labels = spec.template.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(wanted)) {
    const field = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) problems.push(required(field, `must be '${value}'`));
    else if (labels[key] !== value) problems.push(invalid(field, mapForm(labels), `must be '${value}'`));
  }
  const matches = compileSelector(spec.selector)?.matches(wanted);
  return matches === false
    ? [...problems, invalid('spec.selector', selectorForm(spec.selector), '`selector` not auto-generated')]
    : problems;
}
