import type { Pod } from '#api/core/pod/pod.ts';
import type { V1AppArmorProfile, V1Container, V1SeccompProfile } from '#api/generated/types.ts';
import type { ContainerSecurity } from '../runtime/contract.ts';

/** The container may not run as asked; the message goes into its waiting state and an event. */
export class SecurityError extends Error {
  override readonly name = 'SecurityError';
}

interface SecurityInputs {
  /** The image's own user: a number, a name, or '' for root. */
  readonly imageUser: string;
  /** JSON text of the Localhost profile that `seccompProfileOf` names. */
  readonly seccompJson: string | undefined;
  /** --seccomp-default. */
  readonly seccompDefault?: boolean;
}

/** The effective security settings of a container: its own before the pod's. Throws SecurityError (verifyRunAsNonRoot). */
export function containerSecurity(pod: Pod, container: V1Container, inputs: SecurityInputs): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) === true) requireNonRoot(pod, container, user, inputs.imageUser);
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  return {
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups }),
    ...(own.capabilities?.add === undefined ? {} : { addCapabilities: own.capabilities.add }),
    ...(own.capabilities?.drop === undefined ? {} : { dropCapabilities: own.capabilities.drop }),
    ...(own.privileged === true ? { privileged: true } : {}),
    ...(own.readOnlyRootFilesystem === true ? { readOnlyRootFilesystem: true } : {}),
    ...(own.allowPrivilegeEscalation === false ? { noNewPrivileges: true } : {}),
    ...(own.procMount === 'Unmasked' ? { procMount: 'unmasked' as const } : {}),
    ...seccomp(seccompProfileOf(pod, container, inputs.seccompDefault ?? false), inputs),
    ...appArmor(appArmorProfileOf(pod, container)),
  };
}

/** Whether a container of the pod asks for an AppArmor profile, so that a node without AppArmor must refuse it. */
export function needsAppArmor(pod: Pod): boolean {
  const { initContainers = [], containers, securityContext } = pod.spec;
  const profiles = [securityContext, ...[...initContainers, ...containers].map((one) => one.securityContext)];
  return profiles.some((one) => one?.appArmorProfile !== undefined && one.appArmorProfile.type !== 'Unconfined');
}

function appArmorProfileOf(pod: Pod, container: V1Container): V1AppArmorProfile | undefined {
  return container.securityContext?.appArmorProfile ?? pod.spec.securityContext?.appArmorProfile;
}

function appArmor(profile: V1AppArmorProfile | undefined): Pick<ContainerSecurity, 'appArmor'> {
  if (profile === undefined) return {};
  if (profile.type === 'RuntimeDefault') return { appArmor: 'runtime-default' };
  return { appArmor: profile.type === 'Localhost' ? { profile: profile.localhostProfile ?? '' } : 'unconfined' };
}

/** The seccomp profile that counts for a container. @param byDefault the node gives the engine's own to those that name none. */
export function seccompProfileOf(pod: Pod, container: V1Container, byDefault: boolean): V1SeccompProfile | undefined {
  const named = container.securityContext?.seccompProfile ?? pod.spec.securityContext?.seccompProfile;
  return named ?? (byDefault ? { type: 'RuntimeDefault' } : undefined);
}

function seccomp(profile: V1SeccompProfile | undefined, { seccompJson }: SecurityInputs): Pick<ContainerSecurity, 'seccomp'> {
  if (profile === undefined) return {};
  if (profile.type === 'RuntimeDefault') return { seccomp: 'runtime-default' };
  if (profile.type !== 'Localhost') return { seccomp: 'unconfined' };
  if (seccompJson === undefined) throw new SecurityError(`cannot load seccomp profile "${profile.localhostProfile ?? ''}"`);
  return { seccomp: { profileJson: seccompJson } };
}

function requireNonRoot(pod: Pod, container: V1Container, user: number | undefined, imageUser: string): void {
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  if (user !== undefined) {
    if (user === 0) throw new SecurityError(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  const [account = ''] = imageUser.split(':');
  if (account === '' || account === '0') throw new SecurityError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!/^\d+$/.test(account)) {
    throw new SecurityError(
      `container has runAsNonRoot and image has non-numeric user (${account}), cannot verify user is non-root ${where}`,
    );
  }
}
