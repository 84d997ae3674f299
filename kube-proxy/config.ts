import { isIP, isIPv4 } from 'node:net';
import { boolFlag, durationFlag, intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { flagTexts } from '#base/zpages.ts';
import { reasonOf } from '#base/write-file.ts';
import { type ApiEndpoint } from '#client/endpoint.ts';
import { featureGatesFlag } from '#client/feature-gates/feature-gates.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { type AddressRange, parseRange } from '#client/load-balancer/pool.ts';
import type { RouteMode } from './routes/plan.ts';

const flags = {
  kubeconfig: stringFlag('', 'Kubeconfig with the address and credentials of the API server', { valueName: 'path' }),
  'hostname-override': stringFlag('', "Name of this node where it is not the host's"),
  'cluster-cidr': listFlag([], 'Networks of pods; clients from elsewhere are masqueraded when they reach a Service address'),
  'proxy-mode': stringFlag('nftables', 'How traffic is carried; only nftables is supported'),
  'healthz-bind-address': stringFlag('0.0.0.0:10256', 'Address of the health check; empty for none'),
  'metrics-bind-address': stringFlag('127.0.0.1:10249', 'Address of the metrics; empty for none'),
  'config-sync-period': durationFlag(900_000, 'Accepted for compatibility: changes arrive by watch'),
  'feature-gates': featureGatesFlag(),
  profiling: boolFlag(false, 'Whether profiles can be had at /debug/pprof/, where the metrics are'),
  'node-routes': stringFlag('none', "Ways to other nodes' pods: auto (direct ones, VXLAN where there is none), direct, vxlan, none"),
  'announce-load-balancers': listFlag([], 'Ranges of load-balancer addresses for which one node answers ARP; empty for none'),
  cleanup: boolFlag(false, 'Remove all rules and exit'),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
};

export interface ProxyConfig {
  readonly api: ApiEndpoint;
  readonly nodeName: string;
  readonly podCidrs: readonly string[];
  /** Undefined where routes to other nodes' pods are managed elsewhere. */
  readonly nodeRoutes: RouteMode | undefined;
  /** Addresses that the nodes answer for on their network; none where empty. */
  readonly announced: readonly AddressRange[];
  /** Where to serve; undefined for nowhere. */
  readonly health: Address | undefined;
  readonly metrics: Address | undefined;
  /** Whether profiles of the process can be had. */
  readonly hasProfiles: boolean;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What the flags say; `cleanup` asks only to remove the rules. Throws UsageError naming the flag. */
export function parseConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  hostname: string,
): ProxyConfig | 'cleanup' {
  const { values, positional } = parseFlags('kube-proxy', flags, argv, 'Carries Service traffic on a node.');
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  if (values.cleanup) return 'cleanup';
  if (values['proxy-mode'] !== 'nftables' && values['proxy-mode'] !== '') {
    throw new UsageError(`--proxy-mode=${values['proxy-mode']} is not supported: only nftables is`);
  }
  for (const cidr of values['cluster-cidr']) {
    const [address = '', bits = ''] = cidr.split('/');
    if (isIP(address) === 0 || !/^\d+$/.test(bits) || Number(bits) > (isIPv4(address) ? 32 : 128))
      throw new UsageError(`--cluster-cidr: ${JSON.stringify(cidr)} is not a network such as 10.244.0.0/16`);
  }
  const health = addressOf('healthz-bind-address', values['healthz-bind-address']);
  const announced = values['announce-load-balancers'].map(announcedRange);
  if (announced.length > 0 && (health === undefined || health.host.startsWith('127.')))
    throw new UsageError(
      '--announce-load-balancers needs --healthz-bind-address, at an address where the other nodes ask whether this one lives',
    );
  return {
    flags: flagTexts(flags, values),
    hasProfiles: values.profiling,
    api: findEndpoint({ path: values.kubeconfig, env }),
    nodeName: (values['hostname-override'] || hostname).toLowerCase(),
    // Rules are for IPv4; the other half of a dual-stack cluster's ranges does not concern them.
    nodeRoutes: routeMode(values['node-routes']),
    announced,
    podCidrs: values['cluster-cidr'].filter((cidr) => isIPv4(cidr.split('/')[0] ?? '')),
    health,
    metrics: addressOf('metrics-bind-address', values['metrics-bind-address']),
  };
}

function routeMode(text: string): RouteMode | undefined {
  if (text === 'none') return undefined;
  if (text === 'auto' || text === 'direct' || text === 'vxlan') return text;
  throw new UsageError(`--node-routes=${text} must be auto, direct, vxlan or none`);
}

function announcedRange(text: string): AddressRange {
  try {
    return parseRange(text);
  } catch (error) {
    throw new UsageError(`--announce-load-balancers: ${reasonOf(error)}`, { cause: error });
  }
}

function addressOf(flag: string, text: string): Address | undefined {
  if (text === '') return undefined;
  const [, host = '', port = ''] = /^\[?([^[\]]*?)\]?:(\d+)$/.exec(text) ?? [];
  if (isIP(host) === 0 || Number(port) > 65_535) throw new UsageError(`--${flag} must be of the form address:port`);
  return { host, port: Number(port) };
}
