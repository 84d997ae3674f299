// The figures of a Summary as Prometheus reads them: /metrics/resource (pkg/kubelet/metrics/collectors) and the families of
// /metrics/cadvisor that dashboards are made of. Pure.
import { metricsType } from '#base/metrics.ts';
import type { ContainerFigures, PodFigures, Summary } from './figures.ts';

export const statsType = metricsType;

type Labels = readonly (readonly [name: string, value: string])[];

interface Point {
  readonly labels: Labels;
  readonly value: number | undefined;
  /** Undefined: the time when it is read. */
  readonly time?: string | undefined;
}

interface PointFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly points: readonly Point[];
}

/** Upstream's resource metrics. @param summary undefined: it could not be made. */
export function resourceText(summary: Summary | undefined): string {
  const failed = { labels: [], value: summary === undefined ? 1 : 0 };
  return text([
    ...(summary === undefined ? [] : resourceFamilies(summary)),
    gauge('resource_scrape_error', '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise', [failed]),
  ]);
}

function resourceFamilies({ node, pods }: Summary): PointFamily[] {
  const containers = pods.flatMap((pod) => pod.containers.map((container) => ({ container, labels: containerLabels(pod, container) })));
  const whole = pods.map((pod) => ({ pod, labels: podLabels(pod) }));
  const seconds = (nanos: number | undefined): number | undefined => (nanos === undefined ? undefined : nanos / 1e9);
  const cpu = 'Cumulative cpu time consumed by the';
  return [
    gauge(
      'container_start_time_seconds',
      '[STABLE] Start time of the container since unix epoch in seconds',
      containers.map(({ container, labels }) => ({ labels, value: secondsOf(container.startTime) })),
    ),
    counter(
      'container_cpu_usage_seconds_total',
      `[STABLE] ${cpu} container in core-seconds`,
      containers.map(({ container: { cpu: used }, labels }) => ({ labels, value: seconds(used?.usageCoreNanoSeconds), time: used?.time })),
    ),
    gauge(
      'container_memory_working_set_bytes',
      '[STABLE] Current working set of the container in bytes',
      containers.map(({ container: { memory }, labels }) => ({ labels, value: memory?.workingSetBytes, time: memory?.time })),
    ),
    gauge(
      'container_swap_usage_bytes',
      '[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems',
      containers.map(({ container: { swap }, labels }) => ({ labels, value: swap?.swapUsageBytes, time: swap?.time })),
    ),
    counter('node_cpu_usage_seconds_total', `[STABLE] ${cpu} node in core-seconds`, [
      { labels: [], value: seconds(node.cpu?.usageCoreNanoSeconds), time: node.cpu?.time },
    ]),
    gauge('node_memory_working_set_bytes', '[STABLE] Current working set of the node in bytes', [
      { labels: [], value: node.memory?.workingSetBytes, time: node.memory?.time },
    ]),
    gauge('node_swap_usage_bytes', '[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems', [
      { labels: [], value: node.swap?.swapUsageBytes, time: node.swap?.time },
    ]),
    counter(
      'pod_cpu_usage_seconds_total',
      `[STABLE] ${cpu} pod in core-seconds`,
      whole.map(({ pod: { cpu: used }, labels }) => ({ labels, value: seconds(used?.usageCoreNanoSeconds), time: used?.time })),
    ),
    gauge(
      'pod_memory_working_set_bytes',
      '[STABLE] Current working set of the pod in bytes',
      whole.map(({ pod: { memory }, labels }) => ({ labels, value: memory?.workingSetBytes, time: memory?.time })),
    ),
    gauge(
      'pod_swap_usage_bytes',
      '[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems',
      whole.map(({ pod: { swap }, labels }) => ({ labels, value: swap?.swapUsageBytes, time: swap?.time })),
    ),
  ];
}

/** What of a container the summary does not have. */
export interface ContainerNames {
  readonly id: string;
  readonly image: string;
}

