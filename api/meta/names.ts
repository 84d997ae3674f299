// Which texts may be names, labels, keys, ports and paths. Each check answers messages as upstream words them; none means fine.

const dns1123LabelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dns1123SubdomainFormat = `${dns1123LabelFormat}(\\.${dns1123LabelFormat})*`;
const underscoreLabelFormat = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreSubdomainFormat = `${underscoreLabelFormat}(\\.${underscoreLabelFormat})*`;
const dns1035LabelFormat = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedNameFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFormat = `(${qualifiedNameFormat})?`;
const configMapKeyFormat = '[-._a-zA-Z0-9]+';
const headerNameFormat = '[-A-Za-z0-9]+';
const percentFormat = '[0-9]+%';
const identifierFormat = '[A-Za-z_][A-Za-z0-9_]*';
const wildcardSubdomainFormat = `\\*\\.${dns1123SubdomainFormat}`;
const httpPathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const underscoreSubdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
const dns1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const wildcardSubdomainText =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
const qualifiedNameText = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

const dns1123Label = whole(dns1123LabelFormat);
const dns1123Subdomain = whole(dns1123SubdomainFormat);
const underscoreSubdomain = whole(underscoreSubdomainFormat);
const dns1035Label = whole(dns1035LabelFormat);
const qualifiedName = whole(qualifiedNameFormat);
const labelValue = whole(labelValueFormat);
const configMapKey = whole(configMapKeyFormat);
const headerName = whole(headerNameFormat);
const percent = whole(percentFormat);
const identifier = whole(identifierFormat);
const wildcardSubdomain = whole(wildcardSubdomainFormat);
const httpPath = whole(httpPathFormat);

/** Checks a name and answers messages; `prefix` is true for a generateName, which may end in a dash. */
export type NameCheck = (name: string, prefix: boolean) => readonly string[];

/** What most names have: no array is made to say so. */
const noProblems: readonly string[] = Object.freeze([]);

/** Bytes, as Go counts a string's length. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** A DNS label (RFC 1123), such as a namespace. */
export function dnsLabelProblems(value: string): readonly string[] {
  if (value.length <= 63 && dns1123Label.test(value)) return noProblems;
  const problems = lengthProblems(value, 63);
  if (!dns1123Label.test(value)) {
    const isDotted = dns1123Subdomain.test(value);
    problems.push(isDotted ? 'must not contain dots' : regexText(labelText, dns1123LabelFormat, 'my-name', '123-abc'));
  }
  return problems;
}

/** A DNS subdomain (RFC 1123): what most names are. */
export function dnsSubdomainProblems(value: string): readonly string[] {
  return subdomainProblems(value, 'characters');
}

function subdomainProblems(value: string, unit: 'bytes' | 'characters'): readonly string[] {
  if (value.length <= 253 && dns1123Subdomain.test(value)) return noProblems;
  const problems = lengthProblems(value, 253, unit);
  if (!dns1123Subdomain.test(value)) problems.push(regexText(subdomainText, dns1123SubdomainFormat, 'example.com'));
  return problems;
}

/** A DNS subdomain that may hold underscores, as search paths may. */
export function dnsSubdomainWithUnderscoreProblems(value: string): string[] {
  const problems = lengthProblems(value, 253);
  if (!underscoreSubdomain.test(value)) problems.push(regexText(underscoreSubdomainText, underscoreSubdomainFormat, 'example.com'));
  return problems;
}

/** `*.example.com`. */
export function wildcardSubdomainProblems(value: string): string[] {
  const problems = lengthProblems(value, 253);
  if (!wildcardSubdomain.test(value)) problems.push(regexText(wildcardSubdomainText, wildcardSubdomainFormat, '*.example.com'));
  return problems;
}

/** What may stand in a URL's path. */
export function httpPathProblems(value: string): string[] {
  return httpPath.test(value) ? [] : [regexText('Invalid path', httpPathFormat)];
}

/** A DNS label that starts with a letter (RFC 1035), such as a Service. */
export function dns1035LabelProblems(value: string): string[] {
  const problems = lengthProblems(value, 63);
  if (!dns1035Label.test(value)) problems.push(regexText(dns1035Text, dns1035LabelFormat, 'my-name', 'abc-123'));
  return problems;
}

