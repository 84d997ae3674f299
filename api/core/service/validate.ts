// What a Service must be (pkg/apis/core/validation/validation.go). Runs after addresses and node ports are allocated.
import type { V1ServicePort } from '#api/generated/types.ts';
import { dnsLabel, invalidEach, oneOf, oneOfIfSet, portNumberOrName, qualifiedName } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { validateCidr, validateIp, validateNotSpecialIp } from '../../meta/ip.ts';
import { dnsSubdomainProblems, portNumberProblems } from '../../meta/names.ts';
import { validateLabels } from '../../meta/object-meta.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { portProtocols } from '../endpoints.ts';
import { validateAddresses } from './addresses.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheckNodePort } from './rules.ts';
import type { Service } from './service.ts';

const kubeletPort = 10_250;
const maxAffinitySeconds = 86_400;
const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";

/** `prev`: the Service that is changed, whose addresses and networks may stay as they are written. */
export function validateService(service: Service, prev?: Service): FieldProblem[] {
  const { spec } = service;
  const problems = [...validateTopology(service), ...validateType(service)];
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  ports.forEach((port, at) => problems.push(...validatePort(port, ports.length > 1, names, `spec.ports[${at}]`)));
  problems.push(...validateLabels(spec.selector, 'spec.selector'), ...validateAffinity(service), ...validateAddresses(service));
  spec.externalIPs?.forEach((ip, at) => {
    const found = validateIp(`spec.externalIPs[${at}]`, ip, prev?.spec.externalIPs);
    problems.push(...(found.length > 0 ? found : validateNotSpecialIp(`spec.externalIPs[${at}]`, ip)));
  });
  problems.push(...oneOf('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']));
  return [...problems, ...validatePortsTogether(service), ...validateLoadBalancer(service, prev), ...validatePolicies(service)];
}

const oldTopology = 'service.kubernetes.io/topology-aware-hints';
const topology = 'service.kubernetes.io/topology-mode';

/** Two annotations for one thing must agree. */
function validateTopology({ metadata: { annotations = {} } }: Service): FieldProblem[] {
  const mode = annotations[topology];
  if (mode === undefined || annotations[oldTopology] === undefined || mode === annotations[oldTopology]) return [];
  const text = `must match annotations[${oldTopology}] when both are specified`;
  return [invalid(`metadata.annotations[${topology}]`, mode, text)];
}

