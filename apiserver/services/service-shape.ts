import type { V1Service, V1ServicePort, V1ServiceSpec } from '#api/generated/types.ts';

/** Whether Services of this type have an address inside the cluster. */
export function needsClusterIp(spec: V1ServiceSpec): boolean {
  return spec.type !== 'ExternalName';
}

export function isHeadless(spec: V1ServiceSpec): boolean {
  return spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
}

/** Whether every port gets a port on all nodes. */
export function needsNodePorts(spec: V1ServiceSpec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

/** Whether load balancers ask the nodes which of them have endpoints. */
export function needsHealthCheckPort(spec: V1ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

/** All node ports that a Service holds, the one for health checks included. */
export function usedNodePorts({ spec }: V1Service): number[] {
  const ports = (spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  return [...new Set([...ports, spec?.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
}

/** Carries over what clients leave out of an update because they never knew it: addresses and ports that were given out. */
export function keepAllocated(next: V1ServiceSpec, previous: V1ServiceSpec): void {
  if (needsClusterIp(previous) && needsClusterIp(next)) {
    if ((next.clusterIP ?? '') === '' && previous.clusterIP !== undefined && (next.clusterIPs ?? []).length === 0) {
      next.clusterIP = previous.clusterIP;
    }
    if ((next.clusterIPs ?? []).length === 0 && next.clusterIP === previous.clusterIP && previous.clusterIPs !== undefined) {
      next.clusterIPs = [...previous.clusterIPs];
    }
  }
  if (needsNodePorts(previous) && needsNodePorts(next)) keepNodePorts(next.ports ?? [], previous.ports ?? []);
  if (needsHealthCheckPort(previous) && needsHealthCheckPort(next) && (next.healthCheckNodePort ?? 0) === 0) {
    if (previous.healthCheckNodePort !== undefined) next.healthCheckNodePort = previous.healthCheckNodePort;
  }
}

/** Ports are recognised by name; a number that the client gave to another port is not given again. */
function keepNodePorts(next: readonly V1ServicePort[], previous: readonly V1ServicePort[]): void {
  const asked = new Set(next.map((port) => port.nodePort ?? 0));
  for (const port of next) {
    if ((port.nodePort ?? 0) !== 0) continue;
    const known = previous.find((one) => (one.name ?? '') === (port.name ?? ''))?.nodePort ?? 0;
    if (known !== 0 && !asked.has(known)) port.nodePort = known;
  }
}
