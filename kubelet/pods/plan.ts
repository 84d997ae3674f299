// What one look at a pod that should run says must be done now. Pure: the same view gives the same plan, and a plan carried out
// in part gives the rest the next time. One stage at a time: a sandbox, then one init container after the other, then the rest.
// (pkg/kubelet/kuberuntime: computePodActions, computeInitContainerActions.)
import type { Pod } from '#api/core/pod/pod.ts';
import { mayRestart, shouldRestart } from '#api/core/pod/restart.ts';
import type { V1Container, V1ContainerStatus } from '#api/generated/types.ts';
import type { ContainerStatus, RuntimePod, SandboxStatus } from '../runtime/contract.ts';
import { hasChanged, isRunning, isSidecar, latestOf, usableSandbox } from './observed.ts';
import { type Actuation, changeOf, planActuation, type Actuated } from './resize/actuation.ts';
import { judgeRestart, type RestartHistory } from './restart.ts';
import { isPast, roundOf, starterOf } from './rounds.ts';

type ContainerKind = 'init' | 'app' | 'ephemeral';

/** Why a container is stopped: what its Killing event says, and how long it may take. */
interface StopReason {
  readonly message: string;
  /** Undefined: the pod's grace period. */
  readonly graceMs?: number | undefined;
}

/** One thing to do. Steps of one plan are done in order, except stops that stand together. */
export type Step =
  /** Volumes and cgroup, also for a pod that was found running: their updates must arrive again. */
  | { readonly do: 'prepare' }
  | { readonly do: 'createSandbox'; readonly attempt: number }
  | { readonly do: 'stopSandbox'; readonly id: string }
  | { readonly do: 'removeSandbox'; readonly id: string }
  | {
      readonly do: 'startContainer';
      readonly kind: ContainerKind;
      readonly name: string;
      readonly attempt: number;
      /** See rounds.ts. */
      readonly round: number;
      readonly sandbox: SandboxStatus;
      /** A container that was made but never started. */
      readonly madeId: string | undefined;
    }
  | { readonly do: 'stopContainer'; readonly id: string; readonly name: string; readonly why: StopReason }
  | { readonly do: 'removeContainer'; readonly id: string }
  /** Other limits for what runs. */
  | { readonly do: 'resize'; readonly actuation: Actuation };

/** A container that waits for its next start. */
export interface Waiting {
  readonly name: string;
  readonly untilMs: number;
  readonly delayMs: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Ended containers whose next start is delayed because they end too often. */
  readonly waiting: readonly Waiting[];
  /** When a failed step may be tried again, the earliest of them. */
  readonly retryAtMs: number | undefined;
  readonly histories: ReadonlyMap<string, RestartHistory>;
}

export interface PlanView {
  readonly pod: Pod;
  readonly observed: RuntimePod | undefined;
  /** Ids of running containers that a probe wants to be restarted, and which one. */
  readonly unhealthy: ReadonlyMap<string, 'liveness' | 'startup'>;
  /** Ids of running containers whose startup probe has passed or is absent. */
  readonly started: ReadonlySet<string>;
  /** Ids of containers that could not be started and never will. */
  readonly unstartable: ReadonlySet<string>;
  readonly histories: ReadonlyMap<string, RestartHistory>;
  /** Resources that the runtime has already been given; absent: none. */
  readonly actuated?: Actuated;
  readonly isPrepared: boolean;
  /** Steps that failed, and when they may be tried again: by container name, `podStep` for those of the whole pod. */
  readonly notBefore: ReadonlyMap<string, number>;
  readonly nowMs: number;
  /** What delays of restarts double up to; absent: five minutes. */
  readonly longestDelayMs?: number | undefined;
}

/** Key in `notBefore` of what is no container's. */
const podStep = '';
/** Key in `notBefore` of a resize that failed. */
export const resizeStep = '/resize';

/** The plan for a pod that should run. */
export function planPod(view: PlanView): Plan {
  const podRetryMs = delayOf(view, podStep);
  if (podRetryMs !== undefined) return { steps: [], waiting: [], retryAtMs: podRetryMs, histories: view.histories };
  if (!view.isPrepared) return { steps: [{ do: 'prepare' }], waiting: [], retryAtMs: undefined, histories: view.histories };
  const sandbox = usableSandbox(view.pod, view.observed);
  if (sandbox === undefined) return planSandbox(view);
  const round = roundOf(view.pod, view.observed);
  const draft = new Draft(view, sandbox, round);
  for (const step of strays(view, sandbox)) draft.steps.push(step);
  if (!planRound(draft)) return draft.plan();
  for (const container of view.pod.spec.ephemeralContainers ?? []) {
    if (latestOf(view.observed, container.name) === undefined) draft.start('ephemeral', container);
  }
  const stage = stageOf(draft);
  if (stage === 'run' || stage === 'over' || planInit(draft, stage === 'ended')) planApps(draft, stage);
  planResize(draft);
  return draft.plan();
}

