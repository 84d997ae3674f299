import type { V1HostAlias } from '#api/generated/types.ts';
import type { PodHostname } from './hostname.ts';

const header = '# Kubernetes-managed hosts file.\n';

/** The /etc/hosts of a pod with a network of its own. */
export function managedHosts(ips: readonly string[], name: PodHostname, aliases: readonly V1HostAlias[]): string {
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...ips.map((ip) => (name.domain === '' ? `${ip}\t${name.hostname}` : `${ip}\t${name.fqdn}\t${shortName(name)}`)),
  ];
  return `${header}${lines.join('\n')}\n${aliasLines(aliases)}`;
}

/** The /etc/hosts of a pod on the host's network: the host's own and the aliases. */
export function hostNetworkHosts(hostFile: string, aliases: readonly V1HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${hostFile}${aliasLines(aliases)}`;
}

function shortName({ fqdn, domain }: PodHostname): string {
  return fqdn.slice(0, fqdn.length - domain.length - 1);
}

function aliasLines(aliases: readonly V1HostAlias[]): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
