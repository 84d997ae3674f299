// From what the runtime shows to containerStatuses (pkg/kubelet/kubelet_pods.go: convertToAPIContainerStatuses).
import type { Pod } from '#api/core/pod/pod.ts';
import { shouldRestart } from '#api/core/pod/restart.ts';
import type { V1Container, V1ContainerState, V1ContainerStatus, V1VolumeMountStatus } from '#api/generated/types.ts';
import { timeText } from '#client/timestamps.ts';
import type { ContainerStatus, Mount, RuntimePod } from '../../runtime/contract.ts';
import { isReadOnlyBind } from '../../volumes/paths.ts';
import { isSidecar, latestOf } from '../observed.ts';
import { isLeftOver } from '../rounds.ts';
import { actualResources } from '../resize/actuation.ts';

/** Why a container waits, such as ErrImagePull, and the text beside it. */
export interface WaitReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerView {
  readonly pod: Pod;
  readonly observed: RuntimePod | undefined;
  /** By container name: why its last start failed, or what it waits for. */
  readonly reasons: ReadonlyMap<string, WaitReason>;
  /** Termination messages by container id. */
  readonly messages: ReadonlyMap<string, string>;
  /** Ids whose startup probe passed or is absent, and ids whose readiness probe passed or is absent. */
  readonly started: ReadonlySet<string>;
  readonly ready: ReadonlySet<string>;
  /** True when the pod is being deleted or done: nothing will be started again. */
  readonly isEnding: boolean;
  /** The runtime's name: the scheme of container ids. */
  readonly runtimeName: string;
}

/** `docker://<id>`: how a status names a container. */
function containerIdText(runtimeName: string, id: string): string {
  return `${runtimeName}://${id}`;
}

/** Statuses of one list of containers, in the order of the spec; init containers in theirs, too. */
export function containerStatuses(
  view: ContainerView,
  containers: readonly V1Container[],
  previous: readonly V1ContainerStatus[],
  kind: 'init' | 'app' | 'ephemeral',
): V1ContainerStatus[] {
  return containers.map((container) => {
    const known = previous.find(({ name }) => name === container.name);
    const status = statusOf(view, container, known, kind);
    return { ...status, ...health(view, container, status, kind) };
  });
}

function statusOf(
  view: ContainerView,
  container: V1Container,
  known: V1ContainerStatus | undefined,
  kind: 'init' | 'app' | 'ephemeral',
): V1ContainerStatus {
  const [latest, before] = (view.observed?.containers ?? []).filter(({ name }) => name === container.name);
  if (latest === undefined) return absent(view, container, known, kind);
  const status: V1ContainerStatus = {
    ...shown(container, latest.mounts),
    containerID: containerIdText(view.runtimeName, latest.id),
    image: latest.image,
    imageID: latest.imageRef,
    restartCount: latest.attempt,
    ...userOf(latest),
    state: stateOf(view, latest),
    lastState: before === undefined ? rememberedEnd(known, containerIdText(view.runtimeName, latest.id)) : stateOf(view, before),
  };
  const isLeft = kind !== 'ephemeral' && !view.isEnding && isLeftOver(view.pod, view.observed, container.name);
  if (!isLeft && !waitsForStart(view, container, latest, kind)) return status;
  const why = view.reasons.get(container.name) ?? (isLeft ? initialReason(view, kind) : undefined);
  if (why === undefined) return status;
  if (status.state?.terminated !== undefined) status.lastState = status.state;
  status.state = { waiting: waiting(why) };
  return status;
}

/** How the one before ended, of which nothing is there any more. */
function rememberedEnd(known: V1ContainerStatus | undefined, id: string): V1ContainerState {
  const isOther = known?.containerID !== id && known?.state?.terminated !== undefined;
  return (isOther ? known.state : known?.lastState) ?? {};
}

/** It does not exist: never created, or removed externally. */
function absent(
  view: ContainerView,
  container: V1Container,
  known: V1ContainerStatus | undefined,
  kind: 'init' | 'app' | 'ephemeral',
): V1ContainerStatus {
  const why = view.reasons.get(container.name);
  const ended = known?.state?.terminated === undefined ? undefined : known.state;
  // How it ended is the last that can be said of a container until one is tried to be started after it.
  if (known !== undefined && ended !== undefined && (why === undefined || view.isEnding)) return known;
  const isBehind = kind === 'init' && !isSidecar(container) && hasApps(view);
  const status: V1ContainerStatus = {
    ...shown(container),
    image: container.image ?? '',
    imageID: '',
    restartCount: known?.restartCount ?? 0,
    lastState: ended ?? known?.lastState ?? {},
    state: isBehind ? passedUnseen : { waiting: waiting(why ?? initialReason(view, kind)) },
  };
  if (isBehind) return status;
  // It ran when we last said something, so it must have terminated, with an unknown exit code; without that the pod would look new.
  if (known?.state?.running !== undefined && why === undefined && status.lastState?.terminated === undefined) {
    const lost = 'The container could not be located when the pod was deleted.  The container used to be Running';
    status.lastState = { terminated: { reason: 'ContainerStatusUnknown', message: lost, exitCode: 137 } };
    if (!view.isEnding) status.restartCount++;
  }
  return status;
}