/** A new round begins when nothing of the last one runs any more, and not too soon. True when it has begun, or there is none. */
function planRound(draft: Draft): boolean {
  const { round, view } = draft;
  if (round === 0) return true;
  const past = (view.observed?.containers ?? []).filter((one) => isRunning(one) && isPast(one, round));
  // No time to say goodbye: their hooks do not run either.
  for (const { id, name } of past) draft.stop(id, name, { message: `Stopping container ${name}`, graceMs: 0 });
  if (past.length > 0) return false;
  const starter = starterOf(view.pod, view.observed, round);
  return starter === undefined || draft.mayRestart(starter);
}

function delayOf({ notBefore, nowMs }: PlanView, name: string): number | undefined {
  const untilMs = notBefore.get(name);
  return untilMs !== undefined && untilMs > nowMs ? untilMs : undefined;
}

/** No sandbox to work in: end what still runs in an old one, and make a new one unless nothing would run in it. */
function planSandbox(view: PlanView): Plan {
  const { observed, histories } = view;
  const old = observed?.sandboxes[0];
  const steps: Step[] = (observed?.containers ?? []).filter(isRunning).map(stopStray);
  for (const { id, state } of observed?.sandboxes ?? []) if (state === 'ready') steps.push({ do: 'stopSandbox', id });
  if (hasWork(view)) steps.push({ do: 'createSandbox', attempt: old === undefined ? 0 : old.attempt + 1 });
  // Containers that went down with their sandbox, as after a power cut, did not fail themselves: they need not wait.
  const hasDied = old !== undefined && old.state !== 'ready';
  return { steps, waiting: [], retryAtMs: undefined, histories: hasDied ? new Map() : histories };
}

/** True for a pod that lost its sandbox and gets no other, since nothing of it may begin again: it is over, however far it had come. */
export function isStranded(view: Pick<PlanView, 'pod' | 'observed'>): boolean {
  const { pod, observed } = view;
  return observed !== undefined && observed.sandboxes.length > 0 && usableSandbox(pod, observed) === undefined && !hasWork(view);
}

/** Whether any container would run in a new sandbox. */
function hasWork(view: Pick<PlanView, 'pod' | 'observed'>): boolean {
  return view.pod.spec.containers.some((container) => wantsToRun(view, container));
}

function wantsToRun({ pod, observed }: Pick<PlanView, 'pod' | 'observed'>, container: V1Container): boolean {
  const { restartPolicy } = pod.spec;
  const last = latestOf(observed, container.name);
  if (last !== undefined && isPast(last, roundOf(pod, observed))) return true;
  if (last?.state === 'exited') return shouldRestart(container, restartPolicy, last.exitCode ?? 0);
  if (last?.state === 'created' || mayRestart(container, restartPolicy)) return true;
  // A pod that never restarts does not do again what has been done: once anything of it ran, its first sandbox was its only one.
  const hasRun = restartPolicy === 'Never' && (observed?.containers ?? []).some(({ state }) => state !== 'created');
  return last === undefined && !wasMade(pod, container.name) && !hasRun;
}

/** True when the API remembers a container of that name: if the runtime has none any more, it was removed externally. */
function wasMade(pod: Pod, name: string): boolean {
  return (rememberedStatus(pod, name)?.containerID ?? '') !== '';
}

function rememberedStatus({ status }: Pod, name: string): V1ContainerStatus | undefined {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((one) => one.name === name);
}

/** Containers that run in a sandbox of the past, and a second ready sandbox: left over from an interrupted change. */
function strays({ observed }: PlanView, sandbox: SandboxStatus): Step[] {
  const containers = (observed?.containers ?? []).filter((one) => isRunning(one) && one.sandboxId !== sandbox.id);
  const sandboxes = (observed?.sandboxes ?? []).filter((one) => one.state === 'ready' && one.id !== sandbox.id);
  return [...containers.map(stopStray), ...sandboxes.map(({ id }): Step => ({ do: 'stopSandbox', id }))];
}

function stopStray({ id, name }: ContainerStatus): Step {
  return { do: 'stopContainer', id, name, why: { message: `Stopping container ${name}` } };
}

