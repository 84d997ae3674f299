import { boolFlag, durationFlag, intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { type ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';

const flags = {
  kubeconfig: stringFlag('', 'Kubeconfig with the address and credentials of the API server', { valueName: 'path' }),
  'hostname-override': stringFlag('', "Name of this node where it is not the host's"),
  'cluster-cidr': listFlag([], 'Networks of pods; clients from elsewhere are masqueraded when they reach a Service address'),
  'proxy-mode': stringFlag('nftables', 'How traffic is carried; only nftables is supported'),
  'healthz-bind-address': stringFlag('0.0.0.0:10256', 'Address of the health check'),
  'config-sync-period': durationFlag(900_000, 'Accepted for compatibility: changes arrive by watch'),
  cleanup: boolFlag(false, 'Remove all rules and exit'),
  v: intFlag(0, 'Accepted for compatibility: the log level is set by COXSWAIN_LOG_LEVEL'),
};

export interface ProxyConfig {
  readonly api: ApiEndpoint;
  readonly nodeName: string;
  readonly podCidrs: readonly string[];
  readonly health: { readonly host: string; readonly port: number };
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
  const match = /^(.*):(\d+)$/.exec(values['healthz-bind-address']);
  if (match === null) throw new UsageError('--healthz-bind-address must be of the form address:port');
  return {
    api: findEndpoint({ path: values.kubeconfig, env }),
    nodeName: (values['hostname-override'] || hostname).toLowerCase(),
    podCidrs: values['cluster-cidr'],
    health: { host: match[1] ?? '', port: Number(match[2]) },
  };
}
