// What a pod must be, and what each endpoint may change of it.
import { addAll } from '../../meta/add-all.ts';
import type { V1Container, V1PodSpec, V1Toleration, V1Volume } from '#api/generated/types.ts';
import type { WriteContext } from '../../kind.ts';
import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { inclusiveRangeText } from '../../meta/names.ts';
import { Problems } from '../../meta/problems.ts';
import { validatePodAnnotations, validatePodAnnotationUpdate, validateProfilesMatch } from './annotations.ts';
import { checkImageSpace, checkRestartOfInit } from './containers.ts';
import { isMirrorPod } from './mirror.ts';
import type { Pod } from './pod.ts';
import { validatePodSpec } from './pod-spec.ts';
import { validateGatedChange } from './gated.ts';
import { validateResize } from './resize.ts';
import { specDiff } from './spec-diff.ts';
import { validateStatusUpdate } from './status-update.ts';

const maxInt32 = 2 ** 31 - 1;
const annotationsPath = 'metadata.annotations';
const changeableFields = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

/** Validates a create; updates are validated against the old object. */
export function validatePod(pod: Pod, { verb }: WriteContext): FieldProblem[] {
  if (verb === 'update') return [];
  const { spec, metadata } = pod;
  const problems = validatePodAnnotations(metadata.annotations, spec, annotationsPath);
  addAll(problems, validateSpec(pod));
  addAll(problems, Problems.of('spec', spec, checkAsNewPod, metadata.annotations));
  return problems;
}

function validateSpec(pod: Pod): FieldProblem[] {
  const { spec, metadata } = pod;
  const problems = validatePodSpec(spec, 'spec', { podName: metadata.name ?? '', isMirror: isMirrorPod(pod) });
  addAll(problems, Problems.of('spec', spec, checkAsPod));
  return problems;
}

/** What was let in once may stay: such a pod can be labelled, changed otherwise, and let go. */
function validateChangedSpec(next: Pod, prev: Pod): FieldProblem[] {
  const problems = validateSpec(next);
  if (problems.length === 0) return problems;
  const known = new Set(validateSpec(prev).map(({ field, message }) => `${field}: ${message}`));
  return problems.filter(({ field, message }) => !known.has(`${field}: ${message}`));
}

/** What holds for pods that are not there yet. */
function checkAsNewPod(spec: V1PodSpec, at: Problems, annotations: Record<string, string> | undefined): void {
  at.each('initContainers', spec.initContainers, checkRestartOfInit);
  if ((spec.ephemeralContainers?.length ?? 0) > 0) at.forbidden('ephemeralContainers', 'cannot be set on create');
  if (spec.nodeName && (spec.schedulingGates?.length ?? 0) > 0) {
    at.forbidden('nodeName', 'cannot be set until all schedulingGates have been cleared');
  }
  if (annotations !== undefined) at.addAll(validateProfilesMatch(annotations, spec, 'spec'));
}

/** What holds for pods, but not for templates. */
function checkAsPod(spec: V1PodSpec, at: Problems): void {
  if (!spec.serviceAccountName) at.each('volumes', spec.volumes, checkNoToken);
  at.each('containers', spec.containers, checkImageSpace);
  at.each('initContainers', spec.initContainers, checkImageSpace);
}

