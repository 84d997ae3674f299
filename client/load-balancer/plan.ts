// What becomes of one Service's load-balancer address (upstream's cloud-provider/controllers/service, and a provider's part of it).
import type { Service } from '#api/core/service/service.ts';
import { type AddressRange, firstFree, holdsAddress } from './pool.ts';

/** Keeps a Service that has an address until that was given back. */
export const cleanupFinalizer = 'service.kubernetes.io/load-balancer-cleanup';
/** Asks for an address, in the place of the deprecated `spec.loadBalancerIP`, which it goes before. */
export const addressAnnotation = 'coxswain.dev/load-balancer-ip';

export interface Pool {
  readonly ranges: readonly AddressRange[];
  /** Serves Services of this class only; undefined serves those without one. */
  readonly loadBalancerClass?: string | undefined;
}

export type LoadBalancerPlan =
  /** Another's, or done with. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'keep'; readonly address: string }
  /** The Service should have the finalizer and show the address. */
  | { readonly kind: 'assign'; readonly address: string }
  /** It should have neither. */
  | { readonly kind: 'release' }
  | { readonly kind: 'refuse'; readonly why: string };

/** @param isTaken whether another Service has an address. */
export function planLoadBalancer(service: Service, pool: Pool, isTaken: (ip: string) => boolean): LoadBalancerPlan {
  const { spec, metadata } = service;
  const hasFinalizer = metadata.finalizers?.includes(cleanupFinalizer) ?? false;
  const isBalanced = spec.type === 'LoadBalancer';
  if (isBalanced && spec.loadBalancerClass !== pool.loadBalancerClass) return { kind: 'nothing' };
  if (!isBalanced || metadata.deletionTimestamp !== undefined) return { kind: hasFinalizer ? 'release' : 'nothing' };

  const requested = requestedAddress(service);
  const shown = service.status?.loadBalancer?.ingress ?? [];
  const current = shown[0]?.ip;
  const mayKeep =
    current !== undefined && (requested === undefined || requested === current) && holdsAddress(pool.ranges, current) && !isTaken(current);
  if (mayKeep) return { kind: hasFinalizer && shown.length === 1 ? 'keep' : 'assign', address: current };
  const address = requested ?? firstFree(pool.ranges, isTaken);
  if (address === undefined) return { kind: 'refuse', why: 'no address of the pool is free' };
  if (!holdsAddress(pool.ranges, address)) return { kind: 'refuse', why: `the address ${address} that it asks for is not in the pool` };
  if (isTaken(address)) return { kind: 'refuse', why: `the address ${address} that it asks for is another Service's` };
  return { kind: 'assign', address };
}

function requestedAddress({ metadata, spec }: Service): string | undefined {
  const requested = metadata.annotations?.[addressAnnotation] ?? spec.loadBalancerIP ?? '';
  return requested === '' ? undefined : requested;
}
