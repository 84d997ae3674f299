// Gives Services their addresses and ports. Memory says what is probably free: it is changed with every write here, whose attempts give
// back what they took when they come to nothing, and filled and kept up with other servers by service-pool-feed.ts. An address is the
// Service's only when its IPAddress is stored (cluster-ip-claims.ts), which one of several servers can do; node ports have no such proof.
import {
  defaultIpFamilies,
  heldClusterIps,
  isHeadless,
  keepAllocated,
  needsClusterIp,
  needsHealthCheckNodePort,
  needsNodePorts,
  normalizeClusterIps,
  wantsClusterIp,
} from '#api/core/service/rules.ts';
import type { Service } from '#api/core/service/service.ts';
import { type FieldProblem, invalid, invalidObject } from '#api/meta/field-problem.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { concerns } from '../admission/refusal.ts';
import type { AdmissionPlugin, AttemptEnd } from '../registry/contract.ts';
import type { ClusterIpClaims } from './cluster-ip-claims.ts';
import { Reservation, type ServicePools } from './service-pools.ts';

type Claims = Pick<ClusterIpClaims, 'claim' | 'release'>;

/** The plugin that reserves. Not one of upstream's: there it is part of the registry of Services. */
export function serviceAllocation(pools: ServicePools, claims: Claims): AdmissionPlugin {
  return {
    name: 'ServiceAllocation',
    reserve: (request) => {
      if (!concerns(request, 'services') || request.object === undefined) return undefined;
      const next = asService(request.object);
      const previous = request.previous === undefined ? undefined : asService(request.previous);
      const reservation = new Reservation(previous?.metadata.uid ?? next.metadata.uid ?? '', request.name || (next.metadata.name ?? ''));
      let isAnyAddress = false;
      try {
        isAnyAddress = reserve(pools, reservation, next, previous);
      } catch (error) {
        pools.drop(reservation);
        throw error;
      }
      const attempt = { pools, claims, reservation, next, previous };
      return reservation.ips.length === 0 || request.context.dryRun ? endOf(attempt, []) : claimed(attempt, isAnyAddress);
    },
    removed: (kind, object) => {
      if (kind.group !== '' || kind.kind !== 'Service') return;
      const gone = asService(object);
      pools.release(gone);
      for (const address of heldClusterIps(gone)) claims.release(address, gone.metadata);
    },
  };
}

interface Attempt {
  readonly pools: ServicePools;
  readonly claims: Claims;
  readonly reservation: Reservation;
  readonly next: Service;
  readonly previous: Service | undefined;
}

/** Stores the IPAddress of what memory held to be free; where that was wrong, takes another one, or refuses the one that was asked for. */
async function claimed(attempt: Attempt, isAnyAddress: boolean): Promise<AttemptEnd> {
  const { pools, claims, reservation, next } = attempt;
  const mine: string[] = [];
  const claim = async (address: string): Promise<boolean> => {
    const isMine = await claims.claim(address, next);
    if (isMine) mine.push(address);
    return isMine;
  };
  try {
    if (isAnyAddress) {
      // What was taken in vain stays in the reservation until the end, so that it does not come up again.
      while (!(await claim(next.spec.clusterIP ?? ''))) next.spec.clusterIP = pools.takeAnyIp(reservation);
      next.spec.clusterIPs = [next.spec.clusterIP ?? ''];
    } else {
      for (const address of pools.addressesOf(reservation)) if (!(await claim(address))) throw pools.refuseTaken(address, reservation);
    }
    return endOf(attempt, mine);
  } catch (error) {
    endOf(attempt, mine)('dropped');
    throw error;
  }
}

function endOf({ pools, claims, reservation, next, previous }: Attempt, mine: readonly string[]): AttemptEnd {
  return (outcome) => {
    const isKept = outcome === 'committed';
    if (isKept) pools.keep(reservation, next, previous);
    else pools.drop(reservation);
    const kept = new Set(isKept ? heldClusterIps(next) : []);
    const before = isKept && previous !== undefined ? heldClusterIps(previous) : [];
    for (const address of [...mine, ...before]) if (!kept.has(address)) claims.release(address, next.metadata);
  };
}

/** Whether the address is any free one. */
function reserve(pools: ServicePools, reservation: Reservation, next: Service, previous: Service | undefined): boolean {
  normalizeClusterIps(next, previous);
  if (previous !== undefined) keepAllocated(next, previous);
  const { spec } = next;
  const isAnyAddress = needsClusterIp(next) && wantsClusterIp(next);
  if (needsClusterIp(next)) {
    checkFamilies(next, reservation.serviceName);
    defaultIpFamilies(next, ['IPv4']);
    if (isAnyAddress) {
      spec.clusterIP = pools.takeAnyIp(reservation);
      spec.clusterIPs = [spec.clusterIP];
    } else if (!isHeadless(next)) {
      // What is no address at all is refused by validation, in better words.
      for (const address of heldClusterIps(next)) if (isAddress(address)) pools.takeIp(address, reservation);
    }
  }
  if (needsNodePorts(next)) reserveNodePorts(pools, reservation, next);
  if (needsHealthCheckNodePort(next)) {
    const asked = spec.healthCheckNodePort ?? 0;
    if (asked === 0) spec.healthCheckNodePort = pools.takeAnyPort(reservation);
    else pools.takePort(asked, 'spec.healthCheckNodePort', reservation);
  }
  return isAnyAddress;
}

function reserveNodePorts(pools: ServicePools, reservation: Reservation, { spec }: Service): void {
  const ports = spec.ports ?? [];
  ports.forEach((port, at) => {
    const asked = port.nodePort ?? 0;
    if (asked !== 0) return pools.takePort(asked, `spec.ports[${at}].nodePort`, reservation);
    // The same port in another protocol shares the number, so that one firewall rule serves both.
    const sibling = ports.find((one) => one.port === port.port && (one.protocol ?? 'TCP') !== (port.protocol ?? 'TCP'));
    const shared = sibling?.nodePort ?? 0;
    port.nodePort = shared === 0 ? pools.takeAnyPort(reservation) : shared;
  });
}

/** Refuses what a cluster without IPv6 cannot give. */
function checkFamilies(service: Service, name: string): void {
  const { spec } = service;
  if (isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0) return;
  const problems: FieldProblem[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    problems.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  (spec.ipFamilies ?? []).forEach((family, at) => {
    if (family === 'IPv6') problems.push(invalid(`spec.ipFamilies[${at}]`, family, 'not configured on this cluster'));
  });
  if (problems.length > 0) throw invalidObject({ group: '', kind: 'Service' }, name, problems);
}

function isAddress(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text);
}

function asService(object: KubeObject): Service {
  return object as Service;
}
