import type { V1PodSpec, V1ResourceRequirements } from '#api/generated/types.ts';
import { compareQuantities, signOfQuantity } from '../../meta/quantity.ts';

type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const countedResources = ['cpu', 'memory'] as const;

/** The quality-of-service class that a pod's requests and limits of CPU and memory give it. */
export function qosClassOf(spec: V1PodSpec): QosClass {
  const podLevel = spec.resources;
  const sources = podLevel === undefined ? containerResources(spec) : [podLevel];
  if (!sources.some(asksForSomething)) return 'BestEffort';
  return sources.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function containerResources(spec: V1PodSpec): V1ResourceRequirements[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => container.resources ?? {});
}

function asksForSomething({ requests, limits }: V1ResourceRequirements): boolean {
  return countedResources.some((name) => isPositive(requests?.[name]) || isPositive(limits?.[name]));
}

/** Both resources are limited, and what is requested is the limit. */
function isGuaranteed({ requests, limits }: V1ResourceRequirements): boolean {
  return countedResources.every((name) => {
    const limit = limits?.[name];
    const request = requests?.[name];
    if (limit === undefined || !isPositive(limit)) return false;
    return request === undefined || !isPositive(request) || compareQuantities(request, limit) === 0;
  });
}

function isPositive(amount: string | undefined): boolean {
  return amount !== undefined && signOfQuantity(amount) > 0;
}
