// Where a webhook is: a URL, or a Service of the cluster (apiserver/pkg/util/webhook/validation.go).
import type { AdmissionregistrationV1WebhookClientConfig } from '#api/generated/types.ts';
import { type FieldProblem, invalid, required } from './field-problem.ts';
import { dns1035LabelProblems, dnsSubdomainProblems, portNumberProblems } from './names.ts';
import type { Unchecked } from './unchecked.ts';

const form = '; desired format: https://host[/path]';

type ClientConfig = Unchecked<AdmissionregistrationV1WebhookClientConfig>;

/** Exactly one of both, well-formed. */
export function validateClientConfig({ url, service }: ClientConfig, path: string): FieldProblem[] {
  if ((url === undefined) === (service === undefined)) return [required(path, 'exactly one of url or service is required')];
  return url === undefined ? validateService(service ?? {}, `${path}.service`) : validateUrl(url, `${path}.url`);
}

/** Services are called on port 443 by default. */
export function defaultServicePort(config: { service?: { port?: number } } | undefined): void {
  if (config?.service !== undefined) config.service.port ??= 443;
}

function validateUrl(text: string, field: string): FieldProblem[] {
  const parts = splitUrl(text);
  if (typeof parts === 'string') return [required(field, `url must be a valid URL: parse ${JSON.stringify(text)}: ${parts}${form}`)];
  const { scheme, user, host, query, fragment } = parts;
  const problems: FieldProblem[] = [];
  if (scheme !== 'https') problems.push(invalid(field, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === '') problems.push(invalid(field, host, `host must be provided${form}`));
  if (user !== undefined) problems.push(invalid(field, user, 'user information is not permitted in the URL'));
  if (fragment !== '') problems.push(invalid(field, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') problems.push(invalid(field, query, 'query parameters are not permitted in the URL'));
  return problems;
}

interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** The parts as Go's net/url has them, or what it says is wrong. */
function splitUrl(text: string): UrlParts | string {
  if (/\p{Cc}/u.test(text)) return 'net/url: invalid control character in URL';
  const [whole, fragment] = cut(text, '#');
  if (whole.startsWith(':')) return 'missing protocol scheme';
  const [, scheme = '', afterScheme = whole] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/.exec(whole) ?? [];
  const [rest, query] = cut(afterScheme, '?');
  const parts = { scheme: scheme.toLowerCase(), user: undefined, host: '', query, fragment };
  if (!rest.startsWith('//')) return parts;
  const authority = /^\/\/([^/]*)/.exec(rest)?.[1] ?? '';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (host.includes(' ')) return 'invalid character " " in host name';
  const port = /:([^\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return `invalid port ":${port}" after host`;
  return { ...parts, host, user: at < 0 ? undefined : authority.slice(0, at) };
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Upstream mixes up name and namespace, in what it calls missing. */
function validateService(
  { name = '', namespace = '', path = '', port = 0 }: NonNullable<ClientConfig['service']>,
  field: string,
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (namespace === '') problems.push(required(`${field}.name`, 'service name is required'));
  if (name === '') problems.push(required(`${field}.namespace`, 'service namespace is required'));
  const texts = portNumberProblems(port);
  if (texts.length > 0) problems.push(invalid(`${field}.port`, port, `port is not valid: ${texts.join(', ')}`));
  return path === '' || path === '/' ? problems : [...problems, ...validatePath(path, `${field}.path`)];
}

function validatePath(path: string, field: string): FieldProblem[] {
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')];
  const problems = path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")];
  const steps = path.slice(1).replace(/\/$/, '').split('/');
  steps.forEach((step, at) => {
    if (step === '') problems.push(invalid(field, path, `segment[${at}] may not be empty`));
    else for (const text of dnsSubdomainProblems(step)) problems.push(invalid(field, path, `segment[${at}]: ${text}`));
  });
  return problems;
}

/** Which versions of the review a webhook understands: at least one that this server speaks. */
export function validateReviewVersions(
  versions: readonly string[],
  accepted: readonly string[],
  field: string,
  ifNone: string,
): FieldProblem[] {
  if (versions.length === 0) return [required(field, ifNone)];
  const problems = versions.flatMap((version, at) => {
    if (versions.indexOf(version) < at) return [invalid(`${field}[${at}]`, version, 'duplicate version')];
    return dns1035LabelProblems(version).map((text) => invalid(`${field}[${at}]`, version, text));
  });
  if (versions.some((version) => accepted.includes(version))) return problems;
  return [...problems, invalid(field, versions, `must include at least one of ${accepted.join(', ')}`)];
}
