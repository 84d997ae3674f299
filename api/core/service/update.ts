// What an update may change of a Service, and what its status may say.
import type { WriteContext } from '../../kind.ts';
import { equalValues } from '../../meta/equality.ts';
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
    const stayHeadless = isHeadless(next) && isHeadless(prev);
    if (!stayHeadless) problems.push(...validateList(next, prev, 'clusterIPs', 'clusterIP'));
    problems.push(...validateList(next, prev, 'ipFamilies', 'ipFamily'));
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

/** The first value stays; a second may come, or go where the policy says so. */
function validateList(next: Service, prev: Service, list: 'clusterIPs' | 'ipFamilies', word: string): FieldProblem[] {
  const before = prev.spec[list] ?? [];
  const now = next.spec[list] ?? [];
  const changed = (at: number): FieldProblem => invalid(`spec.${list}[${at}]`, now, 'may not change once set');
  if (before.length === now.length) return before.flatMap((value, at) => (equalValues(value, now[at]) ? [] : [changed(at)]));
  const problems: FieldProblem[] = [];
  if (before.length > 0 && now.length === 0) problems.push(invalid(`spec.${list}[0]`, now, `primary ${word} can not be unset`));
  if (before.length > 0 && now.length > 0 && before[0] !== now[0]) problems.push(changed(0));
  if (before.length > now.length && now.length === 1 && next.spec.ipFamilyPolicy !== 'SingleStack') {
    const text = `\`ipFamilyPolicy\` must be set to 'SingleStack' when releasing the secondary ${word}`;
    problems.push(invalid(`spec.${list}[0]`, now, text));
  }
  return problems;
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
