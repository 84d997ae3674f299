// One line about a pod: the words and counts that kubectl prints, by upstream's rules (printPod in printers.go).
import type { V1ContainerState, V1ContainerStatus } from '#api/generated/types.ts';
import { findCondition, isConditionTrue } from '../../meta/conditions.ts';
import type { Pod } from './pod.ts';
import { isSidecar } from './pod-resources.ts';

interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** `Running`, `Init:0/2`, `CrashLoopBackOff`, `Terminating`, … */
  readonly status: string;
  readonly restarts: number;
  /** When a container last ended before a restart. */
  readonly lastRestart: string | undefined;
}

/** Counts that grow while containers are looked at. */
interface Tally {
  ready: number;
  restarts: number;
  lastRestart: string | undefined;
}

/** Sums up a pod. */
export function summarizePod(pod: Pod): PodSummary {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const total = (pod.spec.containers?.length ?? 0) + sidecars.size;
  const { conditions } = pod.status ?? {};
  const init: Tally = { ready: 0, restarts: 0, lastRestart: undefined };
  const lasting: Tally = { ready: 0, restarts: 0, lastRestart: undefined };
  const initReason = initStatus(pod, sidecars, init, lasting);
  let tally = init;
  let status = initReason ?? basicStatus(pod);
  if (initReason === undefined || isConditionTrue(conditions, 'Initialized')) {
    // Once the pod is initialized, restarts of its other init containers no longer count.
    tally = { ...lasting, ready: init.ready };
    status = mainStatus(pod, status, tally);
  }
  return { ready: tally.ready, total, status: finalStatus(pod, status), restarts: tally.restarts, lastRestart: tally.lastRestart };
}

function basicStatus({ status }: Pod): string {
  const isGated = findCondition(status?.conditions, 'PodScheduled')?.reason === 'SchedulingGated';
  return isGated ? 'SchedulingGated' : status?.reason || status?.phase || '';
}

function finalStatus({ metadata, status }: Pod, current: string): string {
  if (metadata.deletionTimestamp === undefined) return current;
  if (status?.reason === 'NodeLost') return 'Unknown';
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? current : 'Terminating';
}

/** What the first unfinished init container says, sidecars up to there counted apart as well; undefined when all are done or running. */
function initStatus({ spec, status }: Pod, sidecars: ReadonlySet<string>, tally: Tally, lasting: Tally): string | undefined {
  for (const [at, container] of (status?.initContainerStatuses ?? []).entries()) {
    count(container, tally);
    if (sidecars.has(container.name)) count(container, lasting);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecars.has(container.name) && container.started === true) {
      if (container.ready) tally.ready++;
      continue;
    }
    if (terminated !== undefined) return `Init:${terminated.reason || endText(terminated)}`;
    if (waiting?.reason !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${at}/${spec.initContainers?.length ?? 0}`;
  }
  return undefined;
}

function mainStatus({ status }: Pod, initial: string, tally: Tally): string {
  let current = initial;
  let hasRunning = false;
  for (const container of (status?.containerStatuses ?? []).toReversed()) {
    count(container, tally);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason !== undefined && waiting.reason !== '') current = waiting.reason;
    else if (terminated !== undefined) current = terminated.reason || endText(terminated);
    else if (container.ready && running !== undefined) {
      hasRunning = true;
      tally.ready++;
    }
  }
  if (current !== 'Completed' || !hasRunning) return current;
  return isConditionTrue(status?.conditions, 'Ready') ? 'Running' : 'NotReady';
}

function endText({ signal, exitCode }: NonNullable<V1ContainerState['terminated']>): string {
  return signal === undefined || signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

function count({ restartCount, lastState }: V1ContainerStatus, tally: Tally): void {
  tally.restarts += restartCount ?? 0;
  const finishedAt = lastState?.terminated?.finishedAt;
  if (!finishedAt) return;
  if (tally.lastRestart === undefined || Date.parse(finishedAt) > Date.parse(tally.lastRestart)) tally.lastRestart = finishedAt;
}
