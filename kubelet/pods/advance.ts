// How far a pod has come on this node, and what comes next. Pure. States only move to the right, a deadline only comes nearer,
// and the newest wish wins, so that no order of wakes can bring a stopped pod back. (pkg/kubelet/pod_workers.go)
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { isRunning, isSidecar } from './observed.ts';
import { isStranded, type Plan, planPod, type PlanView, type Step, type Waiting } from './plan.ts';
import { rememberedHistory, type RestartHistory } from './restart.ts';

export type PodState =
  /** Nothing was done yet. */
  | { readonly at: 'waiting' }
  | { readonly at: 'running'; readonly histories: ReadonlyMap<string, RestartHistory> }
  /** Its containers end, at the latest at the deadline. */
  | { readonly at: 'terminating'; readonly deadlineMs: number }
  /** Nothing runs any more and nothing will; logs are kept while the object stays. */
  | { readonly at: 'terminated' }
  /** No trace is left on this node. */
  | { readonly at: 'gone' };

/** What the kubelet wants of a pod now. */
export type Wish =
  | { readonly want: 'run' }
  /** `forget`: the object is being deleted or is gone already, so containers and logs go too. */
  | { readonly want: 'end'; readonly graceMs: number; readonly forget: boolean };

/** Which ended containers are kept (pkg/kubelet/container: GCPolicy). */
export interface KeptEnds {
  /** How many of one name. */
  readonly perContainer: number;
  /** Those that ended less long ago stay anyway. */
  readonly minAgeMs: number;
}

export interface View extends PlanView {
  /** Default: one, of whatever age. */
  readonly keeps?: KeptEnds;
  readonly wish: Wish;
  /** True when by its containers' ends the pod is done (or failed) for good. */
  readonly isComplete: boolean;
  /** True when nobody may ask any more for the logs of what has ended. */
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

/** Looks at the whole pod and says where it stands and what to do now. Wakes again after having done anything. */
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
  const { wish, nowMs, isComplete, observed } = view;
  if (state.at === 'gone') return state;
  if (state.at === 'terminated') return wish.want === 'end' && wish.forget && isForgotten(view) ? { at: 'gone' } : state;
  if (state.at !== 'terminating' && wish.want === 'run' && !isComplete && !isStranded(view)) {
    return state.at === 'running' ? state : { at: 'running', histories: histories(observed) };
  }
  // Asked to end, or nothing of it will run again. Every wake asks anew, so the earliest deadline ever set is the one that counts.
  const setMs = state.at === 'terminating' ? state.deadlineMs : Number.POSITIVE_INFINITY;
  const askedMs = wish.want === 'end' ? nowMs + wish.graceMs : nowMs + graceOf(view);
  const deadlineMs = Math.min(setMs, askedMs);
  return isStill(observed) ? { at: 'terminated' } : { at: 'terminating', deadlineMs };
}

/** Delays go on where an earlier kubelet left them. */
function histories(observed: RuntimePod | undefined): ReadonlyMap<string, RestartHistory> {
  const newest = new Map((observed?.containers ?? []).toReversed().map((container) => [container.name, container]));
  return new Map(
    [...newest].flatMap(([name, { attempt, createdAtMs }]) => {
      const history = rememberedHistory(attempt, createdAtMs);
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

/** All containers end together, then the sidecars one by one from the last, then the sandbox. */
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

/** Volumes and cgroup always; containers and sandboxes where nobody may ask for their logs any more. */
function clearAway({ wish, observed, isReleased, dropsEnded = false }: View): PodStep[] {
  const release: PodStep[] = isReleased ? [] : [{ do: 'release' }];
  const isForgotten = wish.want === 'end' && wish.forget;
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
