// What the rules of an Ingress may say (pkg/apis/networking/validation/validation.go).
import type { V1HTTPIngressPath, V1IngressBackend, V1IngressRule, V1IngressServiceBackend, V1IngressTLS } from '#api/generated/types.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { ipFamilyOf } from '../meta/ip.ts';
import {
  dnsSubdomainProblems,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  portNameProblems,
  portNumberProblems,
  wildcardSubdomainProblems,
} from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateLocalReference } from './local-reference.ts';

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const forbiddenParts = ['//', '/./', '/../', '%2f', '%2F'];
const forbiddenEnds = ['/..', '/.'];

/** `before`: the rules that are changed. Where one of them for a wildcard was wrong, rules for wildcards may say anything. */
export function validateRules(
  rules: readonly Unchecked<V1IngressRule>[],
  path: string,
  before: readonly Unchecked<V1IngressRule>[] = [],
): FieldProblem[] {
  const isLenient = before.some((rule) => isWildcard(rule) && validatePaths(rule, '').length > 0);
  return rules.flatMap((rule, at) => {
    const { host = '' } = rule;
    const field = `${path}[${at}].host`;
    const problems: FieldProblem[] = [];
    if (ipFamilyOf(host) !== undefined) problems.push(invalid(field, host, 'must be a DNS name, not an IP address'));
    if (host !== '') problems.push(...validateHost(field, host));
    return isLenient && isWildcard(rule) ? problems : [...problems, ...validatePaths(rule, `${path}[${at}]`)];
  });
}

function isWildcard({ host = '' }: Unchecked<V1IngressRule>): boolean {
  return host.includes('*');
}

function validatePaths({ http }: Unchecked<V1IngressRule>, path: string): FieldProblem[] {
  if (http === undefined) return [];
  const paths = http.paths ?? [];
  const missing = paths.length === 0 ? [required(`${path}.http.paths`)] : [];
  return [...missing, ...paths.flatMap((one, index) => validatePath(one, `${path}.http.paths[${index}]`))];
}

/** `before`: what is changed. Where it names a Secret that cannot be, any name will do. */
export function validateTls(
  tls: readonly Unchecked<V1IngressTLS>[],
  path: string,
  before: readonly Unchecked<V1IngressTLS>[] = [],
): FieldProblem[] {
  const isLenient = before.some(({ secretName = '' }) => secretNameProblems(secretName).length > 0);
  return tls.flatMap(({ hosts = [], secretName = '' }, at) => [
    ...hosts.flatMap((host, index) => validateHost(`${path}[${at}].hosts[${index}]`, host)),
    ...(isLenient ? [] : invalidEach(`${path}[${at}].secretName`, secretName, secretNameProblems(secretName))),
  ]);
}

function secretNameProblems(name: string): readonly string[] {
  return name === '' ? [] : nameIsDnsSubdomain(name, false);
}

export function validateBackend({ resource, service }: Unchecked<V1IngressBackend>, path: string): FieldProblem[] {
  if (resource !== undefined && service !== undefined) return [invalid(path, '', 'cannot set both resource and service backends')];
  if (resource !== undefined) return validateLocalReference(resource, `${path}.resource`);
  if (service !== undefined) return validateServiceBackend(service, path);
  return [invalid(path, '', 'resource or service backend is required')];
}

/** A name that may begin with `*.`. */
function validateHost(field: string, host: string): FieldProblem[] {
  return invalidEach(field, host, host.includes('*') ? wildcardSubdomainProblems(host) : dnsSubdomainProblems(host));
}

function validatePath({ path = '', pathType, backend = {} }: Unchecked<V1HTTPIngressPath>, base: string): FieldProblem[] {
  if (pathType === undefined) return [required(`${base}.pathType`, 'pathType must be specified')];
  const field = `${base}.path`;
  const problems: FieldProblem[] = [];
  const absolute = path.startsWith('/') ? [] : [invalid(field, path, 'must be an absolute path')];
  if (pathType === 'Exact' || pathType === 'Prefix') {
    problems.push(...absolute);
    for (const part of forbiddenParts) if (path.includes(part)) problems.push(invalid(field, path, `must not contain '${part}'`));
    for (const end of forbiddenEnds) if (path.endsWith(end)) problems.push(invalid(field, path, `cannot end with '${end}'`));
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '') problems.push(...absolute);
  } else {
    problems.push(notSupported(`${base}.pathType`, pathType, pathTypes));
  }
  return [...problems, ...validateBackend(backend, `${base}.backend`)];
}

function validateServiceBackend({ name = '', port = {} }: Unchecked<V1IngressServiceBackend>, path: string): FieldProblem[] {
  const field = `${path}.service.name`;
  const problems = name === '' ? [required(field)] : invalidEach(field, name, nameIsDnsLabel(name, false));
  const portName = port.name ?? '';
  const portNumber = port.number ?? 0;
  if (portName !== '' && portNumber !== 0) problems.push(invalid(path, '', 'cannot set both port name & port number'));
  else if (portName !== '') problems.push(...invalidEach(`${path}.service.port.name`, portName, portNameProblems(portName)));
  else if (portNumber !== 0) problems.push(...invalidEach(`${path}.service.port.number`, portNumber, portNumberProblems(portNumber)));
  else problems.push(required(path, 'port name or number is required'));
  return problems;
}
