// The state machine of a pod on this node. Pure. States only move forward, a termination deadline only moves nearer, and the latest
// desired state wins, so no order of events can restart a terminated pod. (pkg/kubelet/pod_workers.go)
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { isRunning, isSidecar } from './observed.ts';
import { isStranded, type Plan, planPod, type PlanView, type Step, type Waiting } from './plan.ts';
import { rememberedHistory, type RestartHistory } from './restart.ts';

export type PodState =
  /** No step was taken yet. */
  | { readonly at: 'waiting' }
  | { readonly at: 'running'; readonly histories: ReadonlyMap<string, RestartHistory> }
  /** Its containers are being stopped, and killed at the deadline. */
  | { readonly at: 'terminating'; readonly deadlineMs: number }
  /** Nothing runs and nothing will again; logs are kept while the object exists. */
  | { readonly at: 'terminated' }
  /** Nothing of it is left on this node. */
  | { readonly at: 'gone' };

/** What the kubelet wants of a pod now; `graceMs` counts from the observation. */
export type DesiredState =
  | { readonly want: 'run' }
  /** `forget`: the object is being deleted or is gone already, so containers and logs go too. */
  | { readonly want: 'end'; readonly graceMs: number; readonly forget: boolean };

/** Which terminated containers are kept (pkg/kubelet/container: GCPolicy). */
export interface KeptEnds {
  /** Per container name. */
  readonly perContainer: number;
  /** Containers that terminated more recently are kept in any case. */
  readonly minAgeMs: number;
}

export interface View extends PlanView {
  /** Default: one per name, whatever its age. */
  readonly keeps?: KeptEnds;
  readonly desired: DesiredState;
  /** True when the pod's phase is final: Succeeded or Failed. */
  readonly isComplete: boolean;
  /** True when terminated containers are to be removed although the object exists, under disk pressure. */
  readonly dropsEnded?: boolean;
  /** True when volumes and cgroup are released. */
  readonly isReleased: boolean;
}

export type PodStep = Step | { readonly do: 'release' };

export interface Decision {
  readonly state: PodState;
  readonly steps: readonly PodStep[];
  readonly waiting: readonly Waiting[];
  readonly retryAtMs: number | undefined;
}

const nothingWaits = { waiting: [], retryAtMs: undefined } as const;

/** The next state and the steps towards it. To be called again after any step was carried out. */
export function advance(state: PodState, view: View): Decision {
  const next = move(state, view);
  switch (next.at) {
    case 'waiting':
      return { state: next, steps: [], ...nothingWaits };
    case 'running': {
      const plan: Plan = planPod({ ...view, histories: next.histories });
      const steps = plan.steps.length > 0 ? plan.steps : prune(view);
      return { state: { at: 'running', histories: plan.histories }, steps, waiting: plan.waiting, retryAtMs: plan.retryAtMs };
    }
    case 'terminating':
      return { state: next, steps: endContainers(view, next.deadlineMs), ...nothingWaits };
    case 'terminated':
      return { state: next, steps: clearAway(view), ...nothingWaits };
    case 'gone':
      return { state: next, steps: [], ...nothingWaits };
  }
}

function move(state: PodState, view: View): PodState {
  const { desired, nowMs, isComplete, observed } = view;
  if (state.at === 'gone') return state;
  if (state.at === 'terminated') return desired.want === 'end' && desired.forget && isForgotten(view) ? { at: 'gone' } : state;
  if (state.at !== 'terminating' && desired.want === 'run' && !isComplete && !isStranded(view)) {
    return state.at === 'running' ? state : { at: 'running', histories: histories(view) };
  }
  // To be terminated, or complete. Every call computes a deadline from now, so the earliest one ever set counts.
  const setMs = state.at === 'terminating' ? state.deadlineMs : Number.POSITIVE_INFINITY;
  const requestedMs = desired.want === 'end' ? nowMs + desired.graceMs : nowMs + graceOf(view);
  const deadlineMs = Math.min(setMs, requestedMs);
  return isStill(observed) ? { at: 'terminated' } : { at: 'terminating', deadlineMs };
}

