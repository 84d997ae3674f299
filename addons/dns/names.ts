import { isIPv4, isIPv6 } from 'node:net';

/** What a name below the cluster's domain asks about, by the rules of the Kubernetes DNS specification 1.1.0. */
export type Subject =
  | { readonly kind: 'service'; readonly namespace: string; readonly service: string }
  /** One endpoint of a headless Service, by host name or by its address with dashes. */
  | { readonly kind: 'endpoint'; readonly namespace: string; readonly service: string; readonly host: string }
  | { readonly kind: 'port'; readonly namespace: string; readonly service: string; readonly port: string; readonly protocol: string }
  | { readonly kind: 'pod'; readonly namespace: string; readonly ip: string }
  | { readonly kind: 'namespace'; readonly namespace: string }
  /** A name that only leads to others: the domain itself, `svc`, `pod`. */
  | { readonly kind: 'node' }
  | { readonly kind: 'version' }
  | { readonly kind: 'unknown' };

/** Reads `labels`: what stands in front of the cluster's domain, in lower case. */
export function parseName(labels: readonly string[]): Subject {
  if (labels.length === 0) return { kind: 'node' };
  const [last = ''] = labels.slice(-1);
  const rest = labels.slice(0, -1);
  if (last === 'svc') return parseServiceName(rest);
  if (last === 'pod') return parsePodName(rest);
  return labels.length === 1 && last === 'dns-version' ? { kind: 'version' } : { kind: 'unknown' };
}

function parseServiceName(labels: readonly string[]): Subject {
  const [namespace, service, first, second, ...more] = labels.toReversed();
  if (namespace === undefined) return { kind: 'node' };
  if (service === undefined) return { kind: 'namespace', namespace };
  if (first === undefined) return { kind: 'service', namespace, service };
  if (more.length > 0) return { kind: 'unknown' };
  if (second === undefined) return first.startsWith('_') ? { kind: 'unknown' } : { kind: 'endpoint', namespace, service, host: first };
  if (!second.startsWith('_') || !first.startsWith('_')) return { kind: 'unknown' };
  return { kind: 'port', namespace, service, port: second.slice(1), protocol: first.slice(1) };
}

function parsePodName(labels: readonly string[]): Subject {
  const [namespace, dashed, ...more] = labels.toReversed();
  if (namespace === undefined) return { kind: 'node' };
  if (dashed === undefined) return { kind: 'namespace', namespace };
  const ip = addressOf(dashed);
  return more.length > 0 || ip === undefined ? { kind: 'unknown' } : { kind: 'pod', namespace, ip };
}

/** `10-244-0-3` → `10.244.0.3`, `fd00--1` → `fd00::1`. */
function addressOf(dashed: string): string | undefined {
  const [v4, v6] = [dashed.replaceAll('-', '.'), dashed.replaceAll('-', ':')];
  if (isIPv4(v4)) return v4;
  return isIPv6(v6) ? v6 : undefined;
}

/** The address with dashes, as a host name. */
export function dashedAddress(ip: string): string {
  return ip.replace(/[.:]/g, '-');
}

/** The address that a reverse name (`3.0.244.10.in-addr.arpa`, `….ip6.arpa`) asks about; undefined for other names. */
export function reversedAddress(name: string): string | undefined {
  const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (v4 !== null) {
    const ip = v4.slice(1).toReversed().join('.');
    return isIPv4(ip) ? ip : undefined;
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  return v6?.[1] === undefined ? undefined : expandedV6(v6[1]);
}

function expandedV6(nibbles: string): string {
  const digits = nibbles.split('.').toReversed().join('');
  return (digits.match(/.{4}/g) ?? []).join(':');
}
