// Which IP families a Service has, and what a cluster that has not all of them says to it (upstream's initIPFamilyFields in
// pkg/registry/core/service/storage/alloc.go). Runs before addresses are given out.
import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, invalid } from '../../meta/field-problem.ts';
import { ipFamilyOf } from '../../meta/ip.ts';
import { validateAddresses } from './addresses.ts';
import { isHeadless } from './rules.ts';
import type { Service } from './service.ts';

const policyField = 'spec.ipFamilyPolicy';

/**
 * Fills in the families and their policy, in a cluster that has the families of `clusterFamilies`, the first preferred. Answers why
 * there can be none; the Service may then be half filled in.
 */
export function fillIpFamilies(
  service: Service,
  prev: Service | undefined,
  clusterFamilies: readonly [string, ...string[]],
): FieldProblem[] {
  const { spec } = service;
  if (spec.type === 'ExternalName' || (prev !== undefined && staysPreferred(service, prev))) return [];
  // Headless and without a selector: nothing of the cluster limits it, so it is taken for both families.
  const isBare = isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= prev?.spec.ipFamilyPolicy ?? (isBare ? 'RequireDualStack' : 'SingleStack');
  const unfit = validateAddresses(service);
  if (unfit.length > 0) return unfit;
  const problems = [
    ...(prev === undefined ? [] : releaseSecond(service, prev)),
    ...validateCounts(service),
    ...inferFamilies(service, clusterFamilies),
  ];
  if (problems.length > 0) return problems;
  if (!isBare) {
    const missing = validateConfigured(service, clusterFamilies);
    if (missing.length > 0) return missing;
  }
  const families = (spec.ipFamilies?.length ?? 0) > 0 ? [...(spec.ipFamilies ?? [])] : [clusterFamilies[0]];
  const isSecondWanted = spec.ipFamilyPolicy !== 'SingleStack' && (isBare || clusterFamilies.length === 2);
  if (families.length === 1 && isSecondWanted) families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
  spec.ipFamilies = families;
  return [];
}

/** A Service that would like both families gets and loses none because the cluster has changed, unless its type changes. */
function staysPreferred({ spec }: Service, { spec: before }: Service): boolean {
  if (spec.type !== before.type) return false;
  if (spec.ipFamilyPolicy !== 'PreferDualStack' || before.ipFamilyPolicy !== 'PreferDualStack') return false;
  return hasSameAddresses(spec, before) && equalValues(spec.ipFamilies, before.ipFamilies);
}

function hasSameAddresses(spec: Service['spec'], before: Service['spec']): boolean {
  return spec.clusterIP === before.clusterIP && equalValues(spec.clusterIPs, before.clusterIPs);
}

/** The word `SingleStack` gives the second of each back; without it they cannot go. */
function releaseSecond({ spec }: Service, { spec: before }: Service): FieldProblem[] {
  const now = { ips: spec.clusterIPs ?? [], families: spec.ipFamilies ?? [] };
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (now.ips.length > 1 && hasSameAddresses(spec, before)) spec.clusterIPs = now.ips.slice(0, 1);
    if (now.families.length > 1 && equalValues(spec.ipFamilies, before.ipFamilies)) spec.ipFamilies = now.families.slice(0, 1);
    return [];
  }
  const isReduced = (list: readonly string[], old: readonly string[]): boolean => list.length > 0 && list.length < old.length;
  const refuse = (what: string): FieldProblem =>
    invalid(policyField, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(isReduced(now.ips, before.clusterIPs ?? []) ? [refuse('cluster IP')] : []),
    ...(isReduced(now.families, before.ipFamilies ?? []) ? [refuse('IP family')] : []),
  ];
}

function validateCounts({ spec }: Service): FieldProblem[] {
  if (spec.ipFamilyPolicy !== 'SingleStack') return [];
  const refuse = (what: string): FieldProblem =>
    invalid(policyField, spec.ipFamilyPolicy, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [
    ...(spec.clusterIPs?.length === 2 ? [refuse('cluster IPs')] : []),
    ...(spec.ipFamilies?.length === 2 ? [refuse('IP families')] : []),
  ];
}

/** Addresses that were asked for say their families. */
function inferFamilies(service: Service, clusterFamilies: readonly string[]): FieldProblem[] {
  const { spec } = service;
  if (isHeadless(service)) return [];
  const problems: FieldProblem[] = [];
  (spec.clusterIPs ?? []).forEach((ip, at) => {
    if (at < (spec.ipFamilies?.length ?? 0)) return;
    const family = `IPv${ipFamilyOf(ip) ?? 4}`;
    if (clusterFamilies.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else problems.push(invalid(`spec.clusterIPs[${at}]`, spec.clusterIPs, `${family} is not configured on this cluster`));
  });
  return problems;
}

function validateConfigured({ spec }: Service, clusterFamilies: readonly string[]): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack' && clusterFamilies.length < 2) {
    problems.push(invalid(policyField, spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  (spec.ipFamilies ?? []).forEach((family, at) => {
    if (!clusterFamilies.includes(family)) problems.push(invalid(`spec.ipFamilies[${at}]`, family, 'not configured on this cluster'));
  });
  return problems;
}
