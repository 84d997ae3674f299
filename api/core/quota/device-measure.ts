// What a ResourceClaim counts for in a ResourceQuota: itself, and the devices that it may get of each class, under every name by which they
// can be asked for (upstream's pkg/quota/v1/evaluator/core/resource_claims.go).
import type { ResourceV1ResourceClaim, V1DeviceRequest, V1DeviceSubRequest, V1Pod } from '#api/generated/types.ts';
import { addQuantities, compareQuantities, formatQuantity, subtractQuantities } from '../../meta/quantity.ts';
import { podRequests } from '../pod/pod-resources.ts';
import { isExtendedResource } from '../resource-names.ts';
import { devicesOfClass, impliedResource, isDevices, isDevicesOfClass, isRequestOfDevices, requestOf } from './device-names.ts';
import { type CountView, isWhole, type Measure } from './measure.ts';

const countName = 'count/resourceclaims.resource.k8s.io';
/** On claims that the scheduler makes for what containers ask for like for amounts. */
const madeForAmounts = 'resource.kubernetes.io/extended-resource-claim';
/** As many devices as one claim can get, for requests that take all there are. */
const mostDevices = 32;

export const deviceMeasure: Measure = {
  counts: (resource) => resource === countName || isDevicesOfClass(resource) || isRequestOfDevices(resource),
  usage: (object, view) => {
    const claim = object as ResourceV1ResourceClaim;
    const charged = chargedByPod(claim, view);
    const counts = new Map<string, number>();
    for (const request of claim.spec?.devices?.requests ?? []) {
      for (const [className, count] of mostOf(request)) {
        for (const name of namesOf(className, count, charged, view)) counts.set(name, (counts.get(name) ?? 0) + count);
      }
    }
    return { [countName]: '1', ...Object.fromEntries([...counts].map(([name, count]) => [name, String(count)])) };
  },
  isInScope: () => false,
  changes: isWhole,
};

/** An amount that a quota counts for the pod already. */
interface Charged {
  readonly resource: string;
  readonly amount: string;
}

/** What devices of a class count as; but for what the pod that they are for counts, which is then used up. */
function namesOf(className: string, count: number, charged: Charged[], { extendedResourceOf }: CountView): string[] {
  const implied = impliedResource(className);
  const stated = extendedResourceOf(className);
  const resources = stated === undefined ? [implied] : [implied, stated];
  const paid = resources.find((resource) => {
    const at = charged.findIndex((one) => one.resource === resource && compareQuantities(one.amount, String(count)) === 0);
    if (at >= 0) charged.splice(at, 1);
    return at >= 0;
  });
  return [devicesOfClass(className), ...resources.filter((resource) => resource !== paid).map(requestOf)];
}

/** What the pod's containers ask for, where a claim was really made for that; empty for other claims. */
function chargedByPod({ metadata }: ResourceV1ResourceClaim, { podOf }: CountView): Charged[] {
  if (metadata?.annotations?.[madeForAmounts] !== 'true') return [];
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner?.kind !== 'Pod' || owner.apiVersion !== 'v1') return [];
  const pod = podOf(metadata.namespace ?? '', owner.name);
  const claimName = pod?.status?.extendedResourceClaimStatus?.resourceClaimName;
  if (pod === undefined || pod.metadata?.uid !== owner.uid || (claimName !== undefined && claimName !== metadata.name)) return [];
  return amountsOf(pod);
}

/** Of containers that run beside each other each its own; of those that come before, what they need beyond that. */
function amountsOf({ spec, status }: V1Pod): Charged[] {
  if (spec === undefined) return [];
  const charged: Charged[] = [];
  const sums = new Map<string, string>();
  const { initContainers = [], containers } = spec;
  for (const container of [...initContainers, ...containers]) {
    const endsFirst = initContainers.includes(container) && container.restartPolicy !== 'Always';
    for (const [resource, amount] of Object.entries(container.resources?.requests ?? {})) {
      if (!isDevices(resource) && !isExtendedResource(resource)) continue;
      if (!endsFirst) charged.push({ resource, amount });
      sums.set(resource, endsFirst ? '0' : formatQuantity(addQuantities(sums.get(resource) ?? '0', amount)));
    }
  }
  const most = podRequests(spec, status);
  for (const [resource, sum] of sums) {
    const needed = most[resource];
    if (needed === undefined || compareQuantities(needed, sum) <= 0) continue;
    charged.push({ resource, amount: formatQuantity(subtractQuantities(needed, sum)) });
  }
  return charged;
}

/** Of alternatives the worst counts, class by class. */
function mostOf({ exactly, firstAvailable = [] }: V1DeviceRequest): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  const requests = firstAvailable.length > 0 ? firstAvailable : exactly === undefined ? [] : [exactly];
  for (const request of requests) {
    const { deviceClassName } = request;
    most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, countOf(request)));
  }
  return most;
}

function countOf({ allocationMode, count = 0 }: Pick<V1DeviceSubRequest, 'allocationMode' | 'count'>): number {
  if (allocationMode === 'ExactCount') return count;
  return allocationMode === 'All' ? mostDevices : 0;
}
