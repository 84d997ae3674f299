// Cluster IPs and IP families of a Service, which must agree.
import { oneOfIfSet } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { ipFamilyOf, validateIp } from '../../meta/ip.ts';
import { headless, isHeadless } from './rules.ts';
import type { Service } from './service.ts';

const field = 'spec.clusterIPs';

/** Types with cluster IPs only; an ExternalName has none, which its own rule sees to. */
export function validateAddresses(service: Service): FieldProblem[] {
  const { spec } = service;
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  const problems = validateSynced(clusterIP, clusterIPs);
  const seen = new Set<string>();
  ipFamilies.forEach((family, at) => {
    if (family !== 'IPv4' && family !== 'IPv6') problems.push(notSupported(`spec.ipFamilies[${at}]`, family, ['IPv4', 'IPv6']));
    if (seen.has(family)) problems.push(duplicate(`spec.ipFamilies[${at}]`, family));
    seen.add(family);
  });
  problems.push(...oneOfIfSet('spec.ipFamilyPolicy', spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']));
  const wrong = validateList(clusterIPs);
  problems.push(...wrong);
  if (clusterIPs.length > 2) problems.push(invalid(field, clusterIPs, 'may only hold up to 2 values'));
  if (wrong.length > 0) return problems;
  const families = new Set(clusterIPs.map(ipFamilyOf));
  if (clusterIPs.length > 1 && (families.size < 2 || clusterIPs.length > 2)) {
    problems.push(invalid(field, clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  return isHeadless(service) ? problems : [...problems, ...validateFamilies(clusterIPs, ipFamilies)];
}

function validateSynced(clusterIp: string, clusterIps: readonly string[]): FieldProblem[] {
  if (clusterIp === '') {
    return clusterIps.length === 0 ? [] : [invalid(field, clusterIps, 'must be empty when `clusterIP` is not specified')];
  }
  if (clusterIps.length === 0) return [required(field)];
  return clusterIps[0] === clusterIp ? [] : [invalid(field, clusterIps, 'first value must match `clusterIP`')];
}

function validateList(clusterIps: readonly string[]): FieldProblem[] {
  return clusterIps.flatMap((ip, at) => {
    if (at > 0 || ip !== headless) return validateIp(`${field}[${at}]`, ip);
    return clusterIps.length > 1 ? [invalid(field, clusterIps, "'None' must be the first and only value")] : [];
  });
}

function validateFamilies(clusterIps: readonly string[], families: readonly string[]): FieldProblem[] {
  return clusterIps.flatMap((ip, at) => {
    const family = families[at];
    if (family === undefined || `IPv${ipFamilyOf(ip)}` === family) return [];
    return [invalid(`${field}[${at}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${at}]\``)];
  });
}
