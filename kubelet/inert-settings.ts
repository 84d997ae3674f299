// Settings of upstream's kubelet that change nothing here, as flags and as fields of a KubeletConfiguration. Those that are met anyway, or
// concern what upstream alone has, are accepted; one that cannot be honoured is rejected, with the reason.
import { boolFlag, durationFlag, type Flag, floatFlag, intFlag, mapFlag, stringFlag } from '#base/flags.ts';
import { formatDuration } from '#base/duration.ts';
import { featureGatesFlag } from '#client/feature-gates/feature-gates.ts';

interface InertSetting {
  /** Of a KubeletConfiguration; undefined: there is only the flag. */
  readonly field: string | undefined;
  /** Undefined: there is only the field. */
  readonly flag: string | undefined;
  readonly type: Flag<unknown>;
  /** Why a value cannot be had, in words that follow the setting's name and the value; undefined where it can. */
  readonly refuse?: (value: never) => string | undefined;
}

const accepted = 'Accepted for compatibility';
const text = (initial = ''): Flag<unknown> => stringFlag(initial, accepted);
const number = (initial: number): Flag<unknown> => intFlag(initial, accepted);
const toggle = (initial: boolean): Flag<unknown> => boolFlag(initial, accepted);
const duration = (initialMs: number): Flag<unknown> => durationFlag(initialMs, accepted);

const notNegative = (value: number): string | undefined => (value < 0 ? 'must not be a negative number' : undefined);
const between = (low: number, high: number) => (value: number) =>
  value < low || value > high ? `must be between ${low} and ${high}, inclusive` : undefined;
const oneOf =
  (...values: readonly string[]) =>
  (value: string) =>
    values.includes(value) ? undefined : `must be one of: ${values.map((one) => JSON.stringify(one)).join(', ')}`;
const only =
  <T>(value: T, why: string) =>
  (given: T) =>
    given === value ? undefined : `is not supported: ${why}`;
const unset = (why: string) => (given: string | readonly string[] | Readonly<Record<string, string>>) =>
  Object.keys(given).length === 0 ? undefined : `is not supported: ${why}`;

const noPinning = 'containers are not bound to single processors or memory nodes';

type Row = readonly [field: string | undefined, flag: string | undefined, type: Flag<unknown>, refuse?: InertSetting['refuse']];

const rows: readonly Row[] = [
  ['configMapAndSecretChangeDetectionStrategy', undefined, text('Watch'), oneOf('Get', 'Cache', 'Watch')],
  ['containerLogMaxWorkers', undefined, number(1), (value: number) => (value < 1 ? 'must be greater than or equal to 1' : undefined)],
  [
    'containerLogMonitorInterval',
    undefined,
    duration(10_000),
    (ms: number) => (ms < 3_000 ? 'must be greater than or equal to 3s' : undefined),
  ],
  ['contentType', 'kube-api-content-type', text('application/vnd.kubernetes.protobuf')],
  ['cpuCFSQuota', 'cpu-cfs-quota', toggle(true), only(true, 'limits of processor time always hold')],
  ['cpuCFSQuotaPeriod', 'cpu-cfs-quota-period', duration(100), only(100, 'limits of processor time hold for every 100ms')],
  ['cpuManagerPolicy', 'cpu-manager-policy', text('none'), oneOfNone],
  ['cpuManagerPolicyOptions', 'cpu-manager-policy-options', mapFlag(accepted), unset(noPinning)],
  ['cpuManagerReconcilePeriod', 'cpu-manager-reconcile-period', duration(10_000)],
  ['enableContentionProfiling', 'contention-profiling', toggle(false)],
  ['enableControllerAttachDetach', 'enable-controller-attach-detach', toggle(true), only(true, 'volumes are attached by controllers')],
  ['eventBurst', 'event-burst', number(100), notNegative],
  ['eventRecordQPS', 'event-qps', number(50), notNegative],
  ['failCgroupV1', undefined, toggle(true)],
  ['failSwapOn', 'fail-swap-on', toggle(true)],
  ['featureGates', 'feature-gates', featureGatesFlag()],
  ['hairpinMode', 'hairpin-mode', text('promiscuous-bridge'), oneOf('none', 'hairpin-veth', 'promiscuous-bridge')],
  ['iptablesDropBit', undefined, number(15), between(0, 31)],
  ['iptablesMasqueradeBit', undefined, number(14), between(0, 31)],
  ['kernelMemcgNotification', 'kernel-memcg-notification', toggle(false)],
  ['kubeAPIBurst', 'kube-api-burst', number(100), notNegative],
  ['kubeAPIQPS', 'kube-api-qps', number(50), notNegative],
  ['kubeReservedCgroup', 'kube-reserved-cgroup', text(), unset('what is reserved is only left free, not enforced')],
  ['kubeletCgroups', 'kubelet-cgroups', text(), unset('the kubelet stays in the control group that it was started in')],
  ['localStorageCapacityIsolation', 'local-storage-capacity-isolation', toggle(true), only(true, 'limits of local storage always hold')],
  ['makeIPTablesUtilChains', 'make-iptables-util-chains', toggle(true)],
  ['maxOpenFiles', 'max-open-files', number(1_000_000), notNegative],
  ['memoryManagerPolicy', 'memory-manager-policy', text('None'), oneOfNone],
  ['memoryThrottlingFactor', undefined, floatFlag(0.9, accepted)],
  ['oomScoreAdj', 'oom-score-adj', number(-999), between(-1_000, 1_000)],
  ['podLogsDir', undefined, text('/var/log/pods'), only('/var/log/pods', 'other programs look for logs of pods in /var/log/pods')],
  ['qosReserved', 'qos-reserved', mapFlag(accepted), unset('memory is not kept for pods of one quality of service')],
  ['registryBurst', 'registry-burst', number(10), notNegative],
  ['registryPullQPS', 'registry-qps', number(5), notNegative],
  ['reservedSystemCPUs', 'reserved-cpus', text(), unset(noPinning)],
  ['runOnce', 'runonce', toggle(false), only(false, 'the kubelet runs until SIGTERM')],
  ['runtimeRequestTimeout', 'runtime-request-timeout', duration(120_000)],
  [
    'serverTLSBootstrap',
    'rotate-server-certificates',
    toggle(false),
    only(false, 'the serving certificate is a file, or made at the start'),
  ],
  ['showHiddenMetricsForVersion', 'show-hidden-metrics-for-version', text()],
  ['singleProcessOOMKill', undefined, toggle(true), only(true, 'the kernel ends single processes for want of memory')],
  ['syncFrequency', 'sync-frequency', duration(60_000)],
  ['systemCgroups', 'system-cgroups', text(), unset('processes of the host stay in their control groups')],
  ['systemReservedCgroup', 'system-reserved-cgroup', text(), unset('what is reserved is only left free, not enforced')],
  ['topologyManagerPolicy', 'topology-manager-policy', text('none'), oneOfNone],
  ['topologyManagerPolicyOptions', 'topology-manager-policy-options', mapFlag(accepted), unset(noPinning)],
  ['topologyManagerScope', 'topology-manager-scope', text('container'), oneOf('container', 'pod')],
  ['volumePluginDir', 'volume-plugin-dir', text('/usr/libexec/kubernetes/kubelet-plugins/volume/exec/')],
  ['volumeStatsAggPeriod', 'volume-stats-agg-period', duration(60_000)],
  [undefined, 'anonymous-auth', toggle(false), only(false, 'anonymous requests are never served')],
  [undefined, 'authentication-token-webhook', toggle(true)],
  [undefined, 'authorization-mode', text('Webhook'), only('Webhook', 'every request is authorized by the API server')],
  [undefined, 'log-flush-frequency', duration(5_000)],
  [undefined, 'logging-format', text('text'), (value: string) => (['text', 'json'].includes(value) ? undefined : 'Unsupported log format')],
  [undefined, 'vmodule', text()],
];