/** `name` or `prefix/name`: label keys, finalizers, condition types. */
export function qualifiedNameProblems(value: string): readonly string[] {
  const slash = value.indexOf('/');
  const name = value.slice(slash + 1);
  if (slash !== 0 && name.length <= 63 && qualifiedName.test(name)) {
    if (slash < 0 || dnsSubdomainProblems(value.slice(0, slash)).length === 0) return noProblems;
  }
  const problems: string[] = [];
  if (slash >= 0) {
    if (value.includes('/', slash + 1)) {
      const text = regexText(qualifiedNameText, qualifiedNameFormat, 'MyName', 'my.name', '123-abc');
      return [`a valid label key ${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
    }
    const prefix = value.slice(0, slash);
    if (prefix === '') problems.push('prefix part must be non-empty');
    else problems.push(...subdomainProblems(prefix, 'bytes').map((text) => `prefix part ${text}`));
  }
  if (name === '') problems.push('name part must be non-empty');
  else problems.push(...lengthProblems(name, 63, 'bytes').map((text) => `name part ${text}`));
  if (!qualifiedName.test(name)) {
    problems.push(`name part ${regexText(qualifiedNameText, qualifiedNameFormat, 'MyName', 'my.name', '123-abc')}`);
  }
  return problems;
}

/** A label's value; empty is fine. */
export function labelValueProblems(value: string): readonly string[] {
  if (value.length <= 63 && labelValue.test(value)) return noProblems;
  const problems = lengthProblems(value, 63, 'bytes');
  if (!labelValue.test(value)) problems.push(regexText(labelValueText, labelValueFormat, 'MyValue', 'my_value', '12345'));
  return problems;
}

/** A key of a ConfigMap or Secret: a file name without tricks. */
export function configMapKeyProblems(value: string): string[] {
  const problems = lengthProblems(value, 253);
  if (!configMapKey.test(value)) {
    const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(regexText(text, configMapKeyFormat, 'key.name', 'KEY_NAME', 'key-name'));
  }
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/** The name of an environment variable: printable ASCII without `=`. */
export function envVarNameProblems(value: string): readonly string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if (/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) return noProblems;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A named port, at most 15 characters. */
export function portNameProblems(value: string): string[] {
  const problems = lengthProblems(value, 15);
  if (!/^[-a-z0-9]+$/.test(value)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

/** A port's number. */
export function portNumberProblems(value: number): readonly string[] {
  return rangeProblems(value, 1, 65_535);
}

/** Both ends belong to the range. */
function rangeProblems(value: number, min: number, max: number): readonly string[] {
  return value >= min && value <= max ? noProblems : [inclusiveRangeText(min, max)];
}

/** `must be between 1 and 65535, inclusive`. */
export function inclusiveRangeText(min: number, max: number): string {
  return `must be between ${min} and ${max}, inclusive`;
}

const maxId = 2 ** 31 - 1;

/** A user's or group's number. */
export function idProblems(value: number): readonly string[] {
  return rangeProblems(value, 0, maxId);
}

/** `25%` and the like. */
export function percentProblems(value: string): string[] {
  if (percent.test(value)) return [];
  return [regexText("a valid percent string must be a numeric string followed by an ending '%'", percentFormat, '1%', '93%')];
}

/** The name of an HTTP header. */
export function headerNameProblems(value: string): string[] {
  if (headerName.test(value)) return [];
  return [regexText("a valid HTTP header must consist of alphanumeric characters or '-'", headerNameFormat, 'X-Header-Name')];
}

/** A name as programs have them: letters, digits and underscores. */
export function identifierProblems(value: string): string[] {
  if (identifier.test(value)) return [];
  const text = "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return [regexText(text, identifierFormat, 'my_name', 'MY_NAME', 'MyName')];
}

/** Names of most objects. */
export const nameIsDnsSubdomain: NameCheck = (name, prefix) => dnsSubdomainProblems(prefix ? withoutTrailingDash(name) : name);
/** Names of namespaces and their like. */
export const nameIsDnsLabel: NameCheck = (name, prefix) => dnsLabelProblems(prefix ? withoutTrailingDash(name) : name);

/** What a name in a URL may not be, whatever the kind; upstream's path segment rule. */
export const nameIsPathSegment: NameCheck = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  if (!name.includes('/') && !name.includes('%')) return noProblems;
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
};

/** A generateName may end in a dash, since a suffix follows. */
function withoutTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

/** `<text> (e.g. 'a',  or 'b', regex used for validation is '…')`, with upstream's odd commas. */
export function regexText(text: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${format}')`;
  const list = examples.map((example) => `'${example}', `).join(' or ');
  return `${text} (e.g. ${list}regex used for validation is '${format}')`;
}

/** Lengths are counted in bytes everywhere; upstream calls them so for labels alone. */
function lengthProblems(value: string, max: number, unit: 'bytes' | 'characters' = 'characters'): string[] {
  return byteLength(value) > max ? [`must be no more than ${max} ${unit}`] : [];
}

function whole(format: string): RegExp {
  return new RegExp(`^(?:${format})$`);
}
