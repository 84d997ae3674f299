// What the kinds that make pods have in common.
import type { V1LabelSelector, V1PodTemplateSpec } from '#api/generated/types.ts';
import { podSpecWarnings } from '../core/pod/warnings.ts';
import { validateServingTemplate } from '../core/pod/template.ts';
import { notNegative, validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { selectorForm } from '../meta/go-form.ts';
import { SelectorError } from '../meta/label-requirement.ts';
import { type LabelSelector, labelSelectorOf } from '../meta/label-selector.ts';
import { dnsLabelProblems } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';

interface WorkloadSpec {
  readonly selector?: Unchecked<V1LabelSelector> | undefined;
  readonly template?: Unchecked<V1PodTemplateSpec> | undefined;
}

/** Selector and template, which must fit. The messages say deployment for ReplicaSets too, as upstream's do. */
export function validateSelectorAndTemplate({ selector, template }: WorkloadSpec, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const field = `${path}.selector`;
  if (selector === undefined) problems.push(required(field));
  else problems.push(...validateLabelSelector(selector, field), ...validateNotEmpty(selector, 'deployment', field));
  const compiled = compileSelector(selector);
  if (compiled === undefined) return [...problems, invalid(field, selector && selectorForm(selector), 'invalid label selector')];
  return [...problems, ...validateServingTemplate(template, compiled, 'ReplicaSet', `${path}.template`)];
}

/** A selector that selects everything would take others' pods. */
export function validateNotEmpty(selector: Unchecked<V1LabelSelector>, owner: string, field: string): FieldProblem[] {
  const count = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0);
  return count === 0 ? [invalid(field, selectorForm(selector), `empty selector is invalid for ${owner}`)] : [];
}

/** The selector ready to match; undefined where it is wrong. */
export function compileSelector(selector: Unchecked<V1LabelSelector> | undefined): LabelSelector | undefined {
  try {
    return labelSelectorOf(selector as V1LabelSelector | undefined);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

/** Counts in a status: none negative, none above all replicas. */
export function validateCounts(counts: Readonly<Record<string, number | undefined>>, replicas: number, path: string): FieldProblem[] {
  const problems = Object.entries(counts).flatMap(([name, count]) => notNegative(`${path}.${name}`, count));
  for (const [name, count = 0] of Object.entries(counts)) {
    if (count > replicas && name !== 'observedGeneration' && name !== 'replicas') {
      problems.push(invalid(`${path}.${name}`, count, 'cannot be greater than status.replicas'));
    }
  }
  return problems;
}

/** Available replicas are ready ones. */
export function validateAvailable(available: number, ready: number, path: string): FieldProblem[] {
  return available > ready ? [invalid(`${path}.availableReplicas`, available, 'cannot be greater than readyReplicas')] : [];
}

/** Warnings about the name of what names pods after itself: some names make bad host names. */
export function podNameWarnings(name: string): string[] {
  const problems = dnsLabelProblems(name);
  if (problems.length === 0) return [];
  const text =
    'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';
  return [`${text}: [${problems.join(' ')}]`];
}

/** Warnings about the template, where it is new. */
export function templateWarnings(template: V1PodTemplateSpec | undefined): string[] {
  return template?.spec === undefined ? [] : podSpecWarnings(template.spec, 'spec.template.spec', template.metadata);
}