function oneOfNone(value: string): string | undefined {
  return ['', 'none'].includes(value.toLowerCase()) ? undefined : `is not supported: ${noPinning}`;
}

const settings: readonly InertSetting[] = rows.map(([field, flag, type, refuse]) => ({ field, flag, type, ...(refuse ? { refuse } : {}) }));

/** Settings by the names that they have as flags. */
export const inertFlags = flagsOf(settings.filter(({ flag }) => flag !== undefined));
/** Those that only a KubeletConfiguration can say, by names that look like flags. */
export const inertFileFlags = flagsOf(settings.filter(({ flag }) => flag === undefined));

function flagsOf(some: readonly InertSetting[]): Readonly<Record<string, Flag<unknown>>> {
  return Object.fromEntries(some.map((one) => [nameOf(one), one.type]));
}

/** Fields of a KubeletConfiguration, and the flags that they stand for. */
export const inertFields: Readonly<Record<string, { readonly flag: string; readonly shape: 'string' | 'number' | 'boolean' | 'map' }>> =
  Object.fromEntries(
    settings.flatMap((one) =>
      one.field === undefined ? [] : [[one.field, { flag: nameOf(one), shape: shapeOf(one.type.default, one.field) }]],
    ),
  );

/** One line for each value that cannot be had, in upstream's words for what it refuses as well. */
export function inertProblems(values: Readonly<Record<string, unknown>>): string[] {
  return settings.flatMap((one) => {
    const value = values[nameOf(one)];
    const why = (one.refuse as ((value: unknown) => string | undefined) | undefined)?.(value);
    if (why === undefined) return [];
    const flag = one.flag === undefined ? '' : `--${one.flag}`;
    const name = one.field === undefined ? flag : `${one.field}${flag === '' ? '' : ` (${flag})`}`;
    return [`invalid configuration: ${name} ${show(one, value)} ${why}`];
  });
}

function show({ type }: InertSetting, value: unknown): string {
  if (type.valueName === 'duration') return formatDuration(value as number);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function nameOf({ flag, field = '' }: InertSetting): string {
  return flag ?? field.replace(/[A-Z]+/g, (letters) => `-${letters.toLowerCase()}`);
}

function shapeOf(initial: unknown, field: string): 'string' | 'number' | 'boolean' | 'map' {
  const { type } = { type: typeof initial };
  if (type === 'object') return 'map';
  const isDuration = type === 'number' && /Period|Frequency|Timeout|Interval/.test(field);
  return isDuration ? 'string' : (type as 'string' | 'number' | 'boolean');
}
