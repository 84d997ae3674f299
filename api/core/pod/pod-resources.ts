// What a pod's containers ask for together: sums for the scheduler, the QoS class and pod-level defaults.
import type { V1Container, V1ContainerStatus, V1PodSpec, V1PodStatus } from '#api/generated/types.ts';
import { addQuantities, amountOf, compareQuantities, formatQuantity } from '../../meta/quantity.ts';

/** Canonical amounts by resource name. */
export type Amounts = Record<string, string>;

const pendingResize = 'PodResizePending';

/** A sidecar: an init container that keeps running beside the others. */
export function isSidecar(container: { readonly restartPolicy?: string | undefined }): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * What the containers request or are limited to in all: running ones are summed, init containers count with the most that
 * runs at one time (upstream's resource helpers).
 */
export function aggregateContainers(spec: V1PodSpec, which: 'requests' | 'limits', status?: V1PodStatus): Amounts {
  const amountsOf = (container: V1Container): Amounts => effectiveAmounts(container, which, status);
  let total: Amounts = {};
  for (const container of spec.containers ?? []) total = sum(total, amountsOf(container));
  let sidecars: Amounts = {};
  let initPeak: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      sidecars = sum(sidecars, amountsOf(container));
      total = sum(total, amountsOf(container));
      initPeak = larger(initPeak, sidecars);
    } else {
      initPeak = larger(initPeak, sum(sidecars, container.resources?.[which] ?? {}));
    }
  }
  return larger(total, initPeak);
}

/** What a container asks for or, while it is resized, what it still has or has been promised, if that is more. Not for init containers that end. */
export function effectiveAmounts(container: V1Container, which: 'requests' | 'limits', status: V1PodStatus | undefined): Amounts {
  const wanted = container.resources?.[which] ?? {};
  const isNamed = ({ name }: V1ContainerStatus): boolean => name === container.name;
  const known = status?.containerStatuses?.find(isNamed) ?? status?.initContainerStatuses?.find(isNamed);
  if (known?.resources === undefined) return wanted;
  const { resources, allocatedResources = {} } = known;
  const had = which === 'requests' ? larger(resources.requests ?? {}, allocatedResources) : (resources.limits ?? {});
  const resize = status?.conditions?.find(({ type }) => type === pendingResize);
  return resize?.reason === 'Infeasible' ? had : larger(wanted, had);
}

/**
 * What the whole pod asks for: pod-level amounts where given, else those of its containers, and the overhead. With `status`, a resize
 * that is under way counts at its larger end.
 */
export function podRequests(spec: V1PodSpec, status?: V1PodStatus): Amounts {
  return withPodLevel(spec, 'requests', status);
}

/** Whether what a pod uses may change without its spec: a resize waits or is under way. */
export function isResizing(status: V1PodStatus | undefined): boolean {
  return status?.conditions?.some(({ type }) => type === pendingResize || type === 'PodResizeInProgress') === true;
}

/** What the whole pod is limited to. */
export function podLimits(spec: V1PodSpec, status?: V1PodStatus): Amounts {
  return withPodLevel(spec, 'limits', status);
}

function withPodLevel(spec: V1PodSpec, which: 'requests' | 'limits', status: V1PodStatus | undefined): Amounts {
  const amounts = { ...aggregateContainers(spec, which, status) };
  for (const [name, amount] of Object.entries(spec.resources?.[which] ?? {})) {
    if (isPodLevelResource(name)) amounts[name] = amount;
  }
  const overhead = spec.overhead ?? {};
  if (which === 'requests') return sum(amounts, overhead);
  // A pod without a limit has none because of its overhead.
  const limited = Object.entries(overhead).filter(([name]) => Object.hasOwn(amounts, name));
  return sum(amounts, Object.fromEntries(limited));
}

/** Resources that may be given for a whole pod. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
}

/** Huge pages of the containers are the pod's, where it says anything of its own, but nothing of these. */
function defaultHugePages(spec: V1PodSpec, { requests, limits }: NonNullable<V1PodSpec['resources']>): Amounts | undefined {
  if (Object.keys(requests ?? {}).length + Object.keys(limits ?? {}).length === 0) return limits;
  const missing = Object.entries(aggregateContainers(spec, 'limits')).filter(
    ([name]) => name.startsWith('hugepages-') && amountOf(requests ?? {}, name) === undefined && amountOf(limits ?? {}, name) === undefined,
  );
  return missing.length === 0 ? limits : { ...limits, ...Object.fromEntries(missing) };
}

/** Fills in what the whole pod is limited to of huge pages, and what it requests, once it has limits. */
export function defaultPodResources(spec: V1PodSpec): void {
  if (spec.resources === undefined) return;
  const limits = defaultHugePages(spec, spec.resources);
  if (limits === undefined || Object.keys(limits).length === 0) return;
  spec.resources.limits = limits;
  const requests: Amounts = { ...spec.resources.requests };
  for (const [name, amount] of Object.entries(aggregateContainers(spec, 'requests'))) {
    if (name === 'cpu' || name === 'memory') requests[name] ??= amount;
  }
  for (const [name, amount] of Object.entries(limits)) {
    if (isPodLevelResource(name)) requests[name] ??= amount;
  }
  spec.resources.requests = requests;
}

function sum(left: Amounts, right: Amounts): Amounts {
  const result = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    const before = amountOf(result, name);
    result[name] = before === undefined ? amount : formatQuantity(addQuantities(before, amount));
  }
  return result;
}

function larger(left: Amounts, right: Amounts): Amounts {
  const result = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    const before = amountOf(result, name);
    if (before === undefined || compareQuantities(before, amount) < 0) result[name] = amount;
  }
  return result;
}
