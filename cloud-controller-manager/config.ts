import { boolFlag, durationFlag, intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { readServingPair } from '#base/flag-file.ts';
import { UsageError } from '#base/lifecycle.ts';
import { flagTexts } from '#base/zpages.ts';
import { featureGatesFlag } from '#client/feature-gates/feature-gates.ts';
import { componentPortFlags, type ComponentPortOptions, componentPortOptions } from '#client/component-port.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import type { LeaderOptions } from '#client/leader-election.ts';
import { leaderFlags, readLeader } from '#client/leader-flags.ts';

const file = { valueName: 'file' };
const accepted = 'Accepted for compatibility';

/** Upstream's flags. Those that only tune what is built differently here are accepted and say so. */
const flags = {
  ...leaderFlags('cloud-controller-manager'),
  ...componentPortFlags,
  'allocate-node-cidrs': boolFlag(false, `${accepted}: kube-controller-manager gives nodes their networks`),
  'allow-untagged-cloud': boolFlag(false, accepted),
  'bind-address': stringFlag('0.0.0.0', 'The address to serve health and metrics on', { valueName: 'ip' }),
  'cloud-config': stringFlag('', "The provider's configuration", file),
  'cloud-provider': stringFlag('', 'The provider: plain, for machines that a file describes'),
  'cluster-cidr': stringFlag('', `${accepted}: kube-proxy leads packets to other nodes' pods`, { valueName: 'cidr' }),
  'cluster-name': stringFlag('kubernetes', accepted),
  'concurrent-node-syncs': intFlag(1, 'How many nodes are initialised at a time', { min: 1 }),
  'concurrent-service-syncs': intFlag(1, `${accepted}: addresses are given one after the other`),
  'configure-cloud-routes': boolFlag(true, `${accepted}: no provider here has routes`),
  'controller-start-interval': durationFlag(0, accepted),
  'contention-profiling': boolFlag(false, `${accepted}: a single thread waits for no locks`),
  controllers: listFlag(['*'], 'Which controllers run: "foo" switches one on, "-foo" off, "*" stands for all others'),
  'feature-gates': featureGatesFlag({ takesPrefix: true }),
  'kube-api-burst': intFlag(30, `${accepted}: requests are not throttled in the client`),
  'kube-api-qps': intFlag(20, `${accepted}: requests are not throttled in the client`),
  kubeconfig: stringFlag('', 'Where the API server is and how to log in there', file),
  'min-resync-period': durationFlag(43_200_000, accepted),
  'node-monitor-period': durationFlag(5_000, 'How often the machines of nodes that are not ready are asked for'),
  'node-status-update-frequency': durationFlag(300_000, 'How often addresses and labels of nodes are compared with their machines'),
  profiling: boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'route-reconciliation-period': durationFlag(10_000, accepted),
  'secure-port': intFlag(10_258, 'Port for health and metrics over TLS; 0 serves none', { min: 0, max: 65_535 }),
  'tls-cert-file': stringFlag('', 'Certificate of the secure port; default: one made at start', file),
  'tls-private-key-file': stringFlag('', 'Key of the certificate', file),
  'use-service-account-credentials': boolFlag(false, 'Each controller works as a service account of kube-system of its own'),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
} as const;

export interface CloudConfig {
  readonly api: ApiEndpoint;
  /** The file of the provider for plain machines. */
  readonly cloudConfig: string;
  readonly host: string;
  /** 0 serves nothing. */
  readonly port: number;
  /** Undefined: make one. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Where a certificate that is made is kept; undefined: nowhere. */
  readonly certFolder: string | undefined;
  /** Who may ask for what at the port. */
  readonly visitors: ComponentPortOptions;
  /** Undefined works without a lease. */
  readonly leader: LeaderOptions | undefined;
  readonly usesAccounts: boolean;
  readonly selection: readonly string[];
  readonly nodeUpdateMs: number;
  readonly nodePeriodMs: number;
  readonly nodeWorkers: number;
  /** Whether profiles of the process can be had. */
  readonly hasProfiles: boolean;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

/** What the flags say. Throws UsageError naming the flag. */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): CloudConfig {
  const { values, positional } = parseFlags(
    'cloud-controller-manager',
    flags,
    argv,
    'Runs the control loops that know a provider of machines.',
  );
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  if (values['cloud-provider'] === '') throw new UsageError('--cloud-provider cannot be empty');
  if (values['cloud-provider'] !== 'plain')
    throw new UsageError(`unknown cloud provider ${JSON.stringify(values['cloud-provider'])}: there is plain`);
  if (values['cloud-config'] === '') throw new UsageError('--cloud-provider=plain needs --cloud-config');
  return {
    flags: flagTexts(flags, values),
    hasProfiles: values.profiling,
    api: findEndpoint({ path: values.kubeconfig, env }),
    cloudConfig: values['cloud-config'],
    host: values['bind-address'],
    port: values['secure-port'],
    tls: readServingPair(values),
    certFolder: values['cert-dir'] || undefined,
    visitors: componentPortOptions(values),
    leader: readLeader(values),
    usesAccounts: values['use-service-account-credentials'],
    selection: values.controllers,
    nodeUpdateMs: values['node-status-update-frequency'],
    nodePeriodMs: values['node-monitor-period'],
    nodeWorkers: values['concurrent-node-syncs'],
  };
}