const passedUnseen: V1ContainerState = {
  terminated: {
    exitCode: 0,
    reason: 'Completed',
    message: 'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
  },
};

/** True once a container was made for which init containers had to end. */
function hasApps({ pod, observed }: ContainerView): boolean {
  return pod.spec.containers.some(({ name }) => latestOf(observed, name) !== undefined);
}

/** Why a container waits that was not started yet. */
function initialReason({ pod }: ContainerView, kind: 'init' | 'app' | 'ephemeral'): WaitReason {
  const waitsForOthers = kind !== 'ephemeral' && (pod.spec.initContainers ?? []).length > 0;
  return { reason: waitsForOthers ? 'PodInitializing' : 'ContainerCreating', message: '' };
}

function stateOf(view: ContainerView, container: ContainerStatus): V1ContainerState {
  if (container.state === 'created') return { waiting: {} };
  if (container.state === 'running') return { running: startedAt(container) };
  const words = view.messages.get(container.id) ?? '';
  const message = words === '' ? container.message : words;
  return {
    terminated: {
      exitCode: container.exitCode ?? 0,
      ...(container.reason === undefined ? {} : { reason: container.reason }),
      ...(message === undefined || message === '' ? {} : { message }),
      ...startedAt(container),
      ...(container.finishedAtMs === undefined ? {} : { finishedAt: timeText(container.finishedAtMs) }),
      containerID: containerIdText(view.runtimeName, container.id),
    },
  };
}

function startedAt({ startedAtMs }: ContainerStatus): { startedAt?: string } {
  return startedAtMs === undefined ? {} : { startedAt: timeText(startedAtMs) };
}

function waitsForStart(view: ContainerView, container: V1Container, latest: ContainerStatus, kind: 'init' | 'app' | 'ephemeral'): boolean {
  if (view.isEnding || kind === 'ephemeral' || latest.state === 'running') return false;
  if (latest.state === 'created') return true;
  if (kind === 'init' && !isSidecar(container) && latest.exitCode === 0) return false;
  return shouldRestart(container, view.pod.spec.restartPolicy, latest.exitCode ?? 0);
}

function waiting({ reason, message }: WaitReason): { reason: string; message?: string } {
  return message === '' ? { reason } : { reason, message };
}

/** Name and mounts; `made` are those of a container that is there. */
function shown(
  container: V1Container,
  made: readonly Mount[] = [],
): Pick<V1ContainerStatus, 'name' | 'ready' | 'imageID' | 'volumeMounts'> {
  const isRecursive = (path: string): boolean =>
    made.some(({ hostPath, containerPath }) => containerPath === path && isReadOnlyBind(hostPath));
  const mounts = (container.volumeMounts ?? []).map(
    ({ name, mountPath, readOnly }): V1VolumeMountStatus => ({
      name,
      mountPath,
      ...(readOnly === true ? { readOnly, recursiveReadOnly: isRecursive(mountPath) ? 'Enabled' : 'Disabled' } : {}),
    }),
  );
  return { name: container.name, ready: false, imageID: '', ...(mounts.length === 0 ? {} : { volumeMounts: mounts }) };
}

function userOf({ identity, state }: ContainerStatus): Pick<V1ContainerStatus, 'user'> {
  if (identity === undefined || state === 'created') return {};
  return { user: { linux: { uid: identity.user, gid: identity.group, supplementalGroups: [...identity.supplementalGroups] } } };
}

function health(
  view: ContainerView,
  container: V1Container,
  status: V1ContainerStatus,
  kind: 'init' | 'app' | 'ephemeral',
): Partial<V1ContainerStatus> {
  const id = status.containerID?.slice(status.containerID.indexOf('://') + 3) ?? '';
  const isRunning = status.state?.running !== undefined;
  const allocated =
    isRunning && kind !== 'ephemeral'
      ? {
          ...(container.resources?.requests === undefined ? {} : { allocatedResources: container.resources.requests }),
          resources: actualResources(container, latestOf(view.observed, container.name)),
        }
      : {};
  if (kind === 'ephemeral') return { ready: false };
  const started = isRunning && view.started.has(id);
  if (kind === 'init' && !isSidecar(container)) return { ...allocated, started, ready: status.state?.terminated?.exitCode === 0 };
  return { ...allocated, started, ready: started && view.ready.has(id) };
}
