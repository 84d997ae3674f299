// Metrics of the pods of a kubelet, under upstream's names: how soon they run, how long a look at one takes, what was
// started and what was not. (pkg/kubelet/metrics)
import { isStaticPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodStatus } from '#api/generated/types.ts';
import { CounterCells, HistogramCells, kept, type Sample, SampledFamily } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import { isSidecar } from '../pods/observed.ts';

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const startBuckets = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1_200, 1_800, 2_700, 3_600];

/** `create`: the first sync of a pod; `update`: after a change of its spec; `sync`: all others. */
export type SyncKind = 'create' | 'update' | 'sync';

export interface PodMetrics {
  /** A worker begins, so long after its pod was seen. */
  workerStarted(afterMs: number): void;
  /** One look at a pod and what followed from it. */
  synced(kind: SyncKind, tookMs: number): void;
  /** An image of the pod is on its way, or has come. */
  pulling(uid: string, isOver: boolean): void;
  /** It runs as a whole; it was first seen `sinceSeenMs` ago. Once a pod. */
  running(pod: Pod, status: V1PodStatus, times: { readonly sinceSeenMs: number; readonly nowMs: number }): void;
  forget(uid: string): void;
  /** A sandbox is to be made; `false`: it could not be. */
  sandbox(isAsked: boolean): void;
  /** A container is to be started; with `code`, that failed. */
  container(kind: 'init' | 'app' | 'ephemeral', code?: string): void;
  /** The kubelet refused to run a pod. */
  refused(reason: string): void;
  /** Others ended for want of this. */
  preempted(resource: string): void;
}

const kindNames = { init: 'init_container', app: 'container', ephemeral: 'ephemeral_container' } as const;

export function podMetrics(metrics: Metrics, nowMs: () => number): PodMetrics {
  const histogram = (name: string, help: string, bounds = secondsBuckets, labels: string[] = []): HistogramCells =>
    metrics.add(new HistogramCells(`kubelet_${name}`, `[ALPHA] ${help}`, bounds, labels));
  const counter = (name: string, help: string, labels: string[] = []): ((...values: string[]) => { value: number }) =>
    kept(metrics.add(new CounterCells(`kubelet_${name}`, `[ALPHA] ${help}`, labels)));
  const workers = kept(
    histogram(
      'pod_worker_duration_seconds',
      'Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync',
      secondsBuckets,
      ['operation_type'],
    ),
  );
  const workerStart = histogram('pod_worker_start_duration_seconds', 'Duration in seconds from kubelet seeing a pod to starting a worker.');
  const starts = startHistograms(histogram);
  const pulls = new Map<string, { readonly sinceMs: number; untilMs: number }>();
  const sandboxes = counter('started_pods_total', 'Cumulative number of pods started').bind(undefined, '');
  const sandboxErrors = counter('started_pods_errors_total', 'Cumulative number of errors when starting pods').bind(undefined, '');
  const containers = counter('started_containers_total', 'Cumulative number of containers started', ['container_type']);
  const failed = counter('started_containers_errors_total', 'Cumulative number of errors when starting containers', [
    'code',
    'container_type',
  ]);
  const refusals = counter('admission_rejections_total', 'Cumulative number pod admission rejections by the Kubelet.', ['reason']);
  const preemptions = counter('preemptions', 'Cumulative number of pod preemptions by preemption resource', ['preemption_signal']);
  return {
    workerStarted: (afterMs) => workerStart.cell([]).observe(afterMs / 1_000),
    synced: (kind, tookMs) => workers(kind).observe(tookMs / 1_000),
    pulling: (uid, isOver) => {
      const pull = pulls.get(uid);
      if (pull === undefined && !isOver) pulls.set(uid, { sinceMs: nowMs(), untilMs: nowMs() });
      else if (pull !== undefined) pull.untilMs = nowMs();
    },
    running: (pod, status, times) => {
      const pull = pulls.get(pod.metadata.uid ?? '');
      starts(pod, status, { ...times, pullMs: pull === undefined ? 0 : pull.untilMs - pull.sinceMs });
    },
    forget: (uid) => void pulls.delete(uid),
    sandbox: (isAsked) => void (isAsked ? sandboxes : sandboxErrors)().value++,
    container: (kind, code) => {
      if (code === undefined) containers(kindNames[kind]).value++;
      else failed(code, kindNames[kind]).value++;
    },
    refused: (reason) => void refusals(reason).value++,
    preempted: (resource) => void preemptions(resource).value++,
  };
}

interface StartTimes {
  readonly sinceSeenMs: number;
  readonly pullMs: number;
  readonly nowMs: number;
}

