// Which updates the runtime still needs before running containers have their allocated resources. Derived from the limits that the
// runtime reports, so a restart of the kubelet loses nothing. Pure. (pkg/kubelet/kuberuntime: computePodResizeAction)
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1ResourceRequirements } from '#api/generated/types.ts';
import { cpuMillis, formatQuantity, quantityBytes } from '#api/meta/quantity.ts';
import type { ContainerResources, ContainerStatus, ContainerUsage, RuntimePod } from '../../runtime/contract.ts';
import { isRunning, latestOf } from '../observed.ts';
import { containerResources, cpuShares } from '../resources/container-resources.ts';
import { podCgroup } from '../resources/pod-cgroup.ts';

/** Resources already given to the runtime, as JSON by container id or `podKey`. A limit that the runtime ignores is not set over and over. */
export type Actuated = ReadonlyMap<string, string>;

/** Key in `Actuated` of the pod's cgroup. */
export const podKey = '';

interface ContainerChange {
  readonly id: string;
  readonly name: string;
  readonly wanted: ContainerResources;
  /** The new memory limit where it is lower than the present one. */
  readonly lowersMemoryTo: number | undefined;
  /** True when it gets less than it has, so that the pod's own limit must follow later. */
  readonly isLess: boolean;
}

export interface Actuation {
  readonly containers: readonly ContainerChange[];
  readonly changesPod: boolean;
}

/** Undefined where nothing is left to actuate. Containers that need a restart for it are not included. */
export function planActuation(pod: Pod, observed: RuntimePod | undefined, actuated: Actuated): Actuation | undefined {
  const containers = resizable(pod).flatMap((container): ContainerChange[] => {
    const status = latestOf(observed, container.name);
    if (status === undefined || changeOf(pod, container, status, actuated) !== 'inPlace') return [];
    const wanted = resourcesOf(pod, container);
    const [now = 0, next = 0] = [status.resources?.memoryBytes, wanted.memoryBytes];
    const lowersMemory = next > 0 && (now === 0 || next < now);
    const [nowQuota = 0, nextQuota = 0] = [status.resources?.cpuQuotaMicros, wanted.cpuQuotaMicros];
    const isLess = lowersMemory || (nextQuota > 0 && (nowQuota === 0 || nextQuota < nowQuota));
    return [{ id: status.id, name: container.name, wanted, lowersMemoryTo: lowersMemory ? next : undefined, isLess }];
  });
  const known = actuated.get(podKey);
  const changesPod = known !== undefined && known !== podText(pod);
  return containers.length === 0 && !changesPod ? undefined : { containers, changesPod };
}

/** How a container comes to its resources: not at all, while it runs, or by a restart, as its resizePolicy says. */
export function changeOf(pod: Pod, container: V1Container, status: ContainerStatus, actuated: Actuated): 'none' | 'inPlace' | 'restart' {
  const { resources: now } = status;
  if (!isRunning(status) || now === undefined) return 'none';
  const wanted = resourcesOf(pod, container);
  if (actuated.get(status.id) === JSON.stringify(wanted)) return 'none';
  const changed = [
    ...(wanted.cpuShares === now.cpuShares && wanted.cpuQuotaMicros === now.cpuQuotaMicros ? [] : ['cpu']),
    ...(wanted.memoryBytes === now.memoryBytes ? [] : ['memory']),
  ];
  if (changed.length === 0) return 'none';
  const restarts = (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.includes(resourceName),
  );
  return restarts ? 'restart' : 'inPlace';
}

/** True while some running container has not got what was set aside for it. */
export function isBehind(pod: Pod, observed: RuntimePod | undefined, actuated: Actuated): boolean {
  const isOld = (container: V1Container): boolean => {
    const status = latestOf(observed, container.name);
    return status !== undefined && changeOf(pod, container, status, actuated) !== 'none';
  };
  return planActuation(pod, observed, actuated) !== undefined || resizable(pod).some(isOld);
}

