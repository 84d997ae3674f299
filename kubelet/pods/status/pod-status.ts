import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodStatus } from '#api/generated/types.ts';
import { restartsAll } from '#api/core/pod/restart.ts';
import { timeText } from '#client/timestamps.ts';
import { isRunning, isSidecar, usableSandbox } from '../observed.ts';
import { qosClass } from '../resources/qos.ts';
import { isLeftOver, isTurning, roundOf } from '../rounds.ts';
import { podConditions, type ResizeView } from './conditions.ts';
import { containerStatuses, type ContainerView } from './container-statuses.ts';
import { hasStarted, type Phase, phaseOf } from './phase.ts';

export interface StatusView extends ContainerView {
  /** The newest status known: what the API has, or what we wrote last. */
  readonly previous: V1PodStatus;
  readonly hostIps: readonly string[];
  /** True when nothing of the pod runs or will run. */
  readonly isTerminated: boolean;
  /** The kubelet's own verdict: rejected, past its deadline, evicted. */
  readonly verdict: { readonly reason: string; readonly message: string; readonly disruption?: string } | undefined;
  /** Absent: no resize is under way. */
  readonly resize?: ResizeView | undefined;
  readonly nowMs: number;
}

const finalPhases: readonly string[] = ['Succeeded', 'Failed'];

/** The whole status of a pod as this node sees it (pkg/kubelet/kubelet_pods.go: generateAPIPodStatus). */
export function podStatus(given: StatusView): V1PodStatus {
  // A pod does not count as failed while something of it runs: whoever replaces it must not run beside it.
  const runs = given.observed?.containers.some(isRunning) === true;
  const verdict = runs ? undefined : given.verdict;
  const view = { ...given, verdict };
  const { pod, previous, observed } = view;
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  const init = containerStatuses(view, initContainers, previous.initContainerStatuses ?? [], 'init');
  const apps = containerStatuses(view, containers, previous.containerStatuses ?? [], 'app');
  const ephemeral = containerStatuses(view, ephemeralContainers, previous.ephemeralContainerStatuses ?? [], 'ephemeral');
  const phase = judgePhase(view, [...init, ...apps]);
  const ended = view.isTerminated
    ? { init: endedInit(init), apps: hasInitialized(pod, init, apps) ? apps.map(asEnded) : apps }
    : { init, apps };
  const now = timeText(view.nowMs);
  const keepsWords = phase === previous.phase;
  const reason = verdict?.reason ?? (keepsWords ? previous.reason : undefined);
  const message = verdict?.message ?? (keepsWords ? previous.message : undefined);
  const { generation } = pod.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: podConditions({
      pod,
      statuses: isRejected(view) ? undefined : [...ended.init, ...ended.apps],
      phase,
      hasSandbox: usableSandbox(pod, observed) !== undefined,
      previous: previous.conditions ?? [],
      others: pod.status?.conditions ?? [],
      isTurning: [...initContainers, ...containers].some(restartsAll) ? isTurning(pod, observed, roundOf(pod, observed)) : undefined,
      resize: view.resize,
      disruption: verdict?.disruption,
      now,
    }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...addresses(view),
    startTime: previous.startTime ?? now,
    ...(init.length === 0 || isRejected(view) ? {} : { initContainerStatuses: ended.init }),
    ...(isRejected(view) ? {} : { containerStatuses: ended.apps }),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClass(pod),
    ...wholeAmounts(view),
  };
}

/** What was set aside for a pod that asks for amounts as a whole, and what it has: while these change, what it had. */
function wholeAmounts(view: StatusView): Pick<V1PodStatus, 'allocatedResources' | 'resources'> {
  const { pod, previous, resize } = view;
  const { requests, limits } = pod.spec.resources ?? {};
  if ((requests === undefined && limits === undefined) || isRejected(view)) return {};
  const given = { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: resize?.progress === undefined ? given : (previous.resources ?? given),
  };
}

/** True when the status says that the pod is over. */
export function isFinal(status: V1PodStatus | undefined): boolean {
  return finalPhases.includes(status?.phase ?? '');
}

/** Refused at admission: nothing of it ever was, so there is nothing to say about containers. */
function isRejected({ verdict, observed, previous }: StatusView): boolean {
  return verdict !== undefined && observed === undefined && (previous.containerStatuses ?? []).length === 0;
}

function judgePhase(view: StatusView, all: NonNullable<V1PodStatus['containerStatuses']>): Phase {
  const { previous, pod, verdict, isTerminated } = view;
  if (verdict !== undefined) return 'Failed';
  // How a container ended in an earlier round says nothing about this one.
  const current = all.map((one) => (!view.isEnding && isLeftOver(pod, view.observed, one.name) ? { ...one, lastState: {} } : one));
  const phase = phaseOf(pod, current, isTerminated);
  if (isFinal({ phase })) return phase;
  // A pod that was over stays over.
  const settled = [previous.phase, pod.status?.phase].find((one): one is Phase => finalPhases.includes(one ?? ''));
  // Nothing runs and the exit codes are unknown: that must not count as success.
  return settled ?? (isTerminated ? 'Failed' : phase);
}

type Statuses = NonNullable<V1PodStatus['containerStatuses']>;

/** Once nothing holds its containers up any more, one of which nothing is known has failed. (pkg/kubelet/status: TerminatePod) */
function hasInitialized({ spec }: Pod, init: Statuses, apps: Statuses): boolean {
  const last = spec.initContainers?.at(-1);
  if (last === undefined || apps.some(hasStarted)) return true;
  const { started, state, lastState } = init.at(-1) ?? {};
  return isSidecar(last) ? started === true : [state, lastState].some((one) => one?.terminated?.exitCode === 0);
}

/** Of those that a pod has come to, at least the first, one of which nothing is known has failed. */
function endedInit(init: Statuses): Statuses {
  const last = Math.max(0, init.findLastIndex(hasStarted));
  return init.map((status, index) => (index <= last ? asEnded(status) : status));
}

function asEnded(status: Statuses[number]): Statuses[number] {
  if (status.state?.terminated !== undefined) return status;
  const message = 'The container could not be located when the pod was terminated';
  return { ...status, state: { terminated: { reason: 'ContainerStatusUnknown', message, exitCode: 137 } } };
}

function addresses(view: StatusView): Partial<V1PodStatus> {
  const { pod, observed, previous, hostIps } = view;
  const own = observed?.sandboxes[0]?.ips ?? [];
  const previousIps = (previous.podIPs ?? []).map(({ ip }) => ip);
  // The addresses stay in the status of a pod whose sandbox has ended.
  const podIps = pod.spec.hostNetwork === true ? hostIps : own.length > 0 ? own : previousIps;
  return {
    ...(hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: podIps.map((ip) => ({ ip })) }),
  };
}
