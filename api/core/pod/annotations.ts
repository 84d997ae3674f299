// What a pod's annotations ask for, and which of them may not change (pkg/apis/core/validation/validation.go).
import type { V1AppArmorProfile, V1Container, V1EphemeralContainer, V1PodSpec, V1SeccompProfile } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid } from '../../meta/field-problem.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { mirrorAnnotation } from './mirror.ts';
import { validateRelativePath } from './paths.ts';

type Annotations = Readonly<Record<string, string>>;

export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/';
const maxInt32 = 2 ** 31 - 1;

/** Values of annotations that mean something to pods. `before`: those that the pod had, which may hold an old mistake. */
export function validatePodAnnotations(
  annotations: Annotations | undefined,
  spec: Unchecked<V1PodSpec>,
  path: string,
  before: Annotations = {},
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (annotations === undefined) return problems;
  const mirror = annotations[mirrorAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    problems.push(invalid(`${path}[${mirrorAnnotation}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const cost = annotations[deletionCost];
  if (cost !== undefined && !isDeletionCost(cost) && isDeletionCost(before[deletionCost] ?? '0')) {
    problems.push(invalid(`${path}[${deletionCost}]`, cost, 'must be a 32bit integer'));
  }
  const pod = annotations[seccompPod];
  if (pod !== undefined) problems.push(...validateSeccomp(pod, `${path}.${seccompPod}`));
  for (const [key, value] of Object.entries(annotations)) {
    if (key.startsWith(seccompPrefix)) problems.push(...validateSeccomp(value, `${path}.${key}`));
  }
  return [...problems, ...validateAppArmor(annotations, spec, path)];
}

/** Which annotations of a pod stay as they are. */
export function validatePodAnnotationUpdate(next: Annotations, prev: Annotations, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [key, value] of Object.entries(prev)) {
    if (next[key] === value) continue;
    if (key.startsWith(appArmorPrefix)) problems.push(forbiddenField(`${path}[${key}]`, 'may not remove or update AppArmor annotations'));
    if (key === mirrorAnnotation) problems.push(forbiddenField(`${path}[${key}]`, 'may not remove or update mirror pod annotation'));
  }
  for (const key of Object.keys(next)) {
    if (prev[key] !== undefined) continue;
    if (key.startsWith(appArmorPrefix)) problems.push(forbiddenField(`${path}[${key}]`, 'may not add AppArmor annotations'));
    if (key === mirrorAnnotation) problems.push(forbiddenField(`${path}[${key}]`, 'may not add mirror pod annotation'));
  }
  return problems;
}

/** Neither a plus sign nor leading zeros. */
function isDeletionCost(text: string): boolean {
  return /^(0|-\d+|[1-9]\d*)$/.test(text) && Number(text) >= -maxInt32 - 1 && Number(text) <= maxInt32;
}

function validateSeccomp(profile: string, path: string): FieldProblem[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  if (profile.startsWith('localhost/')) return validateRelativePath(path, profile.slice('localhost/'.length));
  return [invalid(path, profile, 'must be a valid seccomp profile')];
}

function validateAppArmor(annotations: Annotations, spec: Unchecked<V1PodSpec>, path: string): FieldProblem[] {
  const keys = Object.keys(annotations).filter((key) => key.startsWith(appArmorPrefix));
  if (keys.length === 0) return [];
  const names = new Set(containersOf(spec as Partial<V1PodSpec>).map(({ name }) => name));
  return keys.flatMap((key) => {
    const profile = annotations[key] ?? '';
    const field = `${path}[${key}]`;
    const container = key.slice(appArmorPrefix.length);
    const problems = names.has(container) ? [] : [invalid(field, container, 'container not found')];
    if (profile === '' || appArmorProfileOf(profile) !== undefined) return problems;
    return [...problems, invalid(field, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`)];
  });
}

