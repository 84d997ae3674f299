// Whether this node takes a pod that was bound to it (pkg/kubelet/lifecycle/predicate.go). Pure.
import { isStaticPod } from '#api/core/pod/mirror.ts';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { tolerates } from '#api/core/pod/tolerates.ts';
import type { V1ContainerPort, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1Taint } from '#api/generated/types.ts';
import { isExtendedResource } from '#api/core/resource-names.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import { podSum } from './resources/pod-cgroup.ts';
import { needsAppArmor } from './security.ts';
import { sysctlName } from './sysctl-name.ts';

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

const nodeOs = 'linux';

export interface AdmissionSettings {
  /** --allowed-unsafe-sysctls. */
  readonly allowedSysctls?: readonly string[];
  /** The kernel has AppArmor. */
  readonly hasAppArmor?: boolean;
}

/** What a node has too little of: thousandths of CPUs, bytes, or pieces. */
export interface Lack {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/**
 * Why the node refuses a pod; undefined where it takes it. `active` are the other pods that take resources now. With `hasWay` it is not
 * asked whether there is room: others make way for such a pod.
 */
export function judgeAdmission(
  pod: Pod,
  node: Node,
  active: readonly Pod[],
  { allowedSysctls = [], hasAppArmor = false }: AdmissionSettings = {},
  hasWay = false,
): Rejection | undefined {
  const wrongOs = judgeOs(pod);
  if (wrongOs !== undefined) return wrongOs;
  if (!hasAppArmor && needsAppArmor(pod))
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
  const forbidden = forbiddenSysctl(pod, allowedSysctls);
  if (forbidden !== undefined) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${forbidden}` };
  if (pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict' && node.status?.features?.supplementalGroupsPolicy !== true) {
    const message = 'SupplementalGroupsPolicy=Strict is not supported in this node';
    return { reason: 'SupplementalGroupsPolicyNotSupported', message };
  }
  const lack = hasWay ? undefined : lackOf(pod, node, active);
  if (lack !== undefined) return lack;
  if (!matchesNode(pod, node)) return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (!hasFreePorts(pod, active)) return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  // A node's own pods are there to get it out of trouble.
  const isRepelled = !isStaticPod(pod) && (node.spec?.taints ?? []).some((taint) => repels(taint, pod));
  return isRepelled ? predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate") : undefined;
}

/** Whatever the node's own label says. */
function judgeOs({ metadata: { labels = {} }, spec: { os } }: Pod): Rejection | undefined {
  if ((labels['kubernetes.io/os'] ?? nodeOs) !== nodeOs) {
    const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message };
  }
  const isOther = os !== undefined && os.name !== '' && os.name !== nodeOs;
  return isOther ? { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" } : undefined;
}

function predicate(name: string, why: string): Rejection {
  return { reason: name, message: `Predicate ${name} failed: ${why}` };
}

/** Only one effect is the kubelet's affair. */
function repels(taint: V1Taint, { spec }: Pod): boolean {
  return taint.effect === 'NoExecute' && !tolerates(spec.tolerations ?? [], taint);
}

/** Ports of the host that a pod takes (pkg/scheduler/framework: HostPortInfo). */
function hostPorts({ spec }: Pod): V1ContainerPort[] {
  const all = [...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'), ...spec.containers];
  return all.flatMap(({ ports = [] }) => ports.filter(({ hostPort = 0 }) => hostPort > 0));
}

const anyAddress = '0.0.0.0';

function hasFreePorts(pod: Pod, active: readonly Pod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return true;
  const addressOf = ({ hostIP = '' }: V1ContainerPort): string => (hostIP === '' ? anyAddress : hostIP);
  const taken = active.flatMap(hostPorts);
  return !wanted.some((one) =>
    taken.some((other) => {
      const isSamePort = one.hostPort === other.hostPort && (one.protocol ?? 'TCP') === (other.protocol ?? 'TCP');
      const addresses = [addressOf(one), addressOf(other)];
      return isSamePort && (addresses.includes(anyAddress) || addresses[0] === addresses[1]);
    }),
  );
}

/** Only what a pod has of its own may it change. */
function forbiddenSysctl({ spec }: Pod, allowed: readonly string[]): string | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const [text, dotted] = [JSON.stringify(name), sysctlName(name)];
    if (!safeSysctls.includes(dotted) && !isAllowed(dotted, allowed)) return `${text} not allowlisted`;
    if (spec.hostNetwork === true && dotted.startsWith('net.')) return `${text} not allowed with host net enabled`;
    if (spec.hostIPC === true && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) return `${text} not allowed with host ipc enabled`;
  }
  return undefined;
}

function isAllowed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

/** The first resource that the node has too little of for this pod beside the others. */
export function lackOf(pod: Pod, node: Node, active: readonly Pod[]): Rejection | undefined {
  const [lack] = lacksOf(pod, node, active);
  if (lack === undefined) return undefined;
  const { resource, requested, used, capacity } = lack;
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

/** All that the node has too little of for this pod beside the others. Extended resources that it does not count are the cluster's. */
export function lacksOf(pod: Pod, node: Node, active: readonly Pod[]): Lack[] {
  const allocatable = node.status?.allocatable ?? {};
  return ['pods', ...resourcesOf(pod)].flatMap((resource): Lack[] => {
    if (allocatable[resource] === undefined && isExtendedResource(resource)) return [];
    const requested = requestOf(pod, resource);
    const capacity = amount(resource, allocatable[resource]);
    const used = active.reduce((sum, other) => sum + requestOf(other, resource), 0);
    return requested > 0 && used + requested > capacity ? [{ resource, requested, used, capacity }] : [];
  });
}

function resourcesOf({ spec }: Pod): string[] {
  const all = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
  return [...new Set(['cpu', 'memory', 'ephemeral-storage', ...all])];
}

/** What a pod asks for: thousandths of CPUs, bytes, or pieces. */
export function requestOf(pod: Pod, name: string): number {
  if (name === 'pods') return 1;
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
