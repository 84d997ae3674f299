// Gives Services their addresses and ports. Memory says what is probably free: it is changed with every write here, whose attempts give
// back what they took when they come to nothing, and filled and kept up with other servers by service-pool-feed.ts. An address is the
// Service's only when its IPAddress is stored with it (cluster-ip-claims.ts), a node port when its bit is set (node-port-claims.ts; where
// no other server writes to the store memory knows all there is to know).
import { fillIpFamilies } from '#api/core/service/ip-families.ts';
import {
  heldClusterIps,
  heldNodePorts,
  isHeadless,
  keepAllocated,
  needsClusterIp,
  normalizeClusterIps,
  wantsClusterIp,
} from '#api/core/service/rules.ts';
import type { Service } from '#api/core/service/service.ts';
import { invalidObject } from '#api/meta/field-problem.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { concerns } from '../admission/refusal.ts';
import type { AdmissionPlugin, AlongObject, AttemptEnd } from '../registry/contract.ts';
import { addressNumber } from './ip-range.ts';
import type { ClusterIpClaims } from './cluster-ip-claims.ts';
import type { NodePortClaims } from './node-port-claims.ts';
import { reserveNodePorts } from './node-port-reservation.ts';
import { Reservation, type ServicePools, takenPort } from './service-pools.ts';

interface ServiceAllocationDeps {
  readonly pools: ServicePools;
  readonly claims: Pick<ClusterIpClaims, 'claim' | 'release'>;
  readonly ports: Pick<NodePortClaims, 'claim' | 'release' | 'isIdle'>;
}

/** The plugin that reserves. Not one of upstream's: there it is part of the registry of Services. */
export function serviceAllocation(deps: ServiceAllocationDeps): AdmissionPlugin {
  return {
    name: 'ServiceAllocation',
    writesAlong: isService,
    reserve: (request) => {
      if (!concerns(request, 'services') || request.object === undefined) return undefined;
      const next = asService(request.object);
      const previous = request.previous === undefined ? undefined : asService(request.previous);
      const reservation = new Reservation(previous?.metadata.uid ?? next.metadata.uid ?? '', request.name || (next.metadata.name ?? ''));
      const attempt = { ...deps, reservation, next, previous };
      const { dryRun } = request.context;
      try {
        const along = reserve(attempt);
        if (!dryRun) request.along?.push(...along);
      } catch (error) {
        deps.pools.drop(reservation);
        throw error;
      }
      return dryRun || deps.ports.isIdle || reservation.ports.length === 0 ? endOf(attempt, []) : claimed(attempt);
    },
    removed: (kind, object) => {
      if (!isService(kind)) return undefined;
      const gone = asService(object);
      deps.pools.release(gone);
      deps.claims.release(heldClusterIps(gone), gone.metadata);
      return deps.ports.release(heldNodePorts(gone));
    },
  };
}

interface Attempt extends ServiceAllocationDeps {
  readonly reservation: Reservation;
  readonly next: Service;
  readonly previous: Service | undefined;
}

/** Sets the bits of what memory held to be free; where that was wrong, takes other ports, or refuses one that was asked for. */
async function claimed(attempt: Attempt): Promise<AttemptEnd> {
  const { pools, ports, reservation, next } = attempt;
  const mine: number[] = [];
  try {
    for (let wanted: readonly number[] = [...reservation.ports]; wanted.length > 0; ) {
      const granted = await ports.claim(wanted);
      mine.push(...granted);
      // What was taken in vain stays in the reservation until the end, so that it does not come up again.
      const lost = wanted.filter((port) => !granted.has(port));
      for (const port of lost) {
        const refuse = reservation.asked.get(port);
        if (refuse !== undefined) throw refuse(takenPort);
      }
      wanted = lost.map((port) => replacePort(next, port, pools.takeAnyPort(reservation)));
    }
    return endOf(attempt, mine);
  } catch (error) {
    await endOf(attempt, mine)('dropped');
    throw error;
  }
}

function replacePort({ spec }: Service, lost: number, port: number): number {
  for (const one of spec.ports ?? []) if (one.nodePort === lost) one.nodePort = port;
  if (spec.healthCheckNodePort === lost) spec.healthCheckNodePort = port;
  return port;
}

/** @param mine ports whose bits were set for this attempt. */
function endOf({ pools, claims, ports, reservation, next, previous }: Attempt, mine: readonly number[]): AttemptEnd {
  return (outcome) => {
    const isKept = outcome === 'committed';
    if (isKept) pools.keep(reservation, next, previous);
    else pools.drop(reservation);
    const kept = new Set(isKept ? heldNodePorts(next) : []);
    const before = isKept && previous !== undefined ? heldNodePorts(previous) : [];
    const freeing = ports.release([...mine, ...before].filter((port) => !kept.has(port)));
    if (!isKept || previous === undefined) return freeing;
    const addresses = heldClusterIps(next);
    const dropped = heldClusterIps(previous).filter((address) => !addresses.includes(address));
    if (dropped.length > 0) claims.release(dropped, next.metadata);
    return freeing;
  };
}

/** Takes what memory holds to be free. Answers the IPAddress objects to store with the Service. */
function reserve(attempt: Attempt): readonly AlongObject[] {
  const { pools, reservation, next, previous } = attempt;
  if (previous !== undefined) keepAllocated(next, previous);
  normalizeClusterIps(next, previous);
  const problems = fillIpFamilies(next, previous, ['IPv4']);
  if (problems.length > 0) throw invalidObject({ group: '', kind: 'Service' }, reservation.serviceName, problems);
  const along: AlongObject[] = [];
  // What has addresses keeps them: validation says so to those who change them.
  const isNew = previous === undefined || previous.spec.type === 'ExternalName';
  if (isNew && needsClusterIp(next) && !isHeadless(next)) {
    if (wantsClusterIp(next)) along.push(...takeAnyAddress(attempt));
    else for (const address of heldClusterIps(next)) along.push(...takeAddress(attempt, address));
  }
  reserveNodePorts(pools, reservation, next, previous);
  return along;
}

function takeAnyAddress({ pools, claims, reservation, next }: Attempt): readonly AlongObject[] {
  for (;;) {
    const address = pools.takeAnyIp(reservation);
    const along = claims.claim(address, next);
    // What another object has stays in the reservation until the end, so that it does not come up again.
    if (along === undefined) continue;
    next.spec.clusterIP = address;
    next.spec.clusterIPs = [address];
    return along;
  }
}

function takeAddress({ pools, claims, reservation, next }: Attempt, address: string): readonly AlongObject[] {
  // What is no address at all is refused by validation, in better words.
  if (addressNumber(address) === undefined || !pools.takeIp(address, reservation)) return [];
  const along = claims.claim(address, next);
  if (along === undefined) throw pools.refuseTaken(address, reservation);
  return along;
}

function isService({ group, kind }: { readonly group: string; readonly kind: string }): boolean {
  return group === '' && kind === 'Service';
}

function asService(object: KubeObject): Service {
  return object as Service;
}
