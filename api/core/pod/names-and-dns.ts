// Names that a pod has and looks up.
import type { V1PodDNSConfig, V1PodSpec } from '#api/generated/types.ts';
import { dnsLabel, invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { validateIp } from '../../meta/ip.ts';
import { dnsSubdomainProblems, dnsSubdomainWithUnderscoreProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

const maxNameservers = 3;
const maxSearches = 32;
const maxSearchBytes = 2_048;
const maxHostname = 64;

/** The pod's own resolver settings. */
export function validateDnsConfig(config: Unchecked<V1PodDNSConfig> | undefined, policy: string | undefined, path: string): FieldProblem[] {
  if (policy === 'None') {
    if (config === undefined) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if ((config.nameservers?.length ?? 0) === 0) {
      return [required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')];
    }
  }
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  const problems: FieldProblem[] = [];
  if (nameservers.length > maxNameservers) {
    problems.push(invalid(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`));
  }
  nameservers.forEach((server, at) => problems.push(...validateIp(`${path}.nameservers[${at}]`, server)));
  if (searches.length > maxSearches) {
    problems.push(invalid(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  }
  if (searches.join(' ').length > maxSearchBytes) {
    const text = `must not have more than ${maxSearchBytes} characters (including spaces) in the search list`;
    problems.push(invalid(`${path}.searches`, searches, text));
  }
  searches.forEach((search, at) => {
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    if (search !== '.') problems.push(...invalidEach(`${path}.searches[${at}]`, name, dnsSubdomainWithUnderscoreProblems(name)));
  });
  options.forEach(({ name }, at) => {
    if (!name) problems.push(required(`${path}.options[${at}]`, 'must not be empty'));
  });
  return problems;
}

/** Host names of the pod, and those it maps itself. */
export function validateHostNames(spec: Unchecked<V1PodSpec>, path: string): FieldProblem[] {
  const { hostname = '', subdomain = '', hostnameOverride, hostAliases = [] } = spec;
  const problems: FieldProblem[] = [];
  if (hostname !== '') problems.push(...dnsLabel(`${path}.hostname`, hostname));
  if (subdomain !== '') problems.push(...dnsLabel(`${path}.subdomain`, subdomain));
  if (hostnameOverride !== undefined) {
    const field = `${path}.hostnameOverride`;
    if (hostnameOverride.length > maxHostname) problems.push(invalid(field, hostnameOverride, `must be no more than ${maxHostname} bytes`));
    problems.push(...invalidEach(field, hostnameOverride, dnsSubdomainProblems(hostnameOverride)));
    if (spec.hostNetwork === true) problems.push(forbiddenField(field, 'may not be specified when hostNetwork is true'));
    if (spec.setHostnameAsFQDN === true) problems.push(forbiddenField(field, 'may not be specified when setHostnameAsFQDN is true'));
  }
  hostAliases.forEach(({ ip = '', hostnames = [] }, at) => {
    problems.push(...validateIp(`${path}.hostAliases[${at}].ip`, ip));
    hostnames.forEach((name, index) => {
      problems.push(...invalidEach(`${path}.hostAliases[${at}].hostnames[${index}]`, name, dnsSubdomainProblems(name)));
    });
  });
  return problems;
}
