import type { Pod } from '#api/core/pod/pod.ts';
import { shouldRestart } from '#api/core/pod/restart.ts';
import type { V1Container, V1ContainerStatus } from '#api/generated/types.ts';
import { isSidecar } from '../observed.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/**
 * What the states of its containers make of a pod (pkg/kubelet/kubelet_pods.go: getPhase). `statuses` holds those of init
 * containers too. `isTerminal`: nothing will be started again, whatever the restart policy says.
 */
export function phaseOf(pod: Pod, statuses: readonly V1ContainerStatus[], isTerminal: boolean): Phase {
  const { initContainers = [], containers, restartPolicy } = pod.spec;
  // A container's own policy and rules come before the pod's.
  const isOver = (container: V1Container, exitCode: number): boolean => !shouldRestart(container, restartPolicy, exitCode);
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const init = countInit(
    initContainers.filter((one) => !isSidecar(one)),
    byName,
    isOver,
  );
  const sidecars = countSidecars(initContainers.filter(isSidecar).map(({ name }) => byName.get(name)));
  const apps = countApps(containers, byName, isOver);
  if (init.failed > 0) return 'Failed';

  // Sidecars that restart do not bring a pod back to Pending once its containers have run.
  const hasBegun = containers.some(({ name }) => hasStarted(byName.get(name)));
  if (init.pending > 0 || (sidecars.pending > 0 && !hasBegun) || apps.waiting + sidecars.waiting > 0) return 'Pending';
  const unknown = apps.unknown + sidecars.unknown;
  const running = apps.running + sidecars.running;
  if (unknown > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (apps.stopped === 0) return 'Pending';
  const hasSucceeded = apps.stopped === apps.succeeded;
  if (isTerminal) return hasSucceeded ? 'Succeeded' : 'Failed';
  if (apps.over < apps.stopped) return 'Running';
  return hasSucceeded ? 'Succeeded' : 'Failed';
}

/** True when a container runs or ran. */
export function hasStarted(status: V1ContainerStatus | undefined): boolean {
  return status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined;
}

type IsOver = (container: V1Container, exitCode: number) => boolean;
type Known = ReadonlyMap<string, V1ContainerStatus>;

/** `failed`: without another try. */
function countInit(containers: readonly V1Container[], known: Known, isOver: IsOver): { pending: number; failed: number } {
  const count = { pending: 0, failed: 0 };
  for (const container of containers) {
    const status = known.get(container.name);
    const ended = status?.state?.terminated ?? (status?.state?.waiting === undefined ? undefined : status.lastState?.terminated);
    if (ended === undefined) count.pending++;
    else if (ended.exitCode !== 0 && isOver(container, ended.exitCode)) count.failed++;
  }
  return count;
}

function countSidecars(
  statuses: readonly (V1ContainerStatus | undefined)[],
): Record<'pending' | 'running' | 'waiting' | 'unknown', number> {
  const count = { pending: 0, running: 0, waiting: 0, unknown: 0 };
  for (const status of statuses) {
    const { running, terminated, waiting } = status?.state ?? {};
    if (running !== undefined) {
      if (status?.started !== true) count.pending++;
      count.running++;
    } else if (status === undefined) {
      count.unknown++;
    } else if (waiting !== undefined && status.lastState?.terminated === undefined) {
      count.pending++;
      count.waiting++;
    } else if (waiting === undefined && terminated === undefined) {
      count.pending++;
      count.unknown++;
    }
  }
  return count;
}

/** `over`: stopped, and not to be started again. */
function countApps(
  containers: readonly V1Container[],
  known: Known,
  isOver: IsOver,
): Record<'running' | 'waiting' | 'stopped' | 'over' | 'succeeded' | 'unknown', number> {
  const count = { running: 0, waiting: 0, stopped: 0, over: 0, succeeded: 0, unknown: 0 };
  for (const container of containers) {
    const { state, lastState } = known.get(container.name) ?? {};
    const ended = state?.terminated ?? (state?.waiting === undefined ? undefined : lastState?.terminated);
    if (state?.running !== undefined) {
      count.running++;
    } else if (ended !== undefined) {
      count.stopped++;
      if (isOver(container, ended.exitCode)) count.over++;
      if (state?.terminated?.exitCode === 0) count.succeeded++;
    } else if (state?.waiting !== undefined) {
      count.waiting++;
    } else {
      count.unknown++;
    }
  }
  return count;
}
