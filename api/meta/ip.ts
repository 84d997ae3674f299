// Addresses and networks as texts: checks with upstream's messages.
import { isIPv4, isIPv6 } from 'node:net';
import { type FieldProblem, invalid } from './field-problem.ts';

/** 4 or 6; undefined where the text is no address. */
export function ipFamilyOf(text: string): 4 | 6 | undefined {
  if (isIPv4(text)) return 4;
  return isIPv6(text) && !text.includes('%') ? 6 : undefined;
}

/** True for `10.0.0.0/8` and the like. */
export function isCidr(text: string): boolean {
  const found = /^(.+)\/([0-9]{1,3})$/.exec(text);
  if (found === null) return false;
  const [, address = '', bits = ''] = found;
  const family = ipFamilyOf(address);
  return family !== undefined && Number(bits) <= (family === 4 ? 32 : 128) && String(Number(bits)) === bits;
}

const invalidIp = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const invalidCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/**
 * An address in unambiguous notation: neither leading zeros, which some take for octal, nor IPv4 in IPv6. What the field had
 * `before` may stay.
 */
export function validateIp(field: string, value: string, before: readonly string[] = []): FieldProblem[] {
  const why = before.includes(value) ? undefined : ipProblem(value);
  return why === undefined ? [] : [invalid(field, value, why)];
}

function ipProblem(value: string): string | undefined {
  const family = ipFamilyOf(value);
  if (family === undefined) return ipFamilyOf(withoutZeros(value)) === undefined ? invalidIp : 'must not have leading 0s';
  return family === 6 && v4Mapped(value) !== undefined ? 'must not be an IPv4-mapped IPv6 address' : undefined;
}

/** A network, said by its first address; as strict as `validateIp`. */
export function validateCidr(field: string, value: string, before: readonly string[] = []): FieldProblem[] {
  const why = before.includes(value) ? undefined : cidrProblem(value);
  return why === undefined ? [] : [invalid(field, value, why)];
}

function cidrProblem(value: string): string | undefined {
  if (!isCidr(value)) return isCidr(cidrWithoutZeros(value)) ? 'must not have leading 0s in IP or prefix length' : invalidCidr;
  const [address = ''] = value.split('/');
  if (ipFamilyOf(address) === 6 && v4Mapped(address) !== undefined) return 'must not have an IPv4-mapped IPv6 address';
  const network = networkOf(value);
  const single = networkOf(`${address}/${ipFamilyOf(address) === 4 ? 32 : 128}`);
  return network?.first === single?.first ? undefined : 'must not have bits set beyond the prefix length';
}

/** As `validateIp`, and in the usual spelling: for fields that never knew others. */
export function validateCanonicalIp(field: string, value: string): FieldProblem[] {
  const problems = validateIp(field, value);
  const usual = canonicalIp(value);
  if (problems.length > 0 || usual === undefined || usual === value) return problems;
  return [invalid(field, value, `must be in canonical form (${quoted(usual)})`)];
}

/** As `validateCidr`, and in the usual spelling: for fields that never knew others. */
export function validateCanonicalCidr(field: string, value: string): FieldProblem[] {
  const problems = validateCidr(field, value);
  const network = networkOf(value);
  if (problems.length > 0 || network === undefined || networkText(network) === value) return problems;
  return [invalid(field, value, `must be in canonical form (${quoted(networkText(network))})`)];
}

/** Without zeros before decimal parts and before groups that have too many digits for one. */
function withoutZeros(address: string): string {
  const plain = address.replace(/[0-9]+(?:\.[0-9]+){3}$/, (dotted) =>
    dotted
      .split('.')
      .map((part) => part.replace(/^0+(?=[0-9])/, ''))
      .join('.'),
  );
  return plain.includes(':') ? plain.replaceAll(/(?<![^:])0+(?=[0-9A-Fa-f]{4}(?![^:]))/g, '') : plain;
}

/** A network without such zeros, in its prefix neither. */
function cidrWithoutZeros(value: string): string {
  const [address = '', bits = '', ...rest] = value.split('/');
  return [withoutZeros(address), bits.replace(/^0+(?=[0-9])/, ''), ...rest].join('/');
}