function checkNoToken({ projected }: V1Volume, at: Problems): void {
  for (const [index, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
    const field = `projected.sources[${index}].serviceAccountToken`;
    if (serviceAccountToken !== undefined) at.forbidden(field, 'must not be specified when serviceAccountName is not set');
  }
}

/** What a write may change, by endpoint. */
export function validatePodUpdate(next: Pod, prev: Pod, { subresource }: WriteContext): FieldProblem[] {
  // Binding is an act that checks by itself what it changes.
  if (subresource === 'binding') return [];
  if (subresource === 'status') return [...validateAnnotationUpdate(next, prev), ...validateStatusUpdate(next, prev)];
  const problems = validateChangedSpec(next, prev);
  addAll(problems, validateAnnotationUpdate(next, prev));
  if (subresource === 'ephemeralcontainers') return [...problems, ...validateEphemeralUpdate(next, prev)];
  if (subresource === 'resize') return [...problems, ...validateResize(next, prev)];
  return [...problems, ...validateSpecUpdate(next.spec, prev.spec)];
}

function validateAnnotationUpdate(next: Pod, prev: Pod): FieldProblem[] {
  const { annotations } = next.metadata;
  const before = prev.metadata.annotations;
  if (annotations === undefined && before === undefined) return [];
  return [
    ...validatePodAnnotationUpdate(annotations ?? {}, before ?? {}, annotationsPath),
    ...validatePodAnnotations(annotations, next.spec, annotationsPath, before),
  ];
}

function validateSpecUpdate(next: V1PodSpec, prev: V1PodSpec): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const list of ['containers', 'initContainers'] as const) {
    if ((next[list]?.length ?? 0) !== (prev[list]?.length ?? 0)) {
      return [...problems, forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
    next[list]?.forEach(({ image }, at) => {
      if (!image) problems.push(required(`spec.${list}[${at}].image`));
    });
  }
  const deadline = validateDeadline(next.activeDeadlineSeconds, prev.activeDeadlineSeconds);
  addAll(problems, deadline);
  if (deadline.length > 0 && next.activeDeadlineSeconds !== undefined) return problems;
  addAll(problems, validateAddedTolerations(next.tolerations ?? [], prev.tolerations ?? []));
  const known = new Set((prev.schedulingGates ?? []).map(({ name }) => name));
  next.schedulingGates?.forEach(({ name }, at) => {
    const text = `only deletion is allowed, but found new scheduling gate '${name}'`;
    if (!known.has(name)) problems.push(forbiddenField(`spec.schedulingGates[${at}].name`, text));
  });
  if (equalValues(next, prev)) return problems;
  const same = withoutChangeable(next, prev);
  if ((prev.schedulingGates?.length ?? 0) > 0) addAll(problems, validateGatedChange(same, prev));
  if (!equalValues(same, prev)) {
    const text = `pod updates may not change fields other than ${changeableFields.join(',')}\n${specDiff(prev, same)}`;
    problems.push(forbiddenField('spec', text));
  }
  return problems;
}

/** The new spec with what may change put back to what it was. */
function withoutChangeable(next: V1PodSpec, prev: V1PodSpec): V1PodSpec {
  const images = (list: readonly V1Container[] | undefined, before: readonly V1Container[] | undefined): V1Container[] =>
    (list ?? []).map((container, at) => ({ ...container, image: before?.[at]?.image ?? '' }));
  const { activeDeadlineSeconds: _deadline, schedulingGates: _gates, tolerations: _tolerations, ...rest } = next;
  const same: V1PodSpec = { ...rest, containers: images(next.containers, prev.containers) };
  if (next.initContainers !== undefined) same.initContainers = images(next.initContainers, prev.initContainers);
  if (prev.activeDeadlineSeconds !== undefined) same.activeDeadlineSeconds = prev.activeDeadlineSeconds;
  if (prev.schedulingGates !== undefined) same.schedulingGates = prev.schedulingGates;
  if (prev.tolerations !== undefined) same.tolerations = prev.tolerations;
  const grace = prev.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && same.terminationGracePeriodSeconds === 1) same.terminationGracePeriodSeconds = grace;
  return same;
}

/** From none to some, from some to less. */
function validateDeadline(next: number | undefined, prev: number | undefined): FieldProblem[] {
  const field = 'spec.activeDeadlineSeconds';
  if (next === undefined) {
    return prev === undefined ? [] : [invalid(field, undefined, 'must not update from a positive integer to nil value')];
  }
  if (next < 0 || next > maxInt32) return [invalid(field, next, inclusiveRangeText(0, maxInt32))];
  return prev !== undefined && prev < next ? [invalid(field, next, 'must be less than or equal to previous value')] : [];
}

function validateAddedTolerations(next: readonly V1Toleration[], prev: readonly V1Toleration[]): FieldProblem[] {
  const withoutSeconds = ({ tolerationSeconds: _seconds, ...rest }: V1Toleration): object => rest;
  const isKept = prev.every((old) => next.some((one) => equalValues(withoutSeconds(one), withoutSeconds(old))));
  return isKept ? [] : [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
}

function validateEphemeralUpdate(next: Pod, prev: Pod): FieldProblem[] {
  if (isMirrorPod(prev)) return [forbiddenField('[]', 'static pods do not support ephemeral containers')];
  const now = new Map((next.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (prev.spec.ephemeralContainers ?? []).flatMap((old) => {
    const found = now.get(old.name);
    const field = 'spec.ephemeralContainers';
    if (found === undefined) return [forbiddenField(field, `existing ephemeral containers "${old.name}" may not be removed\n`)];
    if (equalValues(found, old)) return [];
    return [forbiddenField(field, `existing ephemeral containers "${old.name}" may not be changed\n${specDiff(old, found)}`)];
  });
}
