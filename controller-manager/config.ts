import { isCidr } from '#api/meta/ip.ts';
import { boolFlag, durationFlag, type FlagValues, intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { flagTexts } from '#base/zpages.ts';
import { componentPortFlags, type ComponentPortOptions, componentPortOptions } from '#client/component-port.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import type { LeaderOptions } from '#client/leader-election.ts';
import { leaderFlags, readLeader } from '#client/leader-flags.ts';
import { readSigning, signingFlags } from './certificates/flags.ts';
import type { SigningOptions } from './certificates/signing-controller.ts';
import { readFlagFile, readServingPair } from '#base/flag-file.ts';
import { featureGatesFlag } from '#client/feature-gates/feature-gates.ts';
import { maxFinishedPods } from './controller-manager.ts';
import type { NodeLifecycleOptions } from './node/lifecycle-controller.ts';
import type { PodCollectorOptions } from './pod-garbage-collector/pod-garbage-collector.ts';

const file = { valueName: 'file' };

/** Upstream's flags, and `--load-balancer-cidr`, which is ours. Those that only tune what is built differently here are accepted and say so. */
const flags = {
  ...leaderFlags('kube-controller-manager'),
  ...componentPortFlags,
  ...signingFlags,
  'allocate-node-cidrs': boolFlag(false, 'Give every node a network for its pods, out of --cluster-cidr'),
  'bind-address': stringFlag('0.0.0.0', 'The address to serve health and metrics on', { valueName: 'ip' }),
  'cloud-config': stringFlag('', 'Accepted for compatibility', file),
  'cloud-provider': stringFlag('', 'external where a cloud controller manager gives load-balancer addresses; empty for none'),
  'cluster-cidr': stringFlag('', 'Network of all pods', { valueName: 'cidr' }),
  'cluster-name': stringFlag('kubernetes', 'Accepted for compatibility'),
  'contention-profiling': boolFlag(false, 'Accepted for compatibility: a single thread waits for no locks'),
  controllers: listFlag(['*'], 'Which controllers run: "foo" switches one on, "-foo" off, "*" stands for all others'),
  'feature-gates': featureGatesFlag({ takesPrefix: true }),
  'kube-api-burst': intFlag(30, 'Accepted for compatibility: requests are not throttled in the client'),
  'kube-api-qps': intFlag(20, 'Accepted for compatibility: requests are not throttled in the client'),
  kubeconfig: stringFlag('', 'Where the API server is and how to log in there', file),
  'large-cluster-size-threshold': intFlag(50, 'Nodes of a zone from which it counts as large when many of them are lost'),
  'load-balancer-cidr': stringFlag('', 'Pool of addresses for Services of type LoadBalancer; none gives none', { valueName: 'cidr' }),
  'node-cidr-mask-size': intFlag(24, "Prefix length of a node's pod network", { min: 1, max: 32 }),
  'node-eviction-rate': stringFlag('0.1', 'Nodes a second whose pods are driven off when they are lost'),
  'node-monitor-grace-period': durationFlag(50_000, 'How long a node may be silent before it counts as lost'),
  'node-monitor-period': durationFlag(5_000, 'How often nodes are looked at'),
  'node-startup-grace-period': durationFlag(60_000, 'The grace period of a node that was never heard of'),
  profiling: boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'root-ca-file': stringFlag('', "The cluster's CA, published in every namespace", file),
  'secondary-node-eviction-rate': stringFlag('0.01', 'The same rate in an unhealthy zone of a large cluster'),
  'secure-port': intFlag(10_257, 'Port for health and metrics over TLS; 0 serves none', { min: 0, max: 65_535 }),
  'service-account-private-key-file': stringFlag('', 'Accepted for compatibility: tokens come from the API server', file),
  'service-cluster-ip-range': stringFlag('', 'Accepted for compatibility', { valueName: 'cidr' }),
  'terminated-pod-gc-threshold': intFlag(maxFinishedPods, 'Finished pods above this number are deleted, the oldest first; 0 keeps all'),
  'tls-cert-file': stringFlag('', 'Certificate of the secure port; default: one made at start', file),
  'tls-private-key-file': stringFlag('', 'Key of the certificate', file),
  'unhealthy-zone-threshold': stringFlag('0.55', 'Share of lost nodes, of three at least, from which a zone is unhealthy'),
  'use-service-account-credentials': boolFlag(false, 'Each controller works as a service account of kube-system of its own'),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
} as const;

interface ControllerManagerConfig {
  readonly api: ApiEndpoint;
  readonly host: string;
  /** Who may come to the port. */
  readonly visitors: ComponentPortOptions;
  /** 0 serves nothing. */
  readonly port: number;
  /** Undefined: make one. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Where a certificate that is made is kept; undefined: nowhere. */
  readonly certFolder: string | undefined;
  /** Undefined works without a lease. */
  readonly leader: LeaderOptions | undefined;
  readonly rootCa: string | undefined;
  readonly clusterCidr: string | undefined;
  readonly nodeCidrBits: number;
  readonly loadBalancerCidr: string | undefined;
  readonly nodeTimings: NodeLifecycleOptions;
  /** Undefined signs no certificates. */
  readonly signing: SigningOptions | undefined;
  /** Whether each controller works as an account of its own. */
  readonly usesAccounts: boolean;
  /** Which controllers run. */
  readonly selection: readonly string[];
  readonly podCollection: PodCollectorOptions;
  /** Whether profiles of the process can be had. */
  readonly hasProfiles: boolean;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

/** What the flags say. Throws UsageError naming the flag. */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): ControllerManagerConfig {
  const { values, positional } = parseFlags('kube-controller-manager', flags, argv, 'Runs the control loops of a cluster.');
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  checkCloud(values);
  checkNetworks(values);
  return {
    flags: flagTexts(flags, values),
    hasProfiles: values.profiling,
    api: findEndpoint({ path: values.kubeconfig, env }),
    host: values['bind-address'],
    visitors: componentPortOptions(values),
    port: values['secure-port'],
    tls: readServingPair(values),
    certFolder: values['cert-dir'] || undefined,
    leader: readLeader(values),
    rootCa: values['root-ca-file'] === '' ? undefined : readFlagFile('root-ca-file', values['root-ca-file']),
    clusterCidr: values['allocate-node-cidrs'] ? values['cluster-cidr'] : undefined,
    nodeCidrBits: values['node-cidr-mask-size'],
    loadBalancerCidr: values['load-balancer-cidr'] === '' ? undefined : values['load-balancer-cidr'],
    nodeTimings: {
      graceMs: values['node-monitor-grace-period'],
      startupGraceMs: values['node-startup-grace-period'],
      periodMs: values['node-monitor-period'],
      rates: {
        perSecond: numberIn(values, 'node-eviction-rate'),
        secondaryPerSecond: numberIn(values, 'secondary-node-eviction-rate'),
        unhealthyThreshold: numberIn(values, 'unhealthy-zone-threshold'),
        largeClusterSize: values['large-cluster-size-threshold'],
      },
    },
    signing: readSigning(values),
    usesAccounts: values['use-service-account-credentials'],
    selection: values.controllers,
    podCollection: { maxFinished: values['terminated-pod-gc-threshold'] },
  };
}

function checkCloud({ 'cloud-provider': provider, 'load-balancer-cidr': pool }: FlagValues<typeof flags>): void {
  if (provider !== '' && provider !== 'external')
    throw new UsageError(`cloud provider ${JSON.stringify(provider)} is not built in: --cloud-provider must be external or empty`);
  if (provider === 'external' && pool !== '')
    throw new UsageError('--load-balancer-cidr cannot be used with --cloud-provider=external: two would give addresses');
}

function checkNetworks(values: FlagValues<typeof flags>): void {
  const { 'cluster-cidr': cluster, 'node-cidr-mask-size': nodeBits, 'load-balancer-cidr': pool } = values;
  for (const [flag, cidr] of [
    ['cluster-cidr', cluster],
    ['load-balancer-cidr', pool],
  ] as const) {
    if (cidr !== '' && (!isCidr(cidr) || cidr.includes(':')))
      throw new UsageError(`invalid value ${JSON.stringify(cidr)} for --${flag}: must be an IPv4 network such as 10.244.0.0/16`);
  }
  if (!values['allocate-node-cidrs']) return;
  if (cluster === '') throw new UsageError('--allocate-node-cidrs needs --cluster-cidr');
  if (nodeBits < Number(cluster.split('/')[1]))
    throw new UsageError('--node-cidr-mask-size must be greater or equal than the cluster CIDR mask');
}

function numberIn(
  values: FlagValues<typeof flags>,
  flag: 'node-eviction-rate' | 'secondary-node-eviction-rate' | 'unhealthy-zone-threshold',
): number {
  const number = Number(values[flag]);
  if (values[flag] !== '' && number >= 0) return number;
  throw new UsageError(`invalid value ${JSON.stringify(values[flag])} for --${flag}: must be a number, 0 or more`);
}
