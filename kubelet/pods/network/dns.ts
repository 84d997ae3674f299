import type { Pod } from '#api/core/pod/pod.ts';
import type { DnsSettings } from '../../runtime/contract.ts';

export interface ClusterDns {
  /** Empty: there is none, and ClusterFirst falls back to the node's own. */
  readonly servers: readonly string[];
  readonly domain: string;
}

/** What a kubelet hands to a container at most (upstream's and glibc's limits). */
const maxServers = 3;
export const maxSearches = 32;
export const maxSearchChars = 2_048;

export interface PodDns {
  readonly settings: DnsSettings;
  /** Events, where something had to be left out. */
  readonly warnings: readonly DnsWarning[];
}

interface DnsWarning {
  readonly reason: string;
  readonly message: string;
  /** What an event of the node says of it, where it is the node's lack. */
  readonly ofNode?: string;
}

/** Without a resolv.conf of its own a node asks itself, and no domain is searched. */
const withoutFile: DnsSettings = { servers: ['127.0.0.1'], searches: ['.'], options: [] };

/** The resolv.conf of a pod by its dnsPolicy and dnsConfig; `host` is the node's own, undefined where it is not to have one. */
export function podDns(pod: Pod, cluster: ClusterDns, host: DnsSettings | undefined): PodDns {
  const { dnsPolicy = 'ClusterFirst', hostNetwork = false, dnsConfig } = pod.spec;
  const warnings: DnsWarning[] = [];
  let { servers, searches, options } = host ?? withoutFile;
  const wantsCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  if (dnsPolicy === 'None') {
    [servers, searches, options] = [[], [], []];
  } else if (wantsCluster && cluster.servers.length > 0) {
    servers = cluster.servers;
    searches = [...clusterSearches(pod.metadata.namespace ?? '', cluster.domain), ...(host?.searches ?? [])];
    options = ['ndots:5'];
  } else if (wantsCluster) {
    const { name, namespace, uid } = pod.metadata;
    const ofNode =
      'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
    warnings.push({ reason: 'MissingClusterDNS', message: `pod: "${name}_${namespace}(${uid})". ${ofNode}`, ofNode });
  }
  if (dnsConfig !== undefined) {
    servers = [...new Set([...servers, ...(dnsConfig.nameservers ?? [])])];
    searches = [...new Set([...searches, ...(dnsConfig.searches ?? [])])];
    options = mergeOptions(options, dnsConfig.options ?? []);
  }
  return fitLimits({ servers: [...new Set(servers)], searches: [...new Set(searches)], options }, warnings);
}

/** Reads a resolv.conf: name servers, the last search line, of options the last of each. Comments and unknown words are skipped. Throws on a server without an address. */
export function parseResolvConf(text: string): DnsSettings {
  const servers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver') {
      if (rest[0] === undefined) throw new Error('nameserver list is empty ');
      servers.push(rest[0]);
    }
    if (word === 'search') searches = rest.map((one) => (one === '.' ? one : one.replace(/\.$/, '')));
    if (word === 'options') options = latest([...options, ...rest]);
  }
  return { servers, searches, options };
}

function clusterSearches(namespace: string, domain: string): string[] {
  return domain === '' ? [] : [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];
}

/** Of several options of one name, the last. */
function latest(options: readonly string[]): string[] {
  return [...new Map(options.map((option) => [option.split(':')[0] ?? '', option])).values()];
}

/** The pod's own options replace those of the same name. */
function mergeOptions(present: readonly string[], own: readonly { name?: string; value?: string }[]): string[] {
  const merged = new Map(present.map((option) => [option.split(':')[0] ?? '', option]));
  for (const { name = '', value } of own) merged.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  return [...merged.values()];
}

function fitLimits(settings: DnsSettings, warnings: DnsWarning[]): PodDns {
  const servers = settings.servers.slice(0, maxServers);
  if (servers.length < settings.servers.length) {
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
    });
  }
  let searches = settings.searches.slice(0, maxSearches);
  while (searches.join(' ').length > maxSearchChars) searches = searches.slice(0, -1);
  if (searches.length < settings.searches.length) {
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
    });
  }
  return { settings: { servers, searches, options: settings.options }, warnings };
}