/** The same figures under cAdvisor's names and labels. `namesOf` finds a container; undefined: it has gone. */
export function cadvisorText(
  { pods }: Summary,
  machine: { readonly cores: number; readonly memoryBytes: number },
  namesOf: (podUid: string, container: string) => ContainerNames | undefined,
): string {
  const containers = pods.flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const names = namesOf(pod.podRef.uid, container.name);
      return names === undefined ? [] : [{ container, labels: cadvisorLabels(pod, container.name, names) }];
    }),
  );
  const each = (of: (container: ContainerFigures) => number | undefined): Point[] =>
    containers.map(({ container, labels }) => ({ labels, value: of(container), time: container.cpu?.time }));
  const network = (of: 'rxBytes' | 'rxErrors' | 'txBytes' | 'txErrors'): Point[] =>
    pods.flatMap((pod) =>
      (pod.network?.interfaces ?? []).map((one) => ({
        labels: [...cadvisorLabels(pod, '', { id: '', image: '' }), ['interface', one.name] as const].toSorted(byName),
        value: one[of],
        time: pod.network?.time,
      })),
    );
  const cpu = each(({ cpu: used }) => (used === undefined ? undefined : used.usageCoreNanoSeconds / 1e9));
  return text([
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      cpu.map((point) => ({ ...point, labels: [...point.labels, ['cpu', 'total'] as const].toSorted(byName) })),
    ),
    gauge(
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      each(({ rootfs }) => rootfs?.usedBytes),
    ),
    gauge(
      'container_memory_rss',
      'Size of RSS in bytes.',
      each(({ memory }) => memory?.rssBytes),
    ),
    gauge(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      each(({ memory }) => memory?.usageBytes),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      each(({ memory }) => memory?.workingSetBytes),
    ),
    counter('container_network_receive_bytes_total', 'Cumulative count of bytes received', network('rxBytes')),
    counter('container_network_receive_errors_total', 'Cumulative count of errors encountered while receiving', network('rxErrors')),
    counter('container_network_transmit_bytes_total', 'Cumulative count of bytes transmitted', network('txBytes')),
    counter('container_network_transmit_errors_total', 'Cumulative count of errors encountered while transmitting', network('txErrors')),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      each(({ startTime }) => secondsOf(startTime)),
    ),
    gauge('machine_cpu_cores', 'Number of logical CPU cores.', [{ labels: [], value: machine.cores }]),
    gauge('machine_memory_bytes', 'Amount of memory installed on the machine.', [{ labels: [], value: machine.memoryBytes }]),
  ]);
}

function cadvisorLabels({ podRef }: PodFigures, container: string, { id, image }: ContainerNames): Labels {
  const { namespace, name } = podRef;
  return [
    ['container', container],
    ['id', id === '' ? '' : `/${id}`],
    ['image', image],
    ['name', id],
    ['namespace', namespace],
    ['pod', name],
  ];
}

function containerLabels(pod: PodFigures, { name }: ContainerFigures): Labels {
  return [['container', name], ...podLabels(pod)];
}

function podLabels({ podRef }: PodFigures): Labels {
  return [
    ['namespace', podRef.namespace],
    ['pod', podRef.name],
  ];
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function secondsOf(time: string | null): number | undefined {
  return time === null ? undefined : Date.parse(time) / 1_000;
}

function gauge(name: string, help: string, points: readonly Point[]): PointFamily {
  return { name, help, type: 'gauge', points };
}

function counter(name: string, help: string, points: readonly Point[]): PointFamily {
  return { name, help, type: 'counter', points };
}

function text(families: readonly PointFamily[]): string {
  return families.map(familyText).join('');
}

/** '' while there are no samples. */
function familyText({ name, help, type, points }: PointFamily): string {
  const lines = points.flatMap(({ labels, value, time }) => {
    if (value === undefined) return [];
    const inside = labels.map(([label, said]) => `${label}=${JSON.stringify(said)}`).join(',');
    return [`${name}${inside === '' ? '' : `{${inside}}`} ${value}${time === undefined ? '' : ` ${Date.parse(time)}`}\n`];
  });
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
