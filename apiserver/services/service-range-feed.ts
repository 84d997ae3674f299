import type { KindDefinition } from '#api/kind.ts';
import { type ServiceCIDR, serviceCidr } from '#api/networking/service-cidr.ts';
import type { Clock } from '#base/clock.ts';
import type { Service as Part } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { followKind } from '../follow-kind.ts';
import type { Encoded, Registry } from '../registry/contract.ts';
import { type IpRange, ipRangeOf } from './ip-range.ts';
import type { ServicePools } from './service-pools.ts';

export const rangeKind = serviceCidr as unknown as KindDefinition;
/** The one that the API server makes itself. */
export const defaultRangeName = 'kubernetes';

interface ServiceRangeFeedDeps {
  readonly pools: Pick<ServicePools, 'useRanges'>;
  readonly registry: Registry;
  /** Of the flags: given out of until the object that says so is there. */
  readonly ipRange: IpRange;
  readonly clock: Clock;
  readonly log: Log;
}

/** The ranges that addresses may be given out of now: IPv4 ranges without a false Ready condition or a deletion timestamp. */
function rangesInUse(objects: Iterable<ServiceCIDR>, ofFlags: IpRange): IpRange[] {
  const ranges = new Map<string, IpRange>();
  let isDefaultThere = false;
  for (const { metadata, spec, status } of objects) {
    if (metadata.name === defaultRangeName) isDefaultThere = true;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    if (metadata.deletionTimestamp !== undefined || (ready !== undefined && ready.status !== 'True')) continue;
    for (const cidr of spec.cidrs ?? []) {
      const range = ipRangeOf(cidr);
      if (range !== undefined) ranges.set(range.text, range);
    }
  }
  if (!isDefaultThere) ranges.set(ofFlags.text, ofFlags);
  return [...ranges.values()];
}

/** Lets addresses come from the ServiceCIDR objects. Ready once all of them are known. */
export function serviceRangeFeed({ pools, registry, ipRange, clock, log }: ServiceRangeFeedDeps): Part[] {
  if (registry.find(rangeKind.group, rangeKind.version, rangeKind.names.plural) === undefined) return [];
  const known = new Map<string, ServiceCIDR>();
  const changed = (): void => pools.useRanges(rangesInUse(known.values(), ipRange));
  const nameOf = (encoded: Encoded): string => encoded.object().metadata.name ?? '';
  return [
    followKind(
      { registry, kind: rangeKind, clock, log },
      {
        set: (encoded) => {
          known.set(nameOf(encoded), encoded.object() as ServiceCIDR);
          changed();
        },
        remove: (encoded) => {
          known.delete(nameOf(encoded));
          changed();
        },
        retain: (keys) => {
          for (const name of known.keys()) if (!keys.has(name)) known.delete(name);
          changed();
        },
      },
    ),
  ];
}
