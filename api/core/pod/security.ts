// Security contexts of pods and containers.
import type { V1AppArmorProfile, V1PodSpec, V1SeccompProfile, V1SecurityContext, V1Sysctl } from '#api/generated/types.ts';
import { notSupported, tooLong } from '../../meta/field-problem.ts';
import { byteLength, idProblems } from '../../meta/names.ts';
import type { Problems } from '../../meta/problems.ts';
import { Seen } from '../../meta/seen.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { shownContext, shownProfile } from '../shown.ts';
import { validateRelativePath } from './paths.ts';
import { checkWindowsOptions } from './windows.ts';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlPattern = new RegExp(sysctlFormat);
/** The longest path that Linux takes. */
const maxProfileBytes = 4_095;

type Container = Unchecked<V1SecurityContext>;
type Spec = Unchecked<V1PodSpec>;

/** One container's security context. */
export function checkContainerSecurity(context: Container, at: Problems, hostUsers: boolean): void {
  const { runAsUser, runAsGroup, procMount, seccompProfile, appArmorProfile } = context;
  checkId('runAsUser', runAsUser, at);
  checkId('runAsGroup', runAsGroup, at);
  at.oneOfIfSet('procMount', procMount, ['Default', 'Unmasked']);
  if (hostUsers && procMount === 'Unmasked') at.invalid('procMount', procMount, '`hostUsers` must be false to use `Unmasked`');
  at.member('seccompProfile', seccompProfile, checkSeccomp);
  checkEscalation(context, at);
  at.member('windowsOptions', context.windowsOptions, checkWindowsOptions);
  at.member('appArmorProfile', appArmorProfile, checkAppArmor);
}

function checkEscalation(context: Container, at: Problems): void {
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true)
    at.invalid('', shownContext(context), 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN') === true) {
    at.invalid('', shownContext(context), 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN');
  }
}

/** The security context of a whole pod. */
export function checkPodSecurity(context: NonNullable<Spec['securityContext']>, at: Problems, spec: Spec): void {
  checkId('fsGroup', context.fsGroup, at);
  checkId('runAsUser', context.runAsUser, at);
  checkId('runAsGroup', context.runAsGroup, at);
  at.each('supplementalGroups', context.supplementalGroups, (group) => checkId('', group, at));
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    at.invalid('shareProcessNamespace', true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  }
  at.each('sysctls', context.sysctls, checkSysctl, { spec, seen: new Seen() });
  at.oneOfIfSet('fsGroupChangePolicy', context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  at.member('seccompProfile', context.seccompProfile, checkSeccomp);
  at.member('windowsOptions', context.windowsOptions, checkWindowsOptions);
  at.member('appArmorProfile', context.appArmorProfile, checkAppArmor);
  at.oneOfIfSet('supplementalGroupsPolicy', context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  checkRelabelling(context.seLinuxChangePolicy, at);
}

/** Mounting with a label is behind a gate that is off; an object that asks for it already may go on. */
function checkRelabelling(policy: string | undefined, at: Problems): void {
  if (policy === undefined || policy === 'Recursive') return;
  at.add({ ...notSupported(at.path('seLinuxChangePolicy'), policy, ['Recursive']), isForgiven: true });
}

function checkId(member: string, id: number | undefined, at: Problems): void {
  if (id !== undefined) at.invalidEach(member, id, idProblems(id));
}

function checkSysctl({ name = '' }: Unchecked<V1Sysctl>, at: Problems, { spec, seen }: { readonly spec: Spec; readonly seen: Seen }): void {
  const dotted = normalSysctl(name);
  const isNew = seen.add(name);
  if (name === '') at.required('name');
  else if (name.length > 253 || !sysctlPattern.test(name)) {
    at.invalid('name', name, `must have at most 253 characters and match regex ${sysctlFormat}`);
  } else if (!isNew) at.duplicate('name', name);
  if (spec.hostNetwork === true && dotted.startsWith('net.')) at.invalid('name', name, "may not be specified when 'hostNetwork' is true");
  if (spec.hostIPC === true && /^(kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/.test(dotted)) {
    at.invalid('name', name, "may not be specified when 'hostIPC' is true");
  }
}

/** Slashes may separate as dots do; then dots are part of names. */
function normalSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === '/' ? name.replace(/[./]/g, (char) => (char === '/' ? '.' : '/')) : name;
}

function checkSeccomp(profile: Unchecked<V1SeccompProfile>, at: Problems): void {
  const { type = '', localhostProfile } = profile;
  if (type === '') at.required('type', 'type is required when seccompProfile is set');
  else at.oneOfIfSet('type', type, profileTypes);
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      at.invalid('localhostProfile', shownProfile(profile), 'can only be set when seccomp type is Localhost');
  } else if (localhostProfile === undefined) {
    at.required('localhostProfile', 'must be set when seccomp type is Localhost');
  } else {
    at.addAll(validateRelativePath(at.path('localhostProfile'), localhostProfile));
  }
}

function checkAppArmor({ type = '', localhostProfile }: Unchecked<V1AppArmorProfile>, at: Problems): void {
  if (type === '') {
    at.required('type', 'type is required when appArmorProfile is set');
  } else if (!profileTypes.includes(type)) {
    at.notSupported('type', type, profileTypes);
  } else if (type !== 'Localhost') {
    if (localhostProfile !== undefined) at.invalid('localhostProfile', localhostProfile, 'can only be set when AppArmor type is Localhost');
  } else {
    checkLocalAppArmor(localhostProfile ?? '', at);
  }
}

function checkLocalAppArmor(profile: string, at: Problems): void {
  if (profile.trim() !== profile) at.invalid('localhostProfile', profile, 'must not be padded with whitespace');
  else if (profile === '') at.required('localhostProfile', 'must be set when AppArmor type is Localhost');
  if (byteLength(profile) > maxProfileBytes) at.add(tooLong(at.path('localhostProfile'), maxProfileBytes));
}
