// What is wrong between a Service and the IPAddress objects of its addresses, and what is to be done (upstream's
// pkg/registry/core/service/ipallocator/controller/repairip.go). Pure.
import { heldClusterIps } from '#api/core/service/rules.ts';
import type { Service } from '#api/core/service/service.ts';
import type { IPAddress } from '#api/networking/ip-address.ts';
import { allocatorName, claimGraceMs, familyLabel, managedByLabel, refersTo } from './cluster-ip-claims.ts';

interface Trouble {
  readonly reason: string;
  readonly action: 'ClusterIPAllocation' | 'IPAddressAllocation';
  readonly note: string;
}

/** `contended`: another Service has it, which is nothing that a server can decide. */
export interface Judgement {
  readonly do: 'nothing' | 'create' | 'recreate' | 'delete' | 'wait' | 'contended';
  readonly trouble?: Trouble;
}

const fine: Judgement = { do: 'nothing' };

interface ServiceView {
  readonly service: Service;
  readonly address: string;
  readonly isInRange: boolean;
  readonly claim: IPAddress | undefined;
  /** The Service that the claim names, where it is not this one. */
  readonly other: Service | undefined;
}

/** Looks at one address of a Service. */
export function judgeService({ service, address, isInRange, claim, other }: ServiceView): Judgement {
  const { namespace, name } = service.metadata;
  const where = `[${familyOf(address)}]: ${address}`;
  const trouble = (reason: string, note: string): Trouble => ({ reason, action: 'ClusterIPAllocation', note });
  if (!isInRange) {
    const note = `Cluster IP ${where} is not within any configured Service CIDR; please recreate service`;
    return { do: 'nothing', trouble: trouble('ClusterIPOutOfRange', note) };
  }
  if (claim === undefined) {
    return { do: 'create', trouble: trouble('ClusterIPNotAllocated', `Cluster IP ${where} is not allocated; repairing`) };
  }
  if (refersTo(claim.spec, service.metadata)) return hasOurLabels(claim) ? fine : { do: 'recreate' };
  if (!namesService(claim) || other === undefined) {
    const note = `the ClusterIP ${where} for Service ${namespace}/${name} has a wrong reference; repairing`;
    return { do: 'recreate', trouble: trouble('ClusterIPNotAllocated', note) };
  }
  if (!heldClusterIps(other).includes(address)) return { do: 'contended' };
  const note = `Cluster IP [${familyOf(address)}]:${address} was assigned to multiple services; please recreate service`;
  return { do: 'contended', trouble: trouble('ClusterIPAlreadyAllocated', note) };
}

/** Looks at one IPAddress; `owner` is the Service that it names. */
export function judgeClaim(claim: IPAddress, owner: Service | undefined, nowMs: number): Judgement {
  if (claim.metadata.labels?.[managedByLabel] !== allocatorName) return fine;
  const { name = '' } = claim.metadata;
  const { group = '', resource, namespace = '', name: parent } = claim.spec.parentRef;
  const trouble = (reason: string, note: string): Trouble => ({ reason, action: 'IPAddressAllocation', note });
  if (!namesService(claim)) {
    const reference = `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${parent},}`;
    const note = `IPAddress ${name} appears to have been modified, not referencing a Service ${reference}: cleaning up`;
    return { do: 'delete', trouble: trouble('IPAddressNotAllocated', note) };
  }
  const what = `IPAddress: ${name} for Service ${namespace}/${parent}`;
  if (owner === undefined) {
    // Another server may write the Service only now.
    if (nowMs - Date.parse(claim.metadata.creationTimestamp ?? '') <= claimGraceMs) return { do: 'wait' };
    return { do: 'delete', trouble: trouble('IPAddressNotAllocated', `${what} appears to have leaked: cleaning up`) };
  }
  if (heldClusterIps(owner).includes(name)) return fine;
  return { do: 'delete', trouble: trouble('IPAddressWrongReference', `${what} has a wrong reference; cleaning up`) };
}

function namesService({ spec }: IPAddress): boolean {
  const { group = '', resource } = spec.parentRef;
  return group === '' && resource === 'services';
}

function hasOurLabels({ metadata }: IPAddress): boolean {
  return metadata.labels?.[managedByLabel] === allocatorName && metadata.labels[familyLabel] === familyOf(metadata.name ?? '');
}

function familyOf(address: string): 'IPv4' | 'IPv6' {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
