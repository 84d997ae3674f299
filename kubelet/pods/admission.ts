// Whether this node takes a pod that was bound to it (pkg/kubelet/lifecycle/predicate.go). Pure.
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1NodeSelectorRequirement, V1NodeSelectorTerm } from '#api/generated/types.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import { podSum } from './resources/pod-cgroup.ts';
import { needsAppArmor } from './security.ts';

export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

const safeSysctls: readonly string[] = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

export interface AdmissionSettings {
  /** --allowed-unsafe-sysctls. */
  readonly allowedSysctls?: readonly string[];
  /** The kernel has AppArmor. */
  readonly hasAppArmor?: boolean;
}

/** Why the node refuses a pod; undefined where it takes it. `active` are the other pods that take resources now. */
export function judgeAdmission(
  pod: Pod,
  node: Node,
  active: readonly Pod[],
  { allowedSysctls = [], hasAppArmor = false }: AdmissionSettings = {},
): Rejection | undefined {
  if (!hasAppArmor && needsAppArmor(pod))
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
  const sysctl = (pod.spec.securityContext?.sysctls ?? []).find(
    ({ name }) => !safeSysctls.includes(name) && !isAllowed(name, allowedSysctls),
  );
  if (sysctl !== undefined)
    return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(sysctl.name)} not allowlisted` };
  if (pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict' && node.status?.features?.supplementalGroupsPolicy !== true) {
    const message = 'SupplementalGroupsPolicy=Strict is not supported in this node';
    return { reason: 'SupplementalGroupsPolicyNotSupported', message };
  }
  const lack = lackOf(pod, node, active);
  if (lack !== undefined) return lack;
  if (matchesNode(pod, node)) return undefined;
  return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" };
}

function isAllowed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

/** The first resource that the node has too little of for this pod beside the others. */
export function lackOf(pod: Pod, node: Node, active: readonly Pod[]): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const podLimit = quantityBytes(allocatable['pods']);
  if (active.length + 1 > podLimit) return lacks('pods', 1, active.length, podLimit);
  for (const name of resourcesOf(pod)) {
    const requested = requestOf(pod, name);
    const capacity = amount(name, allocatable[name]);
    const used = active.reduce((sum, other) => sum + requestOf(other, name), 0);
    if (requested > 0 && used + requested > capacity) return lacks(name, requested, used, capacity);
  }
  return undefined;
}

function lacks(resource: string, requested: number, used: number, capacity: number): Rejection {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

function resourcesOf({ spec }: Pod): string[] {
  const all = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
  return [...new Set(['cpu', 'memory', 'ephemeral-storage', ...all])];
}

/** What a pod asks for: thousandths of CPUs, bytes, or pieces. */
export function requestOf(pod: Pod, name: string): number {
  const own = podSum(pod, ({ resources }) => amount(name, resources?.requests?.[name]));
  const podLevel = pod.spec.resources?.requests?.[name];
  return (podLevel === undefined ? own : amount(name, podLevel)) + amount(name, pod.spec.overhead?.[name]);
}

function amount(name: string, text: string | undefined): number {
  return name === 'cpu' ? cpuMillis(text) : quantityBytes(text);
}

function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return selected && (terms === undefined || terms.some((term) => matchesTerm(term, node)));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return matchExpressions.every((one) => matchesRequirement(one, labels)) && matchFields.every((one) => matchesRequirement(one, fields));
}

function matchesRequirement({ key, operator, values = [] }: V1NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
