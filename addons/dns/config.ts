import { isIP, isIPv4 } from 'node:net';
import { intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';

const flags = {
  kubeconfig: stringFlag('', 'Kubeconfig with the address and credentials of the API server', { valueName: 'path' }),
  'cluster-domain': stringFlag('cluster.local', 'Domain of the cluster'),
  'service-ip': stringFlag('10.96.0.10', 'Service address that pods ask'),
  'node-ip': stringFlag('', 'Address of this host to listen on'),
  'cluster-cidr': listFlag([], 'Networks of pods, which are served as well as this host; empty: every client'),
  port: intFlag(10_053, 'Port to listen on, UDP and TCP', { min: 1, max: 65_535 }),
  'resolv-conf': stringFlag('/etc/resolv.conf', 'File that names the resolvers for all other domains', { valueName: 'path' }),
};

interface DnsConfig {
  readonly api: ApiEndpoint;
  readonly domain: string;
  readonly serviceIp: string;
  readonly nodeIp: string;
  readonly port: number;
  readonly resolvConf: string;
  readonly podCidrs: readonly string[];
}

/** What the flags say. Throws UsageError naming the flag. */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): DnsConfig {
  const { values, positional } = parseFlags('coxswain-dns', flags, argv, 'Answers the names of Services and pods, and forwards the rest.');
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  for (const cidr of values['cluster-cidr']) {
    const [address = '', bits = ''] = cidr.split('/');
    if (isIP(address) === 0 || !/^\d+$/.test(bits) || Number(bits) > (isIPv4(address) ? 32 : 128))
      throw new UsageError(`--cluster-cidr: ${JSON.stringify(cidr)} is not a network such as 10.244.0.0/16`);
  }
  if (values['node-ip'] === '') throw new UsageError('--node-ip is needed: the address that pods reach this host by');
  return {
    api: findEndpoint({ path: values.kubeconfig, env }),
    domain: values['cluster-domain'].replace(/^\.|\.$/g, ''),
    serviceIp: values['service-ip'],
    nodeIp: values['node-ip'],
    port: values.port,
    resolvConf: values['resolv-conf'],
    podCidrs: values['cluster-cidr'],
  };
}
