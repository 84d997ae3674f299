// Names that a pod has and looks up.
import type { V1HostAlias, V1PodDNSConfig, V1PodSpec } from '#api/generated/types.ts';
import { invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, required, tooLong } from '../../meta/field-problem.ts';
import { validateIp } from '../../meta/ip.ts';
import { byteLength, dnsSubdomainWithUnderscoreProblems } from '../../meta/names.ts';
import type { Problems } from '../../meta/problems.ts';
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

/** The name that a pod has in place of all others. */
export function checkHostnameOverride(spec: Unchecked<V1PodSpec>, at: Problems): void {
  const { hostnameOverride: name } = spec;
  if (name === undefined) return;
  const field = 'hostnameOverride';
  if (spec.setHostnameAsFQDN === true) at.forbidden(field, 'may not be specified when setHostnameAsFQDN is true');
  if (spec.hostNetwork === true) at.forbidden(field, 'may not be specified when hostNetwork is true');
  if (byteLength(name) > maxHostname) at.add(tooLong(at.path(field), maxHostname));
  at.dnsSubdomain(field, name);
}

/** Names that a pod maps itself. */
export function checkHostAlias({ ip = '', hostnames = [] }: Unchecked<V1HostAlias>, at: Problems): void {
  at.addAll(validateIp(at.path('ip'), ip));
  for (const [index, name] of hostnames.entries()) at.dnsSubdomain(`hostnames[${index}]`, name);
}