/** Why a memory limit cannot be lowered now; undefined where it can. Below what is in use, lowering it would kill. */
export function memoryRefusal(pod: Pod, changes: readonly ContainerChange[], usage: readonly ContainerUsage[]): string | undefined {
  const lowered = changes.filter(({ lowersMemoryTo }) => lowersMemoryTo !== undefined);
  if (lowered.length === 0) return undefined;
  const problems: string[] = [];
  const podLimit = podCgroup(pod, '/').memoryBytes;
  const podUsage = usage.reduce((sum, { memoryUsageBytes }) => sum + memoryUsageBytes, 0);
  if (podLimit !== undefined && podUsage > podLimit) {
    problems.push(`attempting to set pod memory limit (${podLimit}) below current usage (${podUsage})`);
  }
  for (const { id, name, lowersMemoryTo = 0 } of lowered) {
    const used = usage.find((one) => one.id === id)?.memoryUsageBytes ?? 0;
    if (used <= lowersMemoryTo) continue;
    problems.push(`attempting to set container ${JSON.stringify(name)} memory limit (${lowersMemoryTo}) below current usage (${used})`);
  }
  if (problems.length === 0) return undefined;
  return `cannot decrease memory limits: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`;
}

/** What a container has now, in the words of its spec: as allocated, but for the amounts that the engine holds it to differently. */
export function actualResources(container: V1Container, status: ContainerStatus | undefined): V1ResourceRequirements {
  const allocated = container.resources ?? {};
  const now = status?.resources;
  if (now === undefined) return allocated;
  const { requests = {}, limits = {} } = allocated;
  const quota = now.cpuQuotaMicros;
  const quotaMillis = quota === undefined ? 0 : Math.round((quota * 1_000) / (now.cpuPeriodMicros ?? 100_000));
  const wanted = cpuShares(cpuMillis(requests['cpu'] ?? limits['cpu']));
  const isShareKept = now.cpuShares === undefined || now.cpuShares === wanted;
  const nextLimits = {
    ...limits,
    // A quota below 10 thousandths is not given, so the allocated amount may be less.
    ...(limits['cpu'] === undefined || Math.max(10, cpuMillis(limits['cpu'])) === quotaMillis ? {} : { cpu: millisText(quotaMillis) }),
    ...(limits['memory'] === undefined || quantityBytes(limits['memory']) === (now.memoryBytes ?? 0)
      ? {}
      : { memory: bytesText(now.memoryBytes ?? 0) }),
  };
  const nextRequests = {
    ...requests,
    ...(requests['cpu'] === undefined || isShareKept ? {} : { cpu: millisText(Math.ceil(((now.cpuShares ?? 0) * 1_000) / 1_024)) }),
  };
  return {
    ...allocated,
    ...(allocated.limits === undefined ? {} : { limits: withoutZero(nextLimits) }),
    ...(allocated.requests === undefined ? {} : { requests: nextRequests }),
  };
}

/** As upstream writes amounts of memory that it measured. */
function bytesText(bytes: number): string {
  return formatQuantity({ digits: BigInt(bytes), exponent: 0, format: 'BinarySI' });
}

/** The resources of a container as the runtime takes them. The OOM score stays as the container was created. */
function resourcesOf(pod: Pod, container: V1Container): ContainerResources {
  const { oomScoreAdj: _, ...changeable } = containerResources(pod, container, { memoryBytes: 1 });
  return changeable;
}

/** The resources of the pod's cgroup, as a key of what was actuated. */
export function podText(pod: Pod): string {
  const { cpuShares: shares, cpuQuotaMicros, memoryBytes } = podCgroup(pod, '/');
  return JSON.stringify([shares, cpuQuotaMicros, memoryBytes]);
}

/** Init containers that run are given what they ask for, too. */
function resizable({ spec }: Pod): V1Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

function millisText(millis: number): string {
  return millis % 1_000 === 0 ? String(millis / 1_000) : `${millis}m`;
}

/** No amount is no limit. */
function withoutZero(amounts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== '0'));
}
