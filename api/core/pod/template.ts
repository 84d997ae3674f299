// Pod templates in replication controllers, ReplicaSets and Deployments.
import type { V1PodTemplateSpec } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { mapForm } from '../../meta/go-form.ts';
import type { LabelSelector } from '../../meta/label-selector.ts';
import { validateAnnotations, validateLabels } from '../../meta/object-meta.ts';
import { Problems } from '../../meta/problems.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validatePodAnnotations, validateProfilesMatch } from './annotations.ts';
import { checkRestartOfInit } from './containers.ts';
import { validatePodSpec } from './pod-spec.ts';

type Template = Unchecked<V1PodTemplateSpec>;
type StringMap = Record<string, string>;

/** What holds for every template. */
export function validatePodTemplate(template: Template, path: string): FieldProblem[] {
  const { labels, annotations } = template.metadata ?? {};
  const problems = [
    ...validateLabels(labels as StringMap | undefined, `${path}.labels`),
    ...validateAnnotations(annotations as StringMap | undefined, `${path}.annotations`),
    ...validatePodAnnotations(annotations as StringMap | undefined, template.spec ?? {}, `${path}.annotations`),
    ...validatePodSpec(template.spec ?? {}, `${path}.spec`, 'template'),
    ...Problems.of(`${path}.spec`, template.spec ?? {}, ({ initContainers }, at) => {
      at.each('initContainers', initContainers, checkRestartOfInit);
    }),
    ...validateProfilesMatch((annotations ?? {}) as StringMap, template.spec ?? {}, `${path}.spec`),
  ];
  if ((template.spec?.ephemeralContainers?.length ?? 0) > 0) {
    problems.push(forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
  return problems;
}

/** A template whose pods run for ever and belong to `selector`. `ownerKind` goes into a message. */
export function validateServingTemplate(
  template: Template | undefined,
  selector: LabelSelector,
  ownerKind: 'ReplicaSet' | 'ReplicationController',
  path: string,
): FieldProblem[] {
  if (template === undefined) return [required(path)];
  const labels = template.metadata?.labels as StringMap | undefined;
  const problems: FieldProblem[] = [];
  const isEmpty = selector.requirements?.length === 0;
  if (!isEmpty && !selector.matches(labels)) {
    problems.push(invalid(`${path}.metadata.labels`, mapForm(labels), '`selector` does not match template `labels`'));
  }
  return [...problems, ...validatePodTemplate(template, path), ...validateRunsForEver(template, ownerKind, path)];
}

/** What runs for ever is always restarted. `ownerKind` goes into a message. */
export function validateRunsForEver(template: Template, ownerKind: string, path: string): FieldProblem[] {
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  const problems = restartPolicy === 'Always' ? [] : [notSupported(`${path}.spec.restartPolicy`, restartPolicy ?? '', ['Always'])];
  if (activeDeadlineSeconds !== undefined) {
    problems.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${ownerKind} is not Supported`));
  }
  return problems;
}
