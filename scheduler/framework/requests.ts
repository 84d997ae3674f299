import type { V1Container, V1PodSpec, V1PodStatus } from '#api/generated/types.ts';
import { effectiveAmounts, isPodLevelResource, isSidecar } from '#api/core/pod/pod-resources.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';

/** Amounts of resources as numbers. */
export interface Resources {
  cpuMillis: number;
  memoryBytes: number;
  ephemeralBytes: number;
  /** Extended resources, huge pages and the like; absent where there are none. */
  scalars: Map<string, number> | undefined;
}

/** What the scheduler takes a container to use that says nothing, so that such pods spread too. */
const unstatedCpuMillis = 100;
const unstatedMemoryBytes = 200 * 1_024 * 1_024;

export function noResources(): Resources {
  return { cpuMillis: 0, memoryBytes: 0, ephemeralBytes: 0, scalars: undefined };
}

/** Reads a resource list; names that are not counted (`pods`) are left out. */
export function readResources(list: Readonly<Record<string, string>> | undefined): Resources {
  const result = noResources();
  for (const name in list) setResource(result, name, list[name] ?? '0');
  return result;
}

/**
 * What a pod asks of its node: its containers together, or the most that init containers need at one time where that is more;
 * pod-level amounts in their place where given; and its overhead (upstream's resource helpers). With `status`, a resize that is under
 * way counts at its larger end.
 */
export function requestsOf(spec: V1PodSpec, unstated: 'as zero' | 'as typical' = 'as zero', status?: V1PodStatus): Resources {
  const of = (container: V1Container, its: V1PodStatus | undefined): Resources => {
    const stated = effectiveAmounts(container, 'requests', its);
    const requests = readResources(stated);
    if (unstated === 'as zero') return requests;
    if (stated['cpu'] === undefined) requests.cpuMillis = unstatedCpuMillis;
    if (stated['memory'] === undefined) requests.memoryBytes = unstatedMemoryBytes;
    return requests;
  };
  const total = noResources();
  for (const container of spec.containers) add(total, of(container, status), 1);
  if (spec.initContainers !== undefined && spec.initContainers.length > 0) {
    const sidecars = noResources();
    const peak = noResources();
    for (const container of spec.initContainers) {
      const needs = of(container, isSidecar(container) ? status : undefined);
      if (isSidecar(container)) {
        add(total, needs, 1);
        add(sidecars, needs, 1);
        raise(peak, sidecars);
      } else {
        add(needs, sidecars, 1);
        raise(peak, needs);
      }
    }
    raise(total, peak);
  }
  for (const [name, amount] of Object.entries(spec.resources?.requests ?? {})) {
    if (isPodLevelResource(name)) setResource(total, name, amount);
  }
  if (spec.overhead !== undefined) add(total, readResources(spec.overhead), 1);
  return total;
}

/** Adds (`sign` 1) or takes away (-1) amounts, in place. */
export function add(to: Resources, amounts: Resources, sign: 1 | -1): void {
  to.cpuMillis += sign * amounts.cpuMillis;
  to.memoryBytes += sign * amounts.memoryBytes;
  to.ephemeralBytes += sign * amounts.ephemeralBytes;
  if (amounts.scalars === undefined) return;
  to.scalars ??= new Map();
  for (const [name, amount] of amounts.scalars) to.scalars.set(name, (to.scalars.get(name) ?? 0) + sign * amount);
}

/** Whether any amount is smaller in `next`. */
export function isLess(next: Resources, previous: Resources): boolean {
  if (next.cpuMillis < previous.cpuMillis || next.memoryBytes < previous.memoryBytes) return true;
  if (next.ephemeralBytes < previous.ephemeralBytes) return true;
  return [...(previous.scalars ?? [])].some(([name, amount]) => (next.scalars?.get(name) ?? 0) < amount);
}

function raise(to: Resources, least: Resources): void {
  to.cpuMillis = Math.max(to.cpuMillis, least.cpuMillis);
  to.memoryBytes = Math.max(to.memoryBytes, least.memoryBytes);
  to.ephemeralBytes = Math.max(to.ephemeralBytes, least.ephemeralBytes);
  if (least.scalars === undefined) return;
  to.scalars ??= new Map();
  for (const [name, amount] of least.scalars) to.scalars.set(name, Math.max(to.scalars.get(name) ?? 0, amount));
}

function setResource(to: Resources, name: string, amount: string): void {
  if (name === 'cpu') to.cpuMillis = cpuMillis(amount);
  else if (name === 'memory') to.memoryBytes = quantityBytes(amount);
  else if (name === 'ephemeral-storage') to.ephemeralBytes = quantityBytes(amount);
  else if (name.includes('/') || name.startsWith('hugepages-') || name.startsWith('attachable-volumes-')) {
    to.scalars ??= new Map();
    to.scalars.set(name, quantityBytes(amount));
  }
}
