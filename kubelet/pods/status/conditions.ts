// The conditions that a kubelet keeps on a pod (pkg/kubelet/status/generate.go).
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1ContainerStatus, V1PodCondition } from '#api/generated/types.ts';
import { isSidecar } from '../observed.ts';
import { hasStarted, type Phase } from './phase.ts';

/** The conditions that the kubelet owns; all others are kept. */
export const kubeletConditions: readonly string[] = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'AllContainersRestarting',
  'PodResizePending',
  'PodResizeInProgress',
];

/** Says that a pod ends for the sake of others. Whoever ends it writes it, this kubelet too. */
export const disruptionTarget = 'DisruptionTarget';

/** How far a resize has come. */
export interface ResizeView {
  /** Why it must wait. */
  readonly pending: { readonly reason: string; readonly message: string } | undefined;
  /** Set while containers are given what was set aside: since which generation of the pod, and what went wrong. */
  readonly progress: { readonly generation: number; readonly error: string | undefined } | undefined;
}

interface ConditionView {
  readonly pod: Pod;
  /** Of containers and init containers; undefined where nothing was looked at (a rejected pod). */
  readonly statuses: readonly V1ContainerStatus[] | undefined;
  readonly phase: Phase;
  readonly hasSandbox: boolean;
  /** Ours as they stand, with their transition times. */
  readonly previous: readonly V1PodCondition[];
  /** As the API has them: those that are not ours count for readiness gates. */
  readonly others: readonly V1PodCondition[];
  /** All of its containers end to be started again. Undefined: none of them may ask for that. */
  readonly isTurning?: boolean | undefined;
  /** Absent: none is under way. */
  readonly resize?: ResizeView | undefined;
  /** Why this kubelet ends it for the sake of others. */
  readonly disruption?: string | undefined;
  /** RFC 3339. */
  readonly now: string;
}

type Verdict = Pick<V1PodCondition, 'status' | 'reason' | 'message' | 'observedGeneration'>;

/** All conditions of a pod: those of others as they stand, then ours. */
export function podConditions(view: ConditionView): V1PodCondition[] {
  const { pod, previous, now } = view;
  const { generation } = pod.metadata;
  const others = withDisruption(view);
  const containersReady = judgeContainers(view);
  const ours: [type: string, verdict: Verdict][] = [
    ['PodReadyToStartContainers', { status: view.hasSandbox ? 'True' : 'False' }],
    ['Initialized', judgeInitialized(view)],
    ['Ready', containersReady.status === 'True' ? judgeGates(pod, others) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
    ...judgeTurning(view),
    ...judgeResize(view.resize),
  ];
  return [
    ...others,
    ...ours.map(([type, verdict]): V1PodCondition => {
      const known = previous.find((condition) => condition.type === type);
      const lastTransitionTime = known?.status === verdict.status ? (known.lastTransitionTime ?? now) : now;
      return {
        type,
        status: verdict.status,
        lastTransitionTime,
        ...(generation === undefined ? {} : { observedGeneration: verdict.observedGeneration ?? generation }),
        ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
        ...(verdict.message === undefined ? {} : { message: verdict.message }),
      };
    }),
  ];
}

function withDisruption({ pod, others, disruption, now }: ConditionView): V1PodCondition[] {
  const kept = others.filter(({ type }) => !kubeletConditions.includes(type));
  if (disruption === undefined) return kept;
  const known = kept.find(({ type }) => type === disruptionTarget);
  const { generation } = pod.metadata;
  const own: V1PodCondition = {
    type: disruptionTarget,
    status: 'True',
    lastTransitionTime: known?.status === 'True' ? (known.lastTransitionTime ?? now) : now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    reason: 'TerminationByKubelet',
    message: disruption,
  };
  return [...kept.filter((one) => one !== known), own];
}

function judgeTurning({ isTurning, phase }: ConditionView): [type: string, verdict: Verdict][] {
  if (isTurning === undefined) return [];
  const over = phase === 'Succeeded' ? { reason: 'PodCompleted' } : phase === 'Failed' ? { reason: 'PodFailed' } : undefined;
  const turns = { status: 'True', reason: 'RestartAllContainersStarted', message: 'container exited with restart policy rule' };
  return [['AllContainersRestarting', isTurning && over === undefined ? turns : { status: 'False', ...over }]];
}

/** These two are there only while they are true. */
function judgeResize(resize: ResizeView | undefined): [type: string, verdict: Verdict][] {
  const { pending, progress } = resize ?? {};
  const wrong = progress?.error === undefined ? {} : { reason: 'Error', message: progress.error };
  return [
    ...(pending === undefined ? [] : [['PodResizePending', { status: 'True', ...pending }] as [string, Verdict]]),
    ...(progress === undefined
      ? []
      : [['PodResizeInProgress', { status: 'True', observedGeneration: progress.generation, ...wrong }] as [string, Verdict]]),
  ];
}

function judgeContainers({ pod, statuses, phase }: ConditionView): Verdict {
  if (statuses === undefined) return { status: 'False', reason: 'UnknownContainerStatuses' };
  const wanted: V1Container[] = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const { unknown, bad } = sort(wanted, statuses, (_, status) => status.ready);
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const message = problemText(unknown, bad, 'unready');
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotReady', message };
}

function judgeInitialized({ pod, statuses, phase }: ConditionView): Verdict {
  const { initContainers = [], containers } = pod.spec;
  if (statuses === undefined) {
    return initContainers.length > 0 ? { status: 'False', reason: 'UnknownContainerStatuses' } : { status: 'True' };
  }
  const { unknown, bad } = sort(initContainers, statuses, (container, status) =>
    isSidecar(container) ? status.started === true : status.ready,
  );
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  if (containers.some(({ name }) => hasStarted(statuses.find((status) => status.name === name)))) return { status: 'True' };
  const message = problemText(unknown, bad, 'incomplete');
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotInitialized', message };
}

function judgeGates(pod: Pod, others: readonly V1PodCondition[]): Verdict {
  const problems = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const known = others.find(({ type }) => type === conditionType);
    if (known === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return known.status === 'True' ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${known.status}`];
  });
  if (problems.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') };
}

function sort(
  containers: readonly V1Container[],
  statuses: readonly V1ContainerStatus[],
  isGood: (container: V1Container, status: V1ContainerStatus) => boolean,
): { unknown: string[]; bad: string[] } {
  const unknown: string[] = [];
  const bad: string[] = [];
  for (const container of containers) {
    const status = statuses.find(({ name }) => name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (!isGood(container, status)) bad.push(container.name);
  }
  return { unknown, bad };
}

function problemText(unknown: readonly string[], bad: readonly string[], word: string): string {
  const parts: string[] = [];
  if (unknown.length > 0) parts.push(`containers with unknown status: [${unknown.join(' ')}]`);
  if (bad.length > 0) parts.push(`containers with ${word} status: [${bad.join(' ')}]`);
  return parts.join(', ');
}
