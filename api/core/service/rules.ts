// Which fields a Service's type calls for, and what happens to allocated values when it changes. Pure: who holds the ranges
// (the API server) allocates and releases by these rules (pkg/registry/core/service/storage).
import { equalValues } from '../../meta/equality.ts';
import type { Service } from './service.ts';

/** The explicit cluster IP of a headless Service. */
export const headless = 'None';

/** True for types that have a cluster IP (or are headless). */
export function needsClusterIp({ spec }: Service): boolean {
  return spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

/** True for types whose ports may have node ports. */
export function mayHaveNodePorts({ spec }: Service): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

/** True where every port gets a node port; else those that ask for one. */
export function needsNodePorts({ spec }: Service): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

/** True where a node port for health checks of the load balancer is due. */
export function needsHealthCheckNodePort({ spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

/** True where traffic from outside can come in, so that externalTrafficPolicy means something. */
export function isExternallyAccessible({ spec }: Service): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0;
}

/** True for a Service that has no cluster IP on purpose. */
export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === headless;
}

/** The cluster IPs to allocate still (one, in a cluster of one IP family): true where none is set and one is due. */
export function wantsClusterIp(service: Service): boolean {
  return needsClusterIp(service) && (service.spec.clusterIP ?? '') === '';
}

/** The addresses that this Service holds in the service range. */
export function heldClusterIps({ spec }: Service): string[] {
  return (spec.clusterIPs ?? []).filter((ip) => ip !== '' && ip !== headless);
}

/** The node ports that this Service holds, each once. */
export function heldNodePorts({ spec }: Service): number[] {
  const ports = (spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0);
  return [...new Set([...ports, spec.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
}

/** `clusterIP` and the first of `clusterIPs` say the same; clients that know only the old field set the new one with it. */
export function normalizeClusterIps(next: Service, prev: Service | undefined): void {
  const { spec } = next;
  if (prev === undefined) {
    if ((spec.clusterIP ?? '') !== '' && (spec.clusterIPs?.length ?? 0) === 0) spec.clusterIPs = [spec.clusterIP ?? ''];
    return;
  }
  const ipChanged = (spec.clusterIP ?? '') !== (prev.spec.clusterIP ?? '');
  const ipsChanged = !equalValues(spec.clusterIPs, prev.spec.clusterIPs);
  if (ipChanged && !ipsChanged) {
    if ((spec.clusterIP ?? '') === '') delete spec.clusterIPs;
    else spec.clusterIPs = [spec.clusterIP ?? ''];
  } else if (ipsChanged && !ipChanged && (spec.clusterIPs?.length ?? 0) === 0) {
    delete spec.clusterIP;
  }
}

/** An update that leaves out what the server allocated keeps it. */
export function keepAllocated(next: Service, prev: Service): void {
  if (needsClusterIp(prev) && needsClusterIp(next)) {
    if ((next.spec.clusterIP ?? '') === '' && prev.spec.clusterIP !== undefined) next.spec.clusterIP = prev.spec.clusterIP;
    const isSame = next.spec.clusterIP === prev.spec.clusterIP;
    if ((next.spec.clusterIPs?.length ?? 0) === 0 && isSame && prev.spec.clusterIPs !== undefined) {
      next.spec.clusterIPs = prev.spec.clusterIPs;
    }
  }
  if (mayHaveNodePorts(prev) && mayHaveNodePorts(next)) keepNodePorts(next, prev);
  if (needsHealthCheckNodePort(prev) && needsHealthCheckNodePort(next)) {
    next.spec.healthCheckNodePort = next.spec.healthCheckNodePort || (prev.spec.healthCheckNodePort ?? 0);
  }
}

/** Ports keep their node port by name, unless another port has taken it. */
function keepNodePorts(next: Service, prev: Service): void {
  const asked = new Set((next.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  const used = new Set((prev.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => asked.has(port)));
  const before = new Map((prev.spec.ports ?? []).map(({ name = '', nodePort = 0 }) => [name, nodePort]));
  for (const port of next.spec.ports ?? []) {
    const old = before.get(port.name ?? '') ?? 0;
    if ((port.nodePort ?? 0) !== 0 || old === 0 || used.has(old)) continue;
    port.nodePort = old;
    used.add(old);
  }
}

/** A new type drops what only the old one used, where the update did not set it anew. */
export function dropForType(next: Service, prev: Service): void {
  const now = next.spec;
  const before = prev.spec;
  if (needsClusterIp(prev) && !needsClusterIp(next)) {
    if (now.clusterIP === before.clusterIP && equalValues(now.clusterIPs, before.clusterIPs)) {
      delete now.clusterIP;
      delete now.clusterIPs;
    }
    if (equalValues(now.ipFamilies, before.ipFamilies)) delete now.ipFamilies;
    if (now.ipFamilyPolicy === before.ipFamilyPolicy) delete now.ipFamilyPolicy;
  }
  if (mayHaveNodePorts(prev) && !mayHaveNodePorts(next) && sameNodePorts(next, prev)) {
    for (const port of now.ports ?? []) delete port.nodePort;
  }
  const isHealthPortIdle = needsHealthCheckNodePort(prev) && !needsHealthCheckNodePort(next);
  if (isHealthPortIdle && now.healthCheckNodePort === before.healthCheckNodePort) delete now.healthCheckNodePort;
  if (before.type === 'LoadBalancer' && now.type !== 'LoadBalancer') {
    if (now.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) delete now.allocateLoadBalancerNodePorts;
    if (now.loadBalancerClass === before.loadBalancerClass) delete now.loadBalancerClass;
  }
  if (isExternallyAccessible(prev) && !isExternallyAccessible(next) && now.externalTrafficPolicy === before.externalTrafficPolicy) {
    delete now.externalTrafficPolicy;
  }
  const isNowExternal = before.type !== 'ExternalName' && now.type === 'ExternalName';
  if (isNowExternal && now.internalTrafficPolicy === before.internalTrafficPolicy) delete now.internalTrafficPolicy;
}

/** True where no port of the new Service asks for a node port that the old one did not hold. */
function sameNodePorts(next: Service, prev: Service): boolean {
  const held = new Set((prev.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  const asked = (next.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => port !== 0);
  return asked.every((port) => held.has(port));
}
