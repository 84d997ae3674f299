// What a check of the Pod Security Standards is, and the words that all of them share.
import type { V1Container, V1EphemeralContainer, V1ObjectMeta, V1PodSpec, V1SecurityContext } from '#api/generated/types.ts';

export type CheckedLevel = 'baseline' | 'restricted';

/** Why a pod breaks a rule: the reason always, and in brackets behind it what exactly does. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** Undefined: the pod keeps the rule. */
export type CheckPod = (spec: V1PodSpec, metadata: V1ObjectMeta) => Violation | undefined;

export interface CheckVersion {
  /** The first minor version of Kubernetes whose standards have the rule in this form. */
  readonly since: number;
  readonly check: CheckPod;
  /** Checks of the baseline that this one is stricter than, so that they need not repeat it. */
  readonly replaces?: readonly string[];
}

export interface Check {
  /** Upstream's; violations are listed in this order. */
  readonly id: string;
  readonly level: CheckedLevel;
  /** Oldest first. */
  readonly versions: readonly CheckVersion[];
}

export type AnyContainer = V1Container | V1EphemeralContainer;

/** All containers: init, regular, ephemeral. */
export function containersOf(spec: V1PodSpec): AnyContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** Names of the containers that break a rule. */
function offenders(spec: V1PodSpec, breaks: (container: AnyContainer) => boolean): string[] {
  return containersOf(spec)
    .filter(breaks)
    .map(({ name }) => name);
}

/** Like `offenders`, for a rule about something in the security context. */
export function offendersBy(spec: V1PodSpec, breaks: (context: V1SecurityContext | undefined) => boolean): string[] {
  return offenders(spec, ({ securityContext }) => breaks(securityContext));
}

/** `"a", "b"`. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** Each once, as Go sorts texts. */
export function sortedSet(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}

export function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

/** `container "a"` or `containers "a", "b"`. */
export function containersText(names: readonly string[]): string {
  return `${plural(names.length, 'container', 'containers')} ${quoted(names)}`;
}

/** Who set something: the pod, containers, or both; '' if neither. */
export function settersText(byPod: boolean, containers: readonly string[]): string {
  return [...(byPod ? ['pod'] : []), ...(containers.length > 0 ? [containersText(containers)] : [])].join(' and ');
}

/** Pods in a user namespace of their own may be root there. */
function hasUserNamespace(spec: V1PodSpec): boolean {
  return spec.hostUsers === false;
}

/** Rules about Linux do not concern pods of Windows. */
export function unlessWindows(check: CheckPod): CheckPod {
  return (spec, metadata) => (spec.os?.name === 'windows' ? undefined : check(spec, metadata));
}

export function unlessUserNamespace(check: CheckPod): CheckPod {
  return (spec, metadata) => (hasUserNamespace(spec) ? undefined : check(spec, metadata));
}