/** Last, when nothing else is to be done: what runs may get other limits. */
function planResize(draft: Draft): void {
  const { pod, observed, actuated = new Map<string, string>() } = draft.view;
  if (draft.steps.length > 0) return;
  const actuation = planActuation(pod, observed, actuated);
  if (actuation === undefined) return;
  const untilMs = delayOf(draft.view, resizeStep);
  if (untilMs === undefined) draft.steps.push({ do: 'resize', actuation });
  else draft.retryAtMs = Math.min(untilMs, draft.retryAtMs ?? untilMs);
}

/**
 * Walks the init containers in order up to the first that is not done. True when all are. What stands before one that was made has been
 * done: it is not waited for again, also where its container is gone, though sidecars are kept running. `wasDone`: app containers were
 * made already and have all ended, as when a machine went down: then only a sidecar that is the last is waited for.
 */
function planInit(draft: Draft, wasDone: boolean): boolean {
  const { pod } = draft.view;
  const containers = pod.spec.initContainers ?? [];
  const reached = wasDone ? containers.length - 1 : containers.findLastIndex(({ name }) => draft.current(name) !== undefined);
  for (const [index, container] of containers.entries()) {
    const last = draft.current(container.name);
    if (isSidecar(container)) {
      draft.keepRunning('init', container);
      if (index < reached || (last !== undefined && isRunning(last) && draft.view.started.has(last.id))) continue;
      return false;
    }
    if (index < reached || wasDone) continue;
    const exitCode = last === undefined || draft.view.unstartable.has(last.id) ? 128 : (last.exitCode ?? 128);
    if (last?.state === 'exited' && exitCode === 0) continue;
    if (last === undefined) draft.start('init', container);
    else if (last.state === 'created') draft.keepRunning('init', container);
    else if (last.state === 'exited' && shouldRestart(container, pod.spec.restartPolicy, exitCode)) draft.restart('init', container, last);
    return false;
  }
  return true;
}

/** How far a pod's app containers are: none was made here, some run, all have ended, all have ended for good. */
type Stage = 'new' | 'run' | 'ended' | 'over';

function stageOf(draft: Draft): Stage {
  const { containers, restartPolicy } = draft.view.pod.spec;
  const known = containers.map((container) => ({ container, last: draft.current(container.name) }));
  if (known.every(({ last }) => last === undefined)) return 'new';
  if (known.some(({ last }) => last !== undefined && last.state !== 'exited')) return 'run';
  const isOver = known.every(({ container, last }) => last !== undefined && !shouldRestart(container, restartPolicy, last.exitCode ?? 0));
  return isOver ? 'over' : 'ended';
}

/** Initialised: app containers by their policy; sidecars live as long as any of them does or will, and come first where both are to start. */
function planApps(draft: Draft, stage: Stage): void {
  const { pod } = draft.view;
  const before = draft.steps.length;
  let alive = 0;
  for (const container of pod.spec.containers) {
    draft.keepRunning('app', container);
    if (isRunning(draft.current(container.name))) alive++;
  }
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  if (alive > 0 || draft.steps.length > before || draft.waiting.length > 0 || draft.retryAtMs !== undefined) {
    if (stage !== 'run') return;
    const apps = draft.steps.splice(before);
    for (const container of sidecars) draft.keepRunning('init', container);
    draft.steps.push(...apps);
    return;
  }
  for (const { name } of sidecars.toReversed()) {
    const last = draft.current(name);
    if (last === undefined || !isRunning(last)) continue;
    draft.stop(last.id, name, { message: `Stopping container ${name}` });
    return;
  }
}

/** A plan in the making: the rules for one container. */
class Draft {
  readonly view: PlanView;
  readonly steps: Step[] = [];
  readonly waiting: Waiting[] = [];
  readonly histories: Map<string, RestartHistory>;
  retryAtMs: number | undefined;
  readonly round: number;
  readonly #sandbox: SandboxStatus;

  constructor(view: PlanView, sandbox: SandboxStatus, round: number) {
    this.view = view;
    this.histories = new Map(view.histories);
    this.round = round;
    this.#sandbox = sandbox;
  }

  plan(): Plan {
    const { steps, waiting, retryAtMs, histories } = this;
    return { steps, waiting, retryAtMs, histories };
  }

  /** The newest container of that name, if it belongs to the present sandbox and round. */
  current(name: string): ContainerStatus | undefined {
    const last = latestOf(this.view.observed, name);
    return last?.sandboxId === this.#sandbox.id && !isPast(last, this.round) ? last : undefined;
  }

