// Which container's log a request means. Pure.
import type { V1Pod, V1PodStatus } from '#api/generated/types.ts';
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { HttpProblem } from './http-problem.ts';

interface LogChoice {
  readonly pod: V1Pod;
  /** The kubelet's newest status. */
  readonly status: V1PodStatus | undefined;
  /** What the runtime has; undefined: nothing. */
  readonly observed: RuntimePod | undefined;
  readonly container: string;
  readonly previous: boolean;
}

/** Whether the pod's spec has a container of that name, of any sort. */
export function hasContainer(pod: V1Pod, name: string): boolean {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec ?? { containers: [] };
  return [...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === name);
}

/** Throws HttpProblem 400 in upstream's words where there is no such log. */
export function chooseLog(choice: LogChoice): ContainerStatus {
  const { pod, container, previous } = choice;
  const all = (choice.observed?.containers ?? []).filter(({ name }) => name === container);
  const started = all.filter(({ state, startedAtMs }) => state !== 'created' && startedAtMs !== undefined);
  const waiting = waitingReason(choice);
  const [newest, beforeNewest] = started;
  const podName = pod.metadata?.name ?? '';
  if (previous) {
    // A container that waits to be restarted has its last run as the previous one.
    const last = waiting !== undefined && newest?.state === 'exited' ? newest : beforeNewest;
    if (last !== undefined) return last;
    throw new HttpProblem(400, `previous terminated container ${quote(container)} in pod ${quote(podName)} not found`);
  }
  if (newest !== undefined) return newest;
  const subject = `container ${quote(container)} in pod ${quote(podName)}`;
  if (waiting === undefined) throw new HttpProblem(400, `${subject} is not available`);
  const why: Record<string, string> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: 'trying and failing to pull image',
  };
  throw new HttpProblem(400, `${subject} is waiting to start: ${why[waiting] ?? waiting}`);
}

/** The newest container of that name that runs: others cannot be joined. */
export function runningContainer(observed: RuntimePod | undefined, name: string): ContainerStatus | undefined {
  return (observed?.containers ?? []).find((container) => container.name === name && container.state === 'running');
}

function waitingReason({ pod, status, container }: LogChoice): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status ?? pod.status ?? {};
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  return all.find(({ name }) => name === container)?.state?.waiting?.reason;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
