// Security contexts of pods and containers.
import type { V1AppArmorProfile, V1PodSpec, V1SeccompProfile, V1SecurityContext, V1Sysctl } from '#api/generated/types.ts';
import { invalidEach, oneOfIfSet } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { idProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateRelativePath } from './paths.ts';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlPattern = new RegExp(sysctlFormat);

type Container = Unchecked<V1SecurityContext>;

/** One container's security context. */
export function validateContainerSecurity(context: Container | undefined, hostUsers: boolean, path: string): FieldProblem[] {
  if (context === undefined) return [];
  const { runAsUser, runAsGroup, procMount, seccompProfile, appArmorProfile } = context;
  const problems = [...validateId(runAsUser, `${path}.runAsUser`), ...validateId(runAsGroup, `${path}.runAsGroup`)];
  problems.push(...oneOfIfSet(`${path}.procMount`, procMount, ['Default', 'Unmasked']));
  if (hostUsers && procMount === 'Unmasked') {
    problems.push(invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  problems.push(...validateSeccomp(seccompProfile, `${path}.seccompProfile`));
  problems.push(...validateEscalation(context, path));
  return [...problems, ...validateAppArmor(appArmorProfile, `${path}.appArmorProfile`)];
}

function validateEscalation(context: Container, path: string): FieldProblem[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const problems: FieldProblem[] = [];
  if (context.privileged === true) {
    problems.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
  }
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN') === true) {
    problems.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
  }
  return problems;
}

/** The security context of a whole pod. */
export function validatePodSecurity(spec: Unchecked<V1PodSpec>, path: string): FieldProblem[] {
  const context = spec.securityContext;
  if (context === undefined) return [];
  const { fsGroup, runAsUser, runAsGroup, supplementalGroups = [], supplementalGroupsPolicy, sysctls = [] } = context;
  const own = `${path}.securityContext`;
  const problems = [
    ...validateId(fsGroup, `${own}.fsGroup`),
    ...validateId(runAsUser, `${own}.runAsUser`),
    ...validateId(runAsGroup, `${own}.runAsGroup`),
    ...supplementalGroups.flatMap((group, at) => validateId(group, `${own}.supplementalGroups[${at}]`)),
    ...oneOfIfSet(`${own}.supplementalGroupsPolicy`, supplementalGroupsPolicy, ['Merge', 'Strict']),
  ];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    problems.push(invalid(`${own}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  return [
    ...problems,
    ...validateSysctls(sysctls, spec, `${own}.sysctls`),
    ...oneOfIfSet(`${own}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...validateSeccomp(context.seccompProfile, `${own}.seccompProfile`),
    ...oneOfIfSet(`${own}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['MountOption', 'Recursive']),
    ...validateAppArmor(context.appArmorProfile, `${own}.appArmorProfile`),
  ];
}

function validateId(id: number | undefined, field: string): FieldProblem[] {
  return id === undefined ? [] : invalidEach(field, id, idProblems(id));
}

function validateSysctls(sysctls: readonly Unchecked<V1Sysctl>[], spec: Unchecked<V1PodSpec>, path: string): FieldProblem[] {
  const seen = new Set<string>();
  return sysctls.flatMap(({ name = '' }, at) => {
    const field = `${path}[${at}].name`;
    const dotted = normalSysctl(name);
    const problems: FieldProblem[] = [];
    if (name === '') {
      problems.push(required(field));
    } else if (name.length > 253 || !sysctlPattern.test(name)) {
      problems.push(invalid(field, name, `must have at most 253 characters and match regex ${sysctlFormat}`));
    } else if (seen.has(dotted)) {
      problems.push(duplicate(field, name));
    }
    seen.add(dotted);
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      problems.push(invalid(field, name, "may not be specified when 'hostNetwork' is true"));
    }
    if (spec.hostIPC === true && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) {
      problems.push(invalid(field, name, "may not be specified when 'hostIPC' is true"));
    }
    return problems;
  });
}

/** Slashes may separate as dots do; then dots are part of names. */
function normalSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === '/' ? name.replace(/[./]/g, (char) => (char === '/' ? '.' : '/')) : name;
}

function validateSeccomp(profile: Unchecked<V1SeccompProfile> | undefined, path: string): FieldProblem[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  const field = `${path}.localhostProfile`;
  const problems: FieldProblem[] = [];
  if (type === '') problems.push(required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(type)) problems.push(notSupported(`${path}.type`, type, profileTypes));
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) problems.push(invalid(field, profile, 'can only be set when seccomp type is Localhost'));
  } else if (localhostProfile === undefined) {
    problems.push(required(field, 'must be set when seccomp type is Localhost'));
  } else {
    problems.push(...validateRelativePath(field, localhostProfile));
  }
  return problems;
}

function validateAppArmor(profile: Unchecked<V1AppArmorProfile> | undefined, path: string): FieldProblem[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  const field = `${path}.localhostProfile`;
  if (type === '') return [required(`${path}.type`, 'type is required when appArmorProfile is set')];
  if (!profileTypes.includes(type)) return [notSupported(`${path}.type`, type, profileTypes)];
  if (type !== 'Localhost') {
    return localhostProfile === undefined ? [] : [invalid(field, localhostProfile, 'can only be set when AppArmor type is Localhost')];
  }
  if (localhostProfile === undefined) return [required(field, 'must be set when AppArmor type is Localhost')];
  if (localhostProfile.trim() === '') return [required(field, 'must be set when AppArmor type is Localhost')];
  if (localhostProfile.trim() === localhostProfile) return [];
  return [invalid(field, localhostProfile, 'must not be padded with whitespace')];
}