/** Back-off delays continue after a restart of the kubelet. */
function histories({ observed, longestDelayMs }: View): ReadonlyMap<string, RestartHistory> {
  const newest = new Map((observed?.containers ?? []).toReversed().map((container) => [container.name, container]));
  return new Map(
    [...newest].flatMap(([name, { attempt, createdAtMs }]) => {
      const history = rememberedHistory(attempt, createdAtMs, longestDelayMs);
      return history === undefined ? [] : [[name, history] as const];
    }),
  );
}

function graceOf({ pod }: View): number {
  return (pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000;
}

function isStill(observed: RuntimePod | undefined): boolean {
  if (observed === undefined) return true;
  return !observed.containers.some(isRunning) && !observed.sandboxes.some(({ state }) => state === 'ready');
}

function isForgotten({ observed, isReleased }: View): boolean {
  return isReleased && (observed === undefined || (observed.sandboxes.length === 0 && observed.containers.length === 0));
}

/** Stops the main containers together, then the sidecars in reverse order, then the sandbox. */
function endContainers({ pod, observed, nowMs }: View, deadlineMs: number): Step[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const running = (observed?.containers ?? []).filter(isRunning);
  const graceMs = Math.max(0, deadlineMs - nowMs);
  const stop = ({ id, name }: ContainerStatus): Step => ({
    do: 'stopContainer',
    id,
    name,
    why: { message: `Stopping container ${name}`, graceMs },
  });
  const mains = running.filter(({ name }) => !sidecars.includes(name));
  if (mains.length > 0) return mains.map(stop);
  const last = sidecars.toReversed().find((name) => running.some((one) => one.name === name));
  if (last !== undefined) return running.filter(({ name }) => name === last).map(stop);
  return (observed?.sandboxes ?? []).filter(({ state }) => state === 'ready').map(({ id }) => ({ do: 'stopSandbox', id }));
}

/** Releases volumes and cgroup; removes containers and sandboxes once their logs need not be kept. */
function clearAway({ desired, observed, isReleased, dropsEnded = false }: View): PodStep[] {
  const release: PodStep[] = isReleased ? [] : [{ do: 'release' }];
  const isForgotten = desired.want === 'end' && desired.forget;
  if (!isForgotten && !dropsEnded) return release;
  const sandboxes = observed?.sandboxes ?? [];
  const homeless = (observed?.containers ?? []).filter(({ sandboxId }) => !sandboxes.some(({ id }) => id === sandboxId));
  return [
    ...release,
    ...homeless.map(({ id }): Step => ({ do: 'removeContainer', id })),
    ...sandboxes.map(({ id }): Step => ({ do: 'removeSandbox', id })),
  ];
}

const defaultKeeps: KeptEnds = { perContainer: 1, minAgeMs: 0 };

/** Removes what neither a status nor `kubectl logs --previous` needs any more. */
function prune({ observed, nowMs, keeps: { perContainer, minAgeMs } = defaultKeeps }: View): Step[] {
  if (observed === undefined) return [];
  const seen = new Map<string, number>();
  const old = observed.containers.filter((container) => {
    const count = (seen.get(container.name) ?? 0) + 1;
    seen.set(container.name, count);
    // The newest runs, or waits for its restart: the others are what shows as last state, and those before.
    const isOld = nowMs - (container.finishedAtMs ?? nowMs) >= minAgeMs;
    return count > perContainer + 1 && container.state === 'exited' && isOld;
  });
  const keeps = new Set(observed.containers.filter((one) => !old.includes(one)).map(({ sandboxId }) => sandboxId));
  const sandboxes = observed.sandboxes.slice(1).filter(({ id, state }) => state === 'notReady' && !keeps.has(id));
  return [...old.map(({ id }): Step => ({ do: 'removeContainer', id })), ...sandboxes.map(({ id }): Step => ({ do: 'removeSandbox', id }))];
}