/** What each type asks for. */
function validateType(service: Service): FieldProblem[] {
  const { spec } = service;
  const problems: FieldProblem[] = [];
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(service) && spec.type !== 'ExternalName') problems.push(required('spec.ports'));
  if (spec.type === 'LoadBalancer') {
    ports.forEach(({ port }, at) => {
      const text = `may not expose port ${kubeletPort} externally since it is used by kubelet`;
      if (port === kubeletPort) problems.push(invalid(`spec.ports[${at}]`, port, text));
    });
  }
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(service)) {
    problems.push(invalid('spec.clusterIPs[0]', spec.clusterIP, `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type !== 'ExternalName') return problems;
  for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if ((spec[field]?.length ?? 0) > 0) problems.push(forbiddenField(`spec.${field}`, 'may not be set for ExternalName services'));
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') return [...problems, required('spec.externalName')];
  return [...problems, ...invalidEach('spec.externalName', name, dnsSubdomainProblems(name))];
}

function validatePort(servicePort: Unchecked<V1ServicePort>, isNameRequired: boolean, names: Set<string>, path: string): FieldProblem[] {
  const { name = '', port = 0, protocol, targetPort, appProtocol } = servicePort;
  const problems: FieldProblem[] = [];
  if (name === '') {
    if (isNameRequired) problems.push(required(`${path}.name`));
  } else {
    problems.push(...dnsLabel(`${path}.name`, name));
    if (names.has(name)) problems.push(duplicate(`${path}.name`, name));
    names.add(name);
  }
  problems.push(...invalidEach(`${path}.port`, port, portNumberProblems(port)));
  problems.push(...oneOf(`${path}.protocol`, protocol, portProtocols));
  problems.push(...portNumberOrName(`${path}.targetPort`, targetPort));
  if (appProtocol !== undefined) problems.push(...qualifiedName(`${path}.appProtocol`, appProtocol));
  return problems;
}

function validateAffinity({ spec }: Service): FieldProblem[] {
  const { sessionAffinity, sessionAffinityConfig } = spec;
  const problems = oneOf('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined) {
    problems.push(forbiddenField(path, 'must not be set when session affinity is None'));
  }
  if (sessionAffinity !== 'ClientIP') return problems;
  const missing = 'when session affinity type is ClientIP';
  if (sessionAffinityConfig === undefined) return [...problems, required(path, missing)];
  if (sessionAffinityConfig.clientIP === undefined) return [...problems, required(`${path}.clientIP`, missing)];
  const { timeoutSeconds } = sessionAffinityConfig.clientIP;
  const field = `${path}.clientIP.timeoutSeconds`;
  if (timeoutSeconds === undefined) return [...problems, required(field, missing)];
  if (timeoutSeconds > 0 && timeoutSeconds <= maxAffinitySeconds) return problems;
  return [...problems, invalid(field, timeoutSeconds, `must be greater than 0 and less than ${maxAffinitySeconds}`)];
}

/** No two ports alike, and node ports only where there are any. */
function validatePortsTogether({ spec }: Service): FieldProblem[] {
  const ports = spec.ports ?? [];
  const problems: FieldProblem[] = [];
  if (spec.type === 'ClusterIP') {
    ports.forEach(({ nodePort = 0 }, at) => {
      const text = "may not be used when `type` is 'ClusterIP'";
      if (nodePort !== 0) problems.push(forbiddenField(`spec.ports[${at}].nodePort`, text));
    });
  }
  const nodePorts = new Set<string>();
  ports.forEach(({ nodePort = 0, protocol }, at) => {
    if (nodePort === 0) return;
    const key = `${protocol}/${nodePort}`;
    if (nodePorts.has(key)) problems.push(duplicate(`spec.ports[${at}].nodePort`, nodePort));
    nodePorts.add(key);
  });
  const seen = new Set<string>();
  ports.forEach(({ port, protocol }, at) => {
    const key = `${protocol}/${port}`;
    // Upstream shows its inner form of a port here, with nothing but what counts in it.
    const inner = { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
    if (seen.has(key)) problems.push(duplicate(`spec.ports[${at}]`, inner));
    seen.add(key);
  });
  return problems;
}

const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function validateLoadBalancer({ spec, metadata }: Service, prev: Service | undefined): FieldProblem[] {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  const problems: FieldProblem[] = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[sourceRangesAnnotation];
  if (ranges.length > 0) {
    const field = 'spec.LoadBalancerSourceRanges';
    if (!isLoadBalancer) problems.push(forbiddenField(field, onlyLoadBalancer));
    const before = prev?.spec.loadBalancerSourceRanges?.map((range) => range.trim());
    ranges.forEach((range, at) => problems.push(...validateCidr(`${field}[${at}]`, range.trim(), before)));
  } else if (annotation !== undefined) {
    const field = `metadata.annotations[${sourceRangesAnnotation}]`;
    if (!isLoadBalancer) problems.push(forbiddenField(field, onlyLoadBalancer));
    const isSame = prev?.metadata.annotations?.[sourceRangesAnnotation] === annotation;
    const texts = annotation.trim() === '' || isSame ? [] : annotation.split(',');
    for (const range of texts) problems.push(...validateCidr(field, range.trim()));
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) {
    problems.push(forbiddenField('spec.allocateLoadBalancerNodePorts', onlyLoadBalancer));
  }
  if (isLoadBalancer && spec.allocateLoadBalancerNodePorts === undefined) problems.push(required('allocateLoadBalancerNodePorts'));
  if (spec.loadBalancerClass === undefined) return problems;
  if (!isLoadBalancer) return [...problems, forbiddenField('spec.loadBalancerClass', onlyLoadBalancer)];
  return [...problems, ...qualifiedName('spec.loadBalancerClass', spec.loadBalancerClass)];
}

function validatePolicies(service: Service): FieldProblem[] {
  const { spec } = service;
  const problems: FieldProblem[] = [];
  const external = spec.externalTrafficPolicy ?? '';
  if (isExternallyAccessible(service)) {
    problems.push(...oneOf('spec.externalTrafficPolicy', external, ['Cluster', 'Local']));
  } else if (external !== '') {
    problems.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'));
  }
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheckNodePort(service)) {
    const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    if (port !== 0) problems.push(invalid('spec.healthCheckNodePort', port, text));
  } else if (port === 0) {
    problems.push(required('spec.healthCheckNodePort'));
  } else {
    problems.push(...invalidEach('spec.healthCheckNodePort', port, portNumberProblems(port)));
  }
  const isInternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer' || spec.type === 'ClusterIP';
  if (spec.internalTrafficPolicy === undefined && isInternal) problems.push(required('spec.internalTrafficPolicy'));
  problems.push(...oneOfIfSet('spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']));
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  return [...problems, ...oneOfIfSet('spec.trafficDistribution', spec.trafficDistribution, distributions)];
}
