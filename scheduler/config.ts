import { readFileSync } from 'node:fs';
import { boolFlag, durationFlag, intFlag, mapFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { flagTexts } from '#base/zpages.ts';
import { componentPortFlags, type ComponentPortOptions, componentPortOptions } from '#client/component-port.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';

const file = { valueName: 'file' };

/** Upstream's flags. Those that only tune what is built differently here are accepted and say so. */
const flags = {
  ...componentPortFlags,
  'bind-address': stringFlag('0.0.0.0', 'The address to serve health and metrics on', { valueName: 'ip' }),
  'cert-dir': stringFlag('', 'Accepted for compatibility: a generated certificate is kept in memory', { valueName: 'folder' }),
  config: stringFlag('', 'A KubeSchedulerConfiguration file; not supported yet', file),
  'feature-gates': mapFlag('Accepted for compatibility'),
  'kube-api-burst': intFlag(100, 'Accepted for compatibility: requests are not throttled in the client'),
  'kube-api-content-type': stringFlag('application/vnd.kubernetes.protobuf', 'Accepted for compatibility: JSON is spoken'),
  'kube-api-qps': intFlag(50, 'Accepted for compatibility: requests are not throttled in the client'),
  kubeconfig: stringFlag('', 'Where the API server is and how to log in there', file),
  'leader-elect': boolFlag(true, 'Work only while holding the leader lease; needed where several schedulers run'),
  'leader-elect-lease-duration': durationFlag(15_000, 'How long others wait after the last renewal before they take the lease'),
  'leader-elect-renew-deadline': durationFlag(10_000, 'How long the holder goes on without a successful renewal'),
  'leader-elect-resource-lock': stringFlag('leases', 'Kind of the lock; only leases'),
  'leader-elect-resource-name': stringFlag('kube-scheduler', 'Name of the lease'),
  'leader-elect-resource-namespace': stringFlag('kube-system', 'Namespace of the lease'),
  'leader-elect-retry-period': durationFlag(2_000, 'How long to wait between tries to get or renew the lease'),
  master: stringFlag('', 'Address of the API server, in place of the one in the kubeconfig', { valueName: 'url' }),
  'pod-max-in-unschedulable-pods-duration': durationFlag(300_000, 'Longest sleep of a pod that fits nowhere'),
  profiling: boolFlag(true, 'Accepted for compatibility'),
  'secure-port': intFlag(10_259, 'Port for health and metrics over TLS; 0 serves none', { min: 0, max: 65_535 }),
  'tls-cert-file': stringFlag('', 'Certificate of the secure port; default: one made at start', file),
  'tls-private-key-file': stringFlag('', 'Key of the certificate', file),
  v: intFlag(0, 'Accepted for compatibility: the level of the log is COXSWAIN_LOG_LEVEL', { short: 'v' }),
} as const;

export interface SchedulerConfig {
  readonly api: ApiEndpoint;
  readonly host: string;
  /** Who may come to the port. */
  readonly visitors: ComponentPortOptions;
  /** 0 serves nothing. */
  readonly port: number;
  /** Undefined: make one. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Undefined works without a lease. */
  readonly leader:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly leaseMs: number;
        readonly renewDeadlineMs: number;
        readonly retryMs: number;
      }
    | undefined;
  readonly maxUnschedulableMs: number;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Reads the command line and the files it names. Throws UsageError with one clear sentence. */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): SchedulerConfig {
  const { values, positional } = parseFlags('kube-scheduler', flags, argv, 'Decides which node each pod runs on.');
  if (positional.length > 0) throw new UsageError(`unknown argument: ${positional[0]} (flags only, see --help)`);
  if (values.config !== '') throw new UsageError('--config is not supported yet: the default profile is built in');
  if (values['leader-elect-resource-lock'] !== 'leases') throw new UsageError('--leader-elect-resource-lock: only leases are supported');
  const leaseMs = values['leader-elect-lease-duration'];
  const renewDeadlineMs = values['leader-elect-renew-deadline'];
  const retryMs = values['leader-elect-retry-period'];
  // Upstream asks for the deadline to be well above the retry period (jitter factor 1.2).
  if (leaseMs <= renewDeadlineMs) throw new UsageError('--leader-elect-lease-duration must be greater than --leader-elect-renew-deadline');
  if (renewDeadlineMs <= 1.2 * retryMs)
    throw new UsageError('--leader-elect-renew-deadline must be greater than 1.2 times the retry period');

  const found = findEndpoint({ path: values.kubeconfig, env });
  return {
    flags: flagTexts(flags, values),
    api: values.master === '' ? found : { ...found, server: values.master },
    host: values['bind-address'],
    visitors: componentPortOptions(values),
    port: values['secure-port'],
    tls: servingPair(values['tls-cert-file'], values['tls-private-key-file']),
    leader: values['leader-elect']
      ? {
          namespace: values['leader-elect-resource-namespace'],
          name: values['leader-elect-resource-name'],
          leaseMs,
          renewDeadlineMs,
          retryMs,
        }
      : undefined,
    maxUnschedulableMs: values['pod-max-in-unschedulable-pods-duration'],
  };
}

function servingPair(certFile: string, keyFile: string): { cert: string; key: string } | undefined {
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '') throw new UsageError('--tls-cert-file and --tls-private-key-file must be given together');
  return { cert: readNamed('tls-cert-file', certFile), key: readNamed('tls-private-key-file', keyFile) };
}

function readNamed(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read --${flag} ${path}`, { exitCode: 1, cause: error });
  }
}