  /** Starts, restarts or replaces a container as its policy, its probes and its definition ask. */
  keepRunning(kind: ContainerKind, container: V1Container): void {
    const { unhealthy, pod, observed, unstartable, actuated = new Map<string, string>() } = this.view;
    const last = latestOf(observed, container.name);
    if (last === undefined) {
      if (!wasMade(pod, container.name) || mayRestart(container, pod.spec.restartPolicy)) this.start(kind, container);
      return;
    }
    if (isPast(last, this.round)) return this.start(kind, container);
    const isCurrent = last.sandboxId === this.#sandbox.id;
    // One that was made for a sandbox of the past never ran: its successor is a first start, not a restart.
    if (last.state === 'created' && !unstartable.has(last.id)) return this.start(kind, container, isCurrent ? last : undefined);
    if (last.state === 'running' && isCurrent) {
      const failed = unhealthy.get(last.id);
      if (hasChanged(container, last)) {
        this.histories.delete(container.name);
        this.#replace(kind, container, last, { message: `Container ${container.name} definition changed, will be restarted` }, true);
      } else if (failed !== undefined) {
        const probe = failed === 'liveness' ? container.livenessProbe : container.startupProbe;
        const seconds = probe?.terminationGracePeriodSeconds;
        const message = `Container ${container.name} failed ${failed} probe, will be restarted`;
        const why = { message, ...(seconds === undefined ? {} : { graceMs: seconds * 1_000 }) };
        this.#replace(kind, container, last, why, mayRestart(container, pod.spec.restartPolicy));
      } else if (changeOf(pod, container, last, actuated) === 'restart') {
        this.#replace(kind, container, last, { message: `Container ${container.name} resize requires restart` }, true);
      }
      return;
    }
    const exitCode = last.state === 'exited' ? (last.exitCode ?? 0) : 128;
    if (shouldRestart(container, pod.spec.restartPolicy, exitCode)) this.restart(kind, container, last);
  }

  /** Starts a container that ended, unless it has to wait. */
  restart(kind: ContainerKind, container: V1Container, last: ContainerStatus): void {
    // What another image did is not held against this one.
    if (hasChanged(container, last)) this.histories.delete(container.name);
    if (delayOf(this.view, container.name) !== undefined || this.mayRestart(last)) this.start(kind, container);
  }

  /** Whether what has ended may be started again now; where it may not, it waits. */
  mayRestart({ name, finishedAtMs, createdAtMs }: ContainerStatus): boolean {
    const { nowMs, longestDelayMs } = this.view;
    const verdict = judgeRestart(this.histories.get(name), finishedAtMs ?? createdAtMs, nowMs, longestDelayMs);
    if (verdict.kind === 'wait') this.waiting.push({ name, untilMs: verdict.untilMs, delayMs: verdict.delayMs });
    else this.histories.set(name, verdict.history);
    return verdict.kind === 'now';
  }

  stop(id: string, name: string, why: StopReason): void {
    this.steps.push({ do: 'stopContainer', id, name, why });
  }

  start(kind: ContainerKind, { name }: { name: string }, made?: ContainerStatus): void {
    const untilMs = delayOf(this.view, name);
    if (untilMs !== undefined) {
      this.retryAtMs = Math.min(untilMs, this.retryAtMs ?? untilMs);
      return;
    }
    const attempt = made?.attempt ?? this.#nextAttempt(name);
    this.steps.push({ do: 'startContainer', kind, name, attempt, round: this.round, sandbox: this.#sandbox, madeId: made?.id });
  }

  #replace(kind: ContainerKind, container: V1Container, last: ContainerStatus, why: StopReason, startAgain: boolean): void {
    this.stop(last.id, container.name, why);
    if (!startAgain) return;
    const { nowMs, longestDelayMs } = this.view;
    const verdict = judgeRestart(this.histories.get(container.name), this.#lastExitMs(container.name), nowMs, longestDelayMs);
    if (verdict.kind === 'now') {
      this.histories.set(container.name, verdict.history);
      this.start(kind, container);
    }
  }

  #lastExitMs(name: string): number {
    return this.view.observed?.containers.find((one) => one.name === name && one.state === 'exited')?.finishedAtMs ?? this.view.nowMs;
  }

  /** One more than the last container there is or that the API remembers: a number is never used twice. */
  #nextAttempt(name: string): number {
    const { pod, observed } = this.view;
    const last = latestOf(observed, name);
    const known = rememberedStatus(pod, name);
    const remembered = known === undefined ? 0 : known.restartCount + (wasMade(pod, name) ? 1 : 0);
    return last === undefined ? remembered : Math.max(last.attempt + 1, remembered);
  }
}
