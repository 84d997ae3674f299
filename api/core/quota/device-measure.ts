// What a ResourceClaim counts for in a ResourceQuota: itself, and the devices that it may get of each class.
import type { ResourceV1ResourceClaim, V1DeviceRequest, V1DeviceSubRequest } from '#api/generated/types.ts';
import { isWhole, type Measure } from './measure.ts';

const countName = 'count/resourceclaims.resource.k8s.io';
const classSuffix = '.deviceclass.resource.k8s.io/devices';
/** As many devices as one claim can get, for requests that take all there are. */
const mostDevices = 32;

export const deviceMeasure: Measure = {
  counts: (resource) => resource === countName || resource.endsWith(classSuffix),
  usage: (object) => {
    const { spec } = object as ResourceV1ResourceClaim;
    const counts = new Map<string, number>();
    for (const request of spec?.devices?.requests ?? []) {
      for (const [name, count] of mostOf(request)) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    const devices = [...counts].map(([name, count]) => [`${name}${classSuffix}`, String(count)] as const);
    return { [countName]: '1', ...Object.fromEntries(devices) };
  },
  isInScope: () => false,
  changes: isWhole,
};

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
