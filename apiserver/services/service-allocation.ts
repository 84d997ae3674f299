// Gives Services their addresses and ports. What is taken is a fact of memory: changed with every write here, whose attempts give back
// what they took when they come to nothing, and filled and kept up with other servers by service-pool-feed.ts.
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
import { Reservation, type ServicePools } from './service-pools.ts';

/** The plugin that reserves. Not one of upstream's: there it is part of the registry of Services. */
export function serviceAllocation(pools: ServicePools): AdmissionPlugin {
  return {
    name: 'ServiceAllocation',
    reserve: (request): AttemptEnd | undefined => {
      if (!concerns(request, 'services') || request.object === undefined) return undefined;
      const next = asService(request.object);
      const previous = request.previous === undefined ? undefined : asService(request.previous);
      const reservation = new Reservation(previous?.metadata.uid ?? next.metadata.uid ?? '', request.name || (next.metadata.name ?? ''));
      try {
        reserve(pools, reservation, next, previous);
      } catch (error) {
        pools.drop(reservation);
        throw error;
      }
      return (outcome) => (outcome === 'committed' ? pools.keep(reservation, next, previous) : pools.drop(reservation));
    },
    removed: (kind, object) => {
      if (kind.group === '' && kind.kind === 'Service') pools.release(asService(object));
    },
  };
}

function reserve(pools: ServicePools, reservation: Reservation, next: Service, previous: Service | undefined): void {
  normalizeClusterIps(next, previous);
  if (previous !== undefined) keepAllocated(next, previous);
  const { spec } = next;
  if (needsClusterIp(next)) {
    checkFamilies(next, reservation.serviceName);
    defaultIpFamilies(next, ['IPv4']);
    if (wantsClusterIp(next)) {
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
