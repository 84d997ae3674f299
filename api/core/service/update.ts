// What an update may change of a Service, and what its status may say.
import type { WriteContext } from '../../kind.ts';
import { invalidEach, oneOf } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { ipFamilyOf, validateIp } from '../../meta/ip.ts';
import { dnsSubdomainProblems } from '../../meta/names.ts';
import { isHeadless, needsHealthCheckNodePort } from './rules.ts';
import type { Service } from './service.ts';

export function validateServiceUpdate(next: Service, prev: Service, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return validateLoadBalancerStatus(next, prev);
  const problems: FieldProblem[] = [];
  if (next.spec.type !== 'ExternalName' && prev.spec.type !== 'ExternalName') {
    const is = isHeadless(next);
    const was = isHeadless(prev);
    if (!is || !was) problems.push(...validateClusterIps(next, prev));
    // What has no address may have any families.
    if (!is && !was) problems.push(...validateFamilies(next, prev));
  }
  const isLoadBalancer = next.spec.type === 'LoadBalancer' && prev.spec.type === 'LoadBalancer';
  if (isLoadBalancer && next.spec.loadBalancerClass !== prev.spec.loadBalancerClass) {
    problems.push(invalid('spec.loadBalancerClass', next.spec.loadBalancerClass, 'may not change once set'));
  }
  const keepsHealthPort = needsHealthCheckNodePort(prev) && needsHealthCheckNodePort(next);
  if (keepsHealthPort && next.spec.healthCheckNodePort !== prev.spec.healthCheckNodePort) {
    problems.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'));
  }
  return problems;
}

const changed = 'may not change once set';

/** The first address stays; a second may come, or go where the policy says so. */
function validateClusterIps({ spec }: Service, prev: Service): FieldProblem[] {
  const before = prev.spec.clusterIPs ?? [];
  const now = spec.clusterIPs ?? [];
  if (before.length === now.length) {
    return before.flatMap((ip, at) => (ip === now[at] ? [] : [invalid(`spec.clusterIPs[${at}]`, now, changed)]));
  }
  const problems: FieldProblem[] = [];
  if (now.length === 0) problems.push(invalid('spec.clusterIPs[0]', now, 'primary clusterIP can not be unset'));
  if (before.length > 0 && now.length > 0 && before[0] !== now[0]) problems.push(invalid('spec.clusterIPs[0]', now, changed));
  if (before.length > now.length && now.length === 1) problems.push(...validateRelease(spec, 'clusterIP'));
  return problems;
}

/** As for addresses, whose list and path some of upstream's messages show. */
function validateFamilies({ spec }: Service, prev: Service): FieldProblem[] {
  const field = 'spec.ipFamilies[0]';
  const before = prev.spec.ipFamilies ?? [];
  const now = spec.ipFamilies ?? [];
  if (before.length === now.length) return before.flatMap((family, at) => (family === now[at] ? [] : [invalid(field, now, changed)]));
  const problems: FieldProblem[] = [];
  const isLess = before.length > now.length;
  if (isLess && (spec.clusterIPs?.length ?? 0) === 0) problems.push(invalid(field, now, 'primary ipFamily can not be unset'));
  if (before.length > 0 && now.length > 0 && before[0] !== now[0]) problems.push(invalid(field, spec.clusterIPs ?? null, changed));
  if (isLess && now.length === 1) problems.push(...validateRelease(spec, 'ipFamily'));
  return problems;
}

/** The second of its kind goes only with a policy that knows one. */
function validateRelease({ clusterIPs, ipFamilyPolicy }: Service['spec'], word: 'clusterIP' | 'ipFamily'): FieldProblem[] {
  if (ipFamilyPolicy === 'SingleStack') return [];
  const text = `\`ipFamilyPolicy\` must be set to 'SingleStack' when releasing the secondary ${word}`;
  return [invalid('spec.clusterIPs[0]', clusterIPs ?? null, text)];
}

/** Addresses that a load balancer reports; those of `prev` may stay as they are written. */
function validateLoadBalancerStatus({ spec, status }: Service, prev: Service): FieldProblem[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const before = (prev.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const path = 'status.loadBalancer.ingress';
  if (spec.type !== 'LoadBalancer') {
    return ingress.length === 0 ? [] : [forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap(({ ip = '', hostname = '', ipMode }, at) => {
    const own = `${path}[${at}]`;
    const problems = ip === '' ? [] : validateIp(`${own}.ip`, ip, before);
    if (ipMode === undefined) {
      if (ip !== '') problems.push(required(`${own}.ipMode`, 'must be specified when `ip` is set'));
    } else if (ip === '') {
      problems.push(forbiddenField(`${own}.ipMode`, 'may not be specified when `ip` is not set'));
    } else {
      problems.push(...oneOf(`${own}.ipMode`, ipMode, ['Proxy', 'VIP']));
    }
    if (hostname === '') return problems;
    problems.push(...invalidEach(`${own}.hostname`, hostname, dnsSubdomainProblems(hostname)));
    if (ipFamilyOf(hostname) !== undefined) {
      problems.push(invalid(`${own}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
    return problems;
  });
}