function startHistograms(
  histogram: (name: string, help: string, bounds: number[]) => HistogramCells,
): (pod: Pod, status: V1PodStatus, times: StartTimes) => void {
  const seen = histogram(
    'pod_start_duration_seconds',
    'Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run',
    startBuckets,
  );
  const measured = 'measured from pod creation timestamp to when all its containers are reported as started and observed via watch';
  const total = histogram(
    'pod_start_total_duration_seconds',
    `Duration in seconds to start a pod since creation, including time to pull images and run init containers, ${measured}`,
    startBuckets,
  );
  const own = histogram(
    'pod_start_sli_duration_seconds',
    `Duration in seconds to start a pod, excluding time to pull images and run init containers, ${measured}`,
    startBuckets,
  );
  return (pod, status, { sinceSeenMs, pullMs, nowMs }) => {
    seen.cell([]).observe(sinceSeenMs / 1_000);
    const { creationTimestamp } = pod.metadata;
    if (isStaticPod(pod) || creationTimestamp === undefined) return;
    const allMs = Math.max(0, nowMs - Date.parse(creationTimestamp));
    total.cell([]).observe(allMs / 1_000);
    own.cell([]).observe(Math.max(0, allMs - pullMs - initMs(pod, status)) / 1_000);
  };
}

/** How long the init containers took that end before the others begin. */
function initMs({ spec }: Pod, status: V1PodStatus): number {
  const once = new Set((spec.initContainers ?? []).filter((one) => !isSidecar(one)).map(({ name }) => name));
  const ends = (status.initContainerStatuses ?? []).flatMap(({ name, state }) => (once.has(name) ? (state?.terminated ?? []) : []));
  return ends.reduce(
    (sum, { startedAt, finishedAt }) => sum + Math.max(0, Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '') || 0),
    0,
  );
}

/** Desired and running pods of the node, counted when metrics are scraped. */
interface PodCounts {
  readonly desired: () => readonly Pod[];
  /** Those that count when another is admitted. */
  readonly active: () => readonly Pod[];
  readonly mirrors: () => number;
  /** All that is served: how far each has come, and whether its object is there. */
  readonly working: () => readonly {
    readonly pod: Pod;
    readonly phase: string;
    readonly isWanted: boolean;
    readonly wasRemoved: boolean;
  }[];
}

export function podCounts(metrics: Metrics, { desired, active, mirrors, working }: PodCounts): void {
  const byOrigin = (pods: readonly Pod[]): Sample[] => {
    const statics = pods.filter(isStaticPod).length;
    return [
      [['true'], statics],
      [[''], pods.length - statics],
    ];
  };
  const family = (name: string, help: string, labels: string[], read: () => Iterable<Sample>): void =>
    void metrics.add(new SampledFamily(`kubelet_${name}`, `[ALPHA] ${help}`, labels, 'gauge', read));
  const origin = 'static is true if the pod is not from the apiserver.';
  family('desired_pods', `The number of pods the kubelet is being instructed to run. ${origin}`, ['static'], () => byOrigin(desired()));
  const activeHelp = 'The number of pods the kubelet considers active and which are being considered when admitting new pods.';
  family('active_pods', `${activeHelp} ${origin}`, ['static'], () => byOrigin(active()));
  family('working_pods', workingHelp, ['lifecycle', 'config', 'static'], () => workingSamples(working()));
  family('mirror_pods', 'The number of mirror pods the kubelet will try to create (one per admitted static pod)', [], () => [
    [[], mirrors()],
  ]);
}

const workingHelp =
  'Number of pods the kubelet is actually running, broken down by lifecycle phase, whether the pod is desired, orphaned, or runtime only (also orphaned), and whether the pod is static. An orphaned pod has been removed from local configuration or force deleted in the API and consumes resources that are not otherwise visible.';

function workingSamples(all: ReturnType<PodCounts['working']>): Sample[] {
  const counts = new Map<string, number>();
  for (const { pod, phase, isWanted, wasRemoved } of all) {
    const config = isWanted ? 'desired' : wasRemoved ? 'orphan' : 'runtime_only';
    const origin = config === 'runtime_only' ? 'unknown' : isStaticPod(pod) ? 'true' : '';
    const key = `${phase} ${config} ${origin}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const phases = ['sync', 'terminating', 'terminated'];
  const kinds = ['desired ', 'desired true', 'orphan ', 'orphan true', 'runtime_only unknown'];
  return phases.flatMap((phase) => kinds.map((kind): Sample => [[phase, ...kind.split(' ')], counts.get(`${phase} ${kind}`) ?? 0]));
}
