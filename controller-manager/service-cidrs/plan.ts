// Which ranges of addresses are ready and which may go (upstream's pkg/controller/servicecidrs/servicecidrs_controller.go).
import { holdsNetwork, ipFamilyOf, type Network, networkOf } from '#api/meta/ip.ts';
import type { IPAddress } from '#api/networking/ip-address.ts';
import type { ServiceCIDR } from '#api/networking/service-cidr.ts';

export const rangeFinalizer = 'networking.k8s.io/service-cidr-finalizer';
/** For API servers to hear of a deletion, so that they give out of the range no more. */
const graceMs = 10_000;

export interface ReadyCondition {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

type RangePlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'protect' }
  | { readonly kind: 'setCondition'; readonly ready: ReadyCondition }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'release' };

interface RangeView {
  readonly range: ServiceCIDR;
  /** All ranges; this one may be among them. */
  readonly ranges: readonly ServiceCIDR[];
  readonly addresses: () => readonly IPAddress[];
  readonly nowMs: number;
}

const ready: ReadyCondition = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
const inUse: ReadyCondition = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

/** The next step for one range. */
export function planRange({ range, ranges, addresses, nowMs }: RangeView): RangePlan {
  const { deletionTimestamp, finalizers = [] } = range.metadata;
  const isProtected = finalizers.includes(rangeFinalizer);
  if (deletionTimestamp === undefined) return isProtected ? setCondition(range, ready) : { kind: 'protect' };
  if (!isProtected) return { kind: 'keep' };
  // A range that is being deleted cannot take over addresses.
  const others = ranges.filter(({ metadata }) => metadata.name !== range.metadata.name && metadata.deletionTimestamp === undefined);
  if (!isRemovable(range, others, addresses)) return setCondition(range, inUse);
  const leftMs = Date.parse(deletionTimestamp) + graceMs - nowMs;
  return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'release' };
}

function setCondition({ status }: ServiceCIDR, wanted: ReadyCondition): RangePlan {
  const now = status?.conditions?.find(({ type }) => type === 'Ready');
  const isSame = now?.status === wanted.status && now.reason === wanted.reason && now.message === wanted.message;
  return isSame ? { kind: 'keep' } : { kind: 'setCondition', ready: wanted };
}

/** True if other ranges contain this one, or at least every address allocated from it. */
function isRemovable(range: ServiceCIDR, others: readonly ServiceCIDR[], addresses: () => readonly IPAddress[]): boolean {
  const own = networksOf(range);
  const rest = others.flatMap(networksOf);
  if (own.every((network) => rest.some((other) => holdsNetwork(other, network)))) return true;
  return !addresses().some(({ metadata }) => {
    if (metadata.labels?.['ipaddress.kubernetes.io/managed-by'] !== 'ipallocator.k8s.io') return false;
    const name = metadata.name ?? '';
    return isIn(own, name) && !isIn(rest, name);
  });
}

/** Other ranges that hold some of this one, or are held by it. */
export function overlapping(range: ServiceCIDR, ranges: readonly ServiceCIDR[]): string[] {
  const own = networksOf(range);
  return ranges
    .filter((other) => networksOf(other).some((one) => own.some((network) => holdsNetwork(one, network) || holdsNetwork(network, one))))
    .map(({ metadata }) => metadata.name ?? '');
}

/** Whether an address can be given out of a range. */
export function holdsAddress(range: ServiceCIDR, address: string): boolean {
  return isIn(networksOf(range), address);
}

function networksOf({ spec }: ServiceCIDR): Network[] {
  return (spec.cidrs ?? []).map(networkOf).filter((network) => network !== undefined);
}

function isIn(networks: readonly Network[], address: string): boolean {
  const own = networkOf(`${address}/${ipFamilyOf(address) === 6 ? 128 : 32}`);
  return own !== undefined && networks.some((network) => holdsNetwork(network, own) && !isOutside(network, own));
}

/** The first address of a network is not allocated, nor is the last one of IPv4. */
function isOutside({ family, first, bits }: Network, own: Network): boolean {
  const last = first + (1n << BigInt((family === 4 ? 32 : 128) - bits)) - 1n;
  return own.first === first || (family === 4 && own.first === last);
}