/** Gives containers of a new pod the profile that an annotation names, where they have none of their own. */
export function adoptAppArmorAnnotations(spec: V1PodSpec, annotations: Annotations | undefined): void {
  if (annotations === undefined || spec.os?.name === 'windows') return;
  for (const container of containersOf(spec)) {
    const profile = appArmorProfileOf(annotations[appArmorPrefix + container.name] ?? '');
    if (profile === undefined || profile.localhostProfile?.trim() === '' || container.securityContext?.appArmorProfile !== undefined)
      continue;
    if (equalValues(profile, spec.securityContext?.appArmorProfile)) continue;
    container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}

/** True where a container's profile is the one that its annotation names. */
export function isAppArmorProfile(profile: V1AppArmorProfile | undefined, annotation: string | undefined): boolean {
  return profile !== undefined && equalValues(profile, appArmorProfileOf(annotation ?? ''));
}

function appArmorProfileOf(annotation: string): V1AppArmorProfile | undefined {
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (!annotation.startsWith('localhost/')) return undefined;
  return { type: 'Localhost', localhostProfile: annotation.slice('localhost/'.length) };
}

/** Profiles that a new pod or a template names twice, by annotation and by field, are the same. `specPath`: of the spec. */
export function validateProfilesMatch(annotations: Annotations, spec: Unchecked<V1PodSpec>, specPath: string): FieldProblem[] {
  if (!Object.keys(annotations).some((key) => key === seccompPod || key.startsWith(seccompPrefix) || key.startsWith(appArmorPrefix))) {
    return [];
  }
  const ofPod = validateMatch(annotations[seccompPod], spec.securityContext?.seccompProfile, 'seccomp', `${specPath}.securityContext`);
  const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
  const contexts = lists.flatMap((list) =>
    (spec[list] ?? []).map(({ name, securityContext }, at) => ({
      name,
      securityContext,
      path: `${specPath}.${list}[${at}].securityContext`,
    })),
  );
  const seccomp = contexts.flatMap(({ name, securityContext, path }) =>
    validateMatch(annotations[seccompPrefix + name], securityContext?.seccompProfile, 'seccomp', path),
  );
  if (spec.os?.name === 'windows') return [...ofPod, ...seccomp];
  const appArmor = contexts.flatMap(({ name, securityContext, path }) => {
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    return validateMatch(annotations[appArmorPrefix + name], profile, 'apparmor', path);
  });
  return [...ofPod, ...seccomp, ...appArmor];
}

const typesByAnnotation: Readonly<Record<string, string>> = {
  unconfined: 'Unconfined',
  'runtime/default': 'RuntimeDefault',
  'docker/default': 'RuntimeDefault',
};

function validateMatch(
  annotation: string | undefined,
  profile: Unchecked<V1SeccompProfile | V1AppArmorProfile> | undefined,
  kind: 'seccomp' | 'apparmor',
  path: string,
): FieldProblem[] {
  if (annotation === undefined || profile === undefined) return [];
  const field = `${path}.${kind === 'seccomp' ? 'seccompProfile' : 'appArmorProfile'}`;
  if (!['Unconfined', 'RuntimeDefault', 'Localhost'].includes(profile.type ?? '')) return [];
  const isDocker = annotation === 'docker/default' && kind === 'apparmor';
  const type = annotation.startsWith('localhost/') ? 'Localhost' : isDocker ? undefined : typesByAnnotation[annotation];
  if (type !== profile.type) return [forbiddenField(`${field}.type`, `${kind} type in annotation and field must match`)];
  if (type !== 'Localhost' || annotation.slice('localhost/'.length) === profile.localhostProfile) return [];
  return [forbiddenField(`${field}.localhostProfile`, `${kind} profile in annotation and field must match`)];
}

function containersOf({
  initContainers = [],
  containers = [],
  ephemeralContainers = [],
}: Partial<V1PodSpec>): (V1Container | V1EphemeralContainer)[] {
  return [...initContainers, ...containers, ...ephemeralContainers];
}
