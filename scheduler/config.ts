import { boolFlag, durationFlag, intFlag, parseFlags, stringFlag } from '#base/flags.ts';
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

/** Upstream's flags. Those that only tune what is built differently here are accepted and say so. */
const flags = {
  ...leaderFlags('kube-scheduler'),
  ...componentPortFlags,
  'bind-address': stringFlag('0.0.0.0', 'The address to serve health and metrics on', { valueName: 'ip' }),
  config: stringFlag('', 'A KubeSchedulerConfiguration file; not supported yet', file),
  'feature-gates': featureGatesFlag({ takesPrefix: true }),
  'kube-api-burst': intFlag(100, 'Accepted for compatibility: requests are not throttled in the client'),
  'kube-api-content-type': stringFlag('application/vnd.kubernetes.protobuf', 'Accepted for compatibility: JSON is spoken'),
  'kube-api-qps': intFlag(50, 'Accepted for compatibility: requests are not throttled in the client'),
  kubeconfig: stringFlag('', 'Where the API server is and how to log in there', file),
  master: stringFlag('', 'Address of the API server, in place of the one in the kubeconfig', { valueName: 'url' }),
  'pod-max-in-unschedulable-pods-duration': durationFlag(300_000, 'Longest sleep of a pod that fits nowhere'),
  'contention-profiling': boolFlag(false, 'Accepted for compatibility: a single thread waits for no locks'),
  profiling: boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'secure-port': intFlag(10_259, 'Port for health and metrics over TLS; 0 serves none', { min: 0, max: 65_535 }),
  'tls-cert-file': stringFlag('', 'Certificate of the secure port; default: one made at start', file),
  'tls-private-key-file': stringFlag('', 'Key of the certificate', file),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
} as const;

interface SchedulerConfig {
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
  readonly maxUnschedulableMs: number;
  /** Whether profiles of the process can be had. */
  readonly hasProfiles: boolean;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Reads the command line and the files it names. Throws UsageError with one clear sentence. */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): SchedulerConfig {
  const { values, positional } = parseFlags('kube-scheduler', flags, argv, 'Decides which node each pod runs on.');
  if (positional.length > 0) throw new UsageError(`unknown argument: ${positional[0]} (flags only, see --help)`);
  if (values.config !== '') throw new UsageError('--config is not supported yet: the default profile is built in');
  const found = findEndpoint({ path: values.kubeconfig, env });
  return {
    flags: flagTexts(flags, values),
    hasProfiles: values.profiling,
    api: values.master === '' ? found : { ...found, server: values.master },
    host: values['bind-address'],
    visitors: componentPortOptions(values),
    port: values['secure-port'],
    tls: readServingPair(values),
    certFolder: values['cert-dir'] || undefined,
    leader: readLeader(values),
    maxUnschedulableMs: values['pod-max-in-unschedulable-pods-duration'],
  };
}
