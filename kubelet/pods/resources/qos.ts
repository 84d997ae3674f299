import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { compareQuantities, signOfQuantity } from '#api/meta/quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** The quality of service that a pod's requests and limits of CPU and memory give it; what its status says already stands. */
export function qosClass(pod: Pod): QosClass {
  const known = pod.status?.qosClass;
  if (known === 'Guaranteed' || known === 'Burstable' || known === 'BestEffort') return known;
  const all: Pick<V1Container, 'resources'>[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const parts = hasAmounts(pod.spec) ? [{ resources: pod.spec.resources ?? {} }] : all;
  if (!parts.some(hasAmounts)) return 'BestEffort';
  return parts.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function hasAmounts({ resources }: { resources?: V1Container['resources'] }): boolean {
  const { requests = {}, limits = {} } = resources ?? {};
  return ['cpu', 'memory'].some((name) => isPositive(requests[name]) || isPositive(limits[name]));
}

function isGuaranteed({ resources }: { resources?: V1Container['resources'] }): boolean {
  const { requests = {}, limits = {} } = resources ?? {};
  return ['cpu', 'memory'].every((name) => {
    const limit = limits[name];
    const request = requests[name] ?? limit;
    return limit !== undefined && request !== undefined && isPositive(limit) && compareQuantities(limit, request) === 0;
  });
}

function isPositive(amount: string | undefined): boolean {
  return amount !== undefined && signOfQuantity(amount) > 0;
}