/** An address of an interface with its prefix, such as 10.9.8.7/24, in the usual spelling. */
export function validateInterfaceAddress(field: string, value: string): FieldProblem[] {
  const canonical = canonicalCidr(value);
  if (canonical === undefined) {
    return [invalid(field, value, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')];
  }
  return canonical === value ? [] : [invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

function canonicalCidr(value: string): string | undefined {
  const plain = cidrWithoutZeros(value);
  if (!isCidr(plain)) return undefined;
  const [address = '', bits = ''] = plain.split('/');
  const mapped = v4Mapped(address);
  if (mapped === undefined) return `${canonicalIp(address) ?? address}/${bits}`;
  return `${mapped.join('.')}/${Number(bits) > 32 ? Number(bits) - 96 : bits}`;
}

/** Refuses addresses that must never be reached through a Service: unspecified, loopback, link-local. */
export function validateNotSpecialIp(field: string, value: string): FieldProblem[] {
  // Zeros in front are another rule's business, and allowed where they have always been.
  const plain = withoutZeros(value);
  const family = ipFamilyOf(plain);
  if (family === undefined) return [invalid(field, value, 'must be a valid IP address')];
  const text = specialRange(family, plain, value);
  return text === undefined ? [] : [invalid(field, value, text)];
}

function specialRange(family: 4 | 6, value: string, given: string): string | undefined {
  const bytes = family === 4 ? value.split('.').map(Number) : v4Mapped(value);
  const groups = family === 6 ? expand(value) : [];
  const [first = -1, second = -1, third = -1] = bytes ?? [];
  if (bytes?.every((byte) => byte === 0) === true || (groups.length > 0 && groups.every((group) => group === 0))) {
    return `may not be unspecified (${given})`;
  }
  const isLoopback = groups.slice(0, 7).every((group) => group === 0) && groups[7] === 1;
  if (first === 127 || isLoopback) return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  const [head = 0] = groups;
  if ((first === 169 && second === 254) || (head & 0xffc0) === 0xfe80) {
    return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  }
  if ((first === 224 && second === 0 && third === 0) || (head & 0xff0f) === 0xff02) {
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  }
  return undefined;
}

/** The bytes of `::ffff:1.2.3.4`; undefined for other IPv6 addresses. */
function v4Mapped(value: string): number[] | undefined {
  const groups = expand(value);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255] : undefined;
}

/** The eight groups of an IPv6 address. */
function expand(value: string): number[] {
  const text = value.replace(/([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/, (_all, a: string, b: string, c: string, d: string) => {
    const pair = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
    return `${pair(a, b)}:${pair(c, d)}`;
  });
  const [left = '', right] = text.split('::');
  const parse = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (right === undefined) return parse(left);
  const tail = parse(right);
  const head = parse(left);
  return [...head, ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => 0), ...tail];
}

/** A network: the first of its addresses as a number, and how many bits lead to it. */
export interface Network {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly bits: number;
}

/** Reads a CIDR; undefined where it is none. Bits behind the prefix are dropped. */
export function networkOf(cidr: string): Network | undefined {
  if (!isCidr(cidr)) return undefined;
  const [address = '', bitsText = ''] = cidr.split('/');
  const family = ipFamilyOf(address) ?? 4;
  const bits = Number(bitsText);
  const rest = BigInt((family === 4 ? 32 : 128) - bits);
  return { family, first: (addressNumber(family, address) >> rest) << rest, bits };
}

/** Whether a network holds all of another one. */
export function holdsNetwork(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.bits > inner.bits) return false;
  const rest = BigInt((outer.family === 4 ? 32 : 128) - outer.bits);
  return inner.first >> rest === outer.first >> rest;
}

/** Networks in their usual form: `10.0.0.0/8`, IPv6 in hexadecimal groups as RFC 5952 has them. */
function networkText({ family, first, bits }: Network): string {
  return `${addressText(family, first)}/${bits}`;
}

/** An address in its usual form, undefined where the text is none. */
function canonicalIp(text: string): string | undefined {
  const family = ipFamilyOf(text);
  return family === undefined ? undefined : addressText(family, addressNumber(family, text));
}

function addressNumber(family: 4 | 6, text: string): bigint {
  if (family === 4) return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n);
  return expand(text).reduce((value, group) => value * 65_536n + BigInt(group), 0n);
}

function addressText(family: 4 | 6, value: bigint): string {
  const width = family === 4 ? 8n : 16n;
  const count = family === 4 ? 4 : 8;
  const mask = (1n << width) - 1n;
  const parts = Array.from({ length: count }, (_none, at) => Number((value >> (width * BigInt(count - 1 - at))) & mask));
  return family === 4 ? parts.join('.') : shortened(parts);
}

/** Groups in hexadecimal, the longest run of zeros (two at least, the first of several) as `::`. */
function shortened(groups: readonly number[]): string {
  let [start, length] = [0, 1];
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (groups[end] === 0) end++;
    if (end - at > length) [start, length] = [at, end - at];
  }
  const hex = groups.map((group) => group.toString(16));
  return length < 2 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** A warning about an address that is valid but in no usual spelling. */
export function ipWarnings(field: string, value: string): string[] {
  const read = withoutZeros(value);
  const usual = canonicalIp(read);
  if (usual === undefined) return [];
  const mapped = isIPv6(read) ? v4Mapped(read) : undefined;
  if (mapped !== undefined || read !== value) {
    return [`${field}: non-standard IP address ${quoted(value)} is invalid: use ${quoted(mapped?.join('.') ?? usual)}`];
  }
  if (usual === value) return [];
  return [`${field}: IPv6 address ${quoted(value)} should be in RFC 5952 canonical format (${quoted(usual)})`];
}

/** Warnings about a CIDR that is valid but says more or less than it seems to. */
export function cidrWarnings(field: string, value: string): string[] {
  const plain = cidrWithoutZeros(value);
  const network = networkOf(plain);
  if (network === undefined) return [];
  const [address = ''] = plain.split('/');
  const size = network.family === 4 ? 32 : 128;
  const single = networkOf(`${address}/${size}`);
  const mapped = v4Mapped(address);
  const usual = usualNetwork(network);
  const warnings: string[] = [];
  if (single?.first !== network.first) {
    const one = `${mapped?.join('.') ?? canonicalIp(address) ?? address}/${size}`;
    warnings.push(`${field}: CIDR value ${quoted(value)} is ambiguous in this context (should be ${quoted(usual)} or ${quoted(one)}?)`);
  }
  if (plain !== value || mapped !== undefined) {
    warnings.push(`${field}: non-standard CIDR value ${quoted(value)} is invalid: use ${quoted(usual)}`);
  }
  if (warnings.length > 0 || value === usual) return warnings;
  return [`${field}: IPv6 CIDR value ${quoted(value)} should be in RFC 5952 canonical format (${quoted(usual)})`];
}

/** A network in its usual form; of IPv4 addresses in IPv6 ones, as that of IPv4. */
function usualNetwork({ family, first, bits }: Network): string {
  const isMapped = family === 6 && first >> 32n === 0xffffn;
  return networkText(isMapped ? { family: 4, first: first & 0xffffffffn, bits: bits - 96 } : { family, first, bits });
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
