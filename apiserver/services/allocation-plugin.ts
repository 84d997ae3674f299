import { randomUUID } from 'node:crypto';
import type { V1Service, V1ServiceSpec } from '#api/generated/types.ts';
import { invalid, invalidObject, type FieldProblem } from '#api/meta/field-problem.ts';
import { concerns } from '../admission/refusal.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../registry/contract.ts';
import type { Claimant, ServiceAllocations } from './service-allocations.ts';
import { isHeadless, keepAllocated, needsClusterIp, needsHealthCheckPort, needsNodePorts } from './service-shape.ts';

/** Gives Services their addresses and ports. Not a plugin of upstream, where the same happens inside the registry of Services. */
export function serviceAllocationPlugin(allocations: ServiceAllocations): AdmissionPlugin {
  return {
    name: 'ServiceAllocation',
    mutate: async (request) => {
      if (!concerns(request, 'services') || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
      const { spec, metadata } = request.object as V1Service;
      if (spec === undefined) return;
      const previous = (request.previous as V1Service | undefined)?.spec;
      if (previous !== undefined) keepAllocated(spec, previous);
      const claimant: Claimant = {
        namespace: request.context.namespace,
        name: nameOf(request, metadata?.name),
        isDry: request.context.dryRun,
        signal: request.context.signal,
      };
      setFamilies(spec, claimant.name);
      await setClusterIp(spec, allocations, claimant);
      await setNodePorts(spec, allocations, claimant);
    },
  };
}

/** A name that the server makes is not known yet: then a token stands for the write until the store tells the name. */
function nameOf(request: AdmissionRequest, name: string | undefined): string {
  if (request.name !== '') return request.name;
  return name === undefined || name === '' ? `?${randomUUID()}` : name;
}

/** Fills in the address families of a cluster that has IPv4 only. */
function setFamilies(spec: V1ServiceSpec, name: string): void {
  if (!needsClusterIp(spec)) return;
  const families = spec.ipFamilies ?? [];
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) {
    const [first = 'IPv4'] = families;
    const isSingle = spec.ipFamilyPolicy === 'SingleStack';
    spec.ipFamilies = families.length === 2 ? families : isSingle ? [first] : [first, first === 'IPv4' ? 'IPv6' : 'IPv4'];
    spec.ipFamilyPolicy ??= 'RequireDualStack';
    return;
  }
  const problems: FieldProblem[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    problems.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  families.forEach((family, at) => {
    if (family === 'IPv6') problems.push(invalid(`spec.ipFamilies[${at}]`, family, 'not configured on this cluster'));
  });
  if (problems.length > 0) throw invalidObject({ group: '', kind: 'Service' }, name, problems);
  spec.ipFamilyPolicy ??= 'SingleStack';
  if (families.length === 0) spec.ipFamilies = ['IPv4'];
}

async function setClusterIp(spec: V1ServiceSpec, allocations: ServiceAllocations, claimant: Claimant): Promise<void> {
  if (!needsClusterIp(spec)) return;
  const asked = spec.clusterIP === undefined || spec.clusterIP === '' ? (spec.clusterIPs?.[0] ?? '') : spec.clusterIP;
  // What is no address at all is refused by validation, in better words.
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(asked);
  if (isHeadless(spec) || (asked !== '' && !isAddress)) {
    spec.clusterIP = asked;
    spec.clusterIPs ??= [asked];
    return;
  }
  spec.clusterIP = await allocations.takeIp(asked, claimant);
  if ((spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
}

async function setNodePorts(spec: V1ServiceSpec, allocations: ServiceAllocations, claimant: Claimant): Promise<void> {
  if (needsNodePorts(spec)) {
    const byPort = new Map<number, { protocol: string; nodePort: number }[]>();
    for (const [at, port] of (spec.ports ?? []).entries()) {
      const protocol = port.protocol ?? 'TCP';
      // The same port in another protocol shares the number, so that one firewall rule serves both.
      const siblings = byPort.get(port.port) ?? [];
      const sibling = siblings.find((one) => one.protocol !== protocol);
      const nodePort =
        (port.nodePort ?? 0) === 0 && sibling !== undefined
          ? sibling.nodePort
          : await allocations.takePort(port.nodePort, `spec.ports[${at}].nodePort`, claimant);
      port.nodePort = nodePort;
      byPort.set(port.port, [...siblings, { protocol, nodePort }]);
    }
  }
  if (needsHealthCheckPort(spec)) {
    spec.healthCheckNodePort = await allocations.takePort(spec.healthCheckNodePort, 'spec.healthCheckNodePort', claimant);
  }
}
