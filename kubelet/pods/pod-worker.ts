// Runs one pod until everything of it is removed. How it works:
// - Every trigger (a new object, a runtime event, a probe result, the resync tick) only sets a flag; the loop then observes the pod,
//   decides with `advance`, carries out the steps, and repeats until no step is left.
// - Only the loop changes what runs. The status is also recomputed while a long step is in progress.
// - A change that terminates the pod, or shortens its grace period, interrupts the step in progress; the next iteration observes anew.
// INVARIANT: correctness needs no state in memory. A new worker adopts a running pod: containers are read from the runtime, restart
// counts from their labels, and health from the status in the API until the first probe results arrive.
import { isStaticPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodStatus } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import { Backoff } from '#base/backoff.ts';
import type { Log } from '#base/log.ts';
import type { PodMetrics, SyncKind } from '../metrics/pod-metrics.ts';
import { StartWatch } from '../metrics/start-watch.ts';
import type { Prober } from '../probes/prober.ts';
import type { Runtime, RuntimePod } from '../runtime/contract.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import { advance, type Decision, type KeptEnds, type PodState, type View, type DesiredState } from './advance.ts';
import { Attempts } from './attempts.ts';
import { removeLogFolders } from './log-folders.ts';
import { resizeStep, type Waiting } from './plan.ts';
import { PodLook } from './pod-look.ts';
import type { PendingResize, Waiter } from './resize/allocation.ts';
import type { Allocations } from './resize/allocations.ts';
import { PodResize } from './resize/pod-resize.ts';
import { isFinal, podStatus, type StatusView } from './status/pod-status.ts';
import type { StatusWriter } from './status/status-writer.ts';
import type { StepRunner, StepRunnerDeps } from './step-runner.ts';
import { VolumeRefresh } from './volume-refresh.ts';
import { Wakeup } from './wakeup.ts';
import { needsSync, type PodLife, type PodVerdict, desiredStateOf } from './desired-state.ts';

export interface PodWorkerDeps {
  readonly runtime: Runtime;
  readonly runtimeName: string;
  readonly steps: StepRunner;
  readonly volumes: PodVolumes;
  readonly prober: Prober;
  readonly statuses: StatusWriter;
  readonly hostIps: () => readonly string[];
  readonly record: StepRunnerDeps['record'];
  readonly allocations: Allocations;
  readonly metrics: PodMetrics;
  /** Which terminated containers are kept. */
  readonly keeps?: KeptEnds;
  readonly longestDelayMs?: number;
  /** Called when the pod releases resources of the node, or its resize is complete: other pods may fit now. */
  readonly onRoom?: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

const resyncMs = 60_000;

export class PodWorker {
  readonly uid: string;
  readonly #deps: PodWorkerDeps;
  readonly #log: Log;
  readonly #wakeup = new Wakeup();
  readonly #attempts: Attempts;
  readonly #failures = new Backoff({ initialMs: 1_000, maxMs: 10_000, jitter: 0.1 });
  readonly #volumeRefresh: VolumeRefresh;
  readonly #look: PodLook;
  readonly #stopping = new Set<string>();
  readonly #unstartable = new Set<string>();
  readonly #resize: PodResize;
  readonly #startWatch: StartWatch;
  /** The pod as the API has it. */
  #desired: Pod;
  /** The same with its allocated resources in place of the requested ones: what the node runs. */
  #pod: Pod;
  #life: PodLife;
  #state: PodState = { at: 'waiting' };
  #verdict: PodVerdict | undefined;
  #isPrepared = false;
  #isReleased = false;
  #drop: PromiseWithResolvers<void> | undefined;
  #pass: AbortController | undefined;
  #syncKind: SyncKind = 'create';

  /** `orphan`: a pod that only the runtime knows. */
  constructor(pod: Pod, life: 'wanted' | 'orphan', deps: PodWorkerDeps) {
    this.uid = pod.metadata.uid ?? '';
    this.#life = life;
    this.#deps = deps;
    this.#look = new PodLook(this.uid, deps);
    this.#volumeRefresh = new VolumeRefresh({ ...deps, maxRetryMs: resyncMs });
    this.#desired = pod;
    const record: ConstructorParameters<typeof PodResize>[3] = (...event) => deps.record(this.#desired, undefined, ...event);
    this.#resize = new PodResize(pod, deps.allocations, deps.clock, record);
    this.#pod = this.#resize.allocated(pod);
    this.#attempts = new Attempts(deps.clock);
    this.#startWatch = new StartWatch(pod, deps.metrics, deps.clock);
    this.#log = deps.log.child({ pod: `${pod.metadata.namespace}/${pod.metadata.name}`, uid: this.uid });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** What the runtime had at the last observation. */
  get observed(): RuntimePod | undefined {
    return this.#look.pod;
  }

  /** True while its containers count towards the node's resources. */
  get isActive(): boolean {
    return this.#state.at !== 'terminated' && this.#state.at !== 'gone';
  }

  get phase(): 'sync' | 'terminating' | 'terminated' {
    return this.isActive ? (this.#state.at === 'terminating' ? 'terminating' : 'sync') : 'terminated';
  }

  /** True while its object or manifest exists, even with a deletion timestamp. */
  get isWanted(): boolean {
    return this.#life === 'wanted';
  }

  /** True once its object or manifest is gone, or was when termination began. */
  get wasRemoved(): boolean {
    return this.#life === 'removed';
  }

  /** Takes a newer version of the pod's object. */
  update(pod: Pod): void {
    const before = this.#desiredState();
    const previous = this.#desired;
    this.#desired = pod;
    this.#pod = this.#resize.allocated(pod);
    const isAdopted = this.#life === 'orphan';
    // A manifest that is restored yields the same uid: termination is never undone, so that pod starts again once this one is gone.
    const isTooLate = isStaticPod(pod) && this.phase !== 'sync';
    if (isAdopted) this.#life = isTooLate ? 'removed' : 'wanted';
    // Most updates echo our own status writes and require nothing.
    if (!isAdopted && !needsSync(previous, pod)) return;
    this.#volumeRefresh.request();
    if (this.#syncKind === 'sync') this.#syncKind = 'update';
    this.#changeDesired(before);
  }

  /** The pending resize: set while requested and allocated resources differ. */
  get pendingResize(): Waiter | undefined {
    const wants =
      this.#desiredState().want === 'run' && this.isActive && this.#verdict === undefined && this.#resize.isRequested(this.#desired);
    return wants ? { pod: this.#desired, sinceMs: this.#resize.sinceMs } : undefined;
  }

  /** The node's answer to `pendingResize`; undefined: the resources are allocated. */
  answerResize(why: PendingResize | undefined): void {
    this.#resize.answer(this.#desired, why);
    this.#pod = this.#resize.allocated(this.#desired);
    if (why === undefined) this.#attempts.notBefore.delete(resizeStep);
    if (why === undefined) this.#volumeRefresh.request();
    this.#wakeup.set();
  }

  /** The object is gone from the API, possibly by force deletion. */
  remove(): void {
    const before = this.#desiredState();
    this.#life = 'removed';
    this.#changeDesired(before);
  }

  /** The kubelet does not admit the pod: it fails with this verdict. */
  reject(verdict: PodVerdict): void {
    this.#verdict ??= verdict;
    this.#wakeup.set();
  }

  /** The same for a running pod, within the verdict's grace period. The first verdict wins. */
  end(verdict: PodVerdict): void {
    const before = this.#desiredState();
    this.#verdict ??= verdict;
    this.#changeDesired(before);
  }

  /** True once no container runs and the pod's resources of the node are released. */
  get isCleared(): boolean {
    return !this.isActive && this.#isReleased;
  }

  /** Removes the dead containers of a terminated pod, under disk pressure. Resolves when they are removed; at once for other pods. */
  async dropEnded(): Promise<void> {
    if (this.#state.at !== 'terminated') return;
    this.#drop ??= Promise.withResolvers();
    this.#wakeup.set();
    await this.#drop.promise;
  }

  /** Triggers another iteration: something may have changed in the runtime. */
  wake(): void {
    this.#wakeup.set();
  }

  /** Refreshes the volumes: a ConfigMap or Secret that the pod refers to has changed. */
  refresh(): void {
    this.#volumeRefresh.request();
    this.#attempts.retryNow();
    this.#wakeup.set();
  }

  /** A probe's result changed: publishes the status at once, also in the middle of an iteration. */
  probed(): void {
    if (this.#look.hasLooked && this.isActive) this.#publish();
    this.#wakeup.set();
  }

  /** Works until the pod is gone. Aborting leaves its containers running. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let waitMs = 0;
    for (;;) {
      const woken = await this.#wakeup.wait(waitMs, clock, signal);
      const why = woken === 'due' && waitMs >= resyncMs ? 'routine' : 'reason';
      if (waitMs >= resyncMs) this.#volumeRefresh.requestIfDue(this.uid);
      const pass = new AbortController();
      const stop = (): void => pass.abort(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      this.#pass = pass;
      const [kind, startMs] = [this.#syncKind, clock.monotonicMs()];
      this.#syncKind = 'sync';
      try {
        const sleepMs = await this.#step(why, pass.signal);
        this.#failures.reset();
        if (sleepMs === 'gone') return;
        waitMs = sleepMs;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        waitMs = 0;
        // No retry here: steps follow from what runs, so the next iteration derives a failed one anew. Errors of an interrupted step
        // are expected.
        if (!pass.signal.aborted) {
          waitMs = this.#failures.next();
          this.#log.warn({ err: error, retryMs: waitMs }, 'pod sync failed');
        }
      } finally {
        this.#deps.metrics.synced(kind, clock.monotonicMs() - startMs);
        this.#pass = undefined;
        signal.removeEventListener('abort', stop);
      }
    }
  }

  /** One iteration. Returns the milliseconds until the next one if nothing changes. */
  async #step(why: 'reason' | 'routine', signal: AbortSignal): Promise<number | 'gone'> {
    const { steps, prober, clock } = this.#deps;
    await this.#look.take(why, this.#pod, signal);
    if (this.observed === undefined) this.#drop?.resolve();
    this.#judgeDeadline();
    prober.sync(this.#pod, this.observed, this.#isEnding());
    await this.#volumeRefresh.run(this.#pod, this.observed, this.#isPrepared && this.#state.at === 'running', signal);
    await this.#saveAllocation();

    const wasActive = this.isActive;
    const decision = this.#decide();
    this.#state = decision.state;
    const isResized = this.#resize.isDone(this.#pod, this.observed);
    if (isResized || (wasActive && !this.isActive)) this.#deps.onRoom?.();
    if (this.#state.at === 'gone') {
      await this.#finish(signal);
      return 'gone';
    }
    this.#announceWaiting(decision.waiting);
    this.#publish();
    if (decision.steps.length > 0) {
      const context = {
        pod: this.#pod,
        observed: this.observed,
        attempts: this.#attempts,
        stopping: this.#stopping,
        unstartable: this.#unstartable,
        actuated: this.#resize.actuated,
      };
      const outcome = await steps.run(decision.steps, context, signal);
      this.#isPrepared = outcome.isPrepared ?? this.#isPrepared;
      this.#isReleased = outcome.isReleased ?? this.#isReleased;
      if (outcome.resize !== undefined) this.#resize.acted(this.#pod, outcome.resize.error);
      return 0;
    }
    const wakeMs = [
      ...decision.waiting.map(({ untilMs }) => untilMs),
      decision.retryAtMs,
      this.#deadlineMs(),
      this.#volumeRefresh.retryAtMs,
    ].filter((one) => one !== undefined);
    return Math.max(1, Math.min(resyncMs, ...wakeMs.map((ms) => ms - clock.nowMs())));
  }

  #decide(): Decision {
    const { prober, clock } = this.#deps;
    const verdicts = prober.verdicts(this.#pod, this.observed);
    const view: View = {
      pod: this.#pod,
      observed: this.observed,
      unhealthy: verdicts.unhealthy,
      started: verdicts.started,
      unstartable: this.#unstartable,
      histories: new Map(),
      actuated: this.#resize.actuated,
      isPrepared: this.#isPrepared,
      notBefore: this.#attempts.notBefore,
      nowMs: clock.nowMs(),
      longestDelayMs: this.#deps.longestDelayMs,
      desired: this.#desiredState(),
      isComplete: this.#verdict !== undefined || isFinal(this.#status()),
      ...(this.#deps.keeps === undefined ? {} : { keeps: this.#deps.keeps }),
      dropsEnded: this.#drop !== undefined,
      isReleased: this.#isReleased,
    };
    return advance(this.#state, view);
  }

  /** Persists the allocation before anything is done with it. A pod that terminates needs none. */
  async #saveAllocation(): Promise<void> {
    if (!this.#isEnding()) await this.#deps.allocations.save(this.uid);
  }

  #desiredState(): DesiredState {
    return desiredStateOf(this.#pod, this.#life, this.#verdict);
  }

  /** Interrupts the step in progress if the pod is to terminate, or within a shorter grace period. */
  #changeDesired(before: DesiredState): void {
    const now = this.#desiredState();
    const isSooner = now.want === 'end' && (before.want === 'run' || now.graceMs < before.graceMs);
    if (isSooner) this.#pass?.abort(new DOMException('the pod is to terminate', 'AbortError'));
    this.#wakeup.set();
  }

  #isEnding(): boolean {
    return this.#desiredState().want === 'end' || this.#state.at === 'terminating' || !this.isActive;
  }

  /** activeDeadlineSeconds, counted from the pod's start on this node. */
  #deadlineMs(): number | undefined {
    const { activeDeadlineSeconds } = this.#pod.spec;
    const { startTime } = this.#deps.statuses.statusOf(this.#pod);
    if (activeDeadlineSeconds === undefined || startTime === undefined || this.#state.at !== 'running') return undefined;
    return Date.parse(startTime) + activeDeadlineSeconds * 1_000;
  }

  #judgeDeadline(): void {
    const deadlineMs = this.#deadlineMs();
    if (deadlineMs === undefined || this.#verdict !== undefined || this.#deps.clock.nowMs() < deadlineMs) return;
    this.#verdict = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
    this.#deps.record(this.#pod, undefined, 'Normal', this.#verdict.reason, this.#verdict.message);
  }

  #announceWaiting(waiting: readonly Waiting[]): void {
    const where = `${this.#pod.metadata.name}_${this.#pod.metadata.namespace}(${this.uid})`;
    this.#attempts.waitToStart(waiting, where, (name, message) => this.#deps.record(this.#pod, name, 'Warning', 'BackOff', message));
  }

  #status(): V1PodStatus {
    const { statuses, prober, clock, hostIps, runtimeName } = this.#deps;
    const verdicts = prober.verdicts(this.#pod, this.observed);
    const view: StatusView = {
      pod: this.#pod,
      observed: this.observed,
      reasons: this.#attempts.reasons,
      messages: this.#look.messages,
      started: verdicts.started,
      ready: verdicts.ready,
      isEnding: this.#isEnding(),
      isTerminated: !this.isActive,
      runtimeName,
      previous: statuses.statusOf(this.#pod),
      hostIps: hostIps(),
      verdict: this.#verdict,
      resize: this.#isEnding() ? undefined : this.#resize.view,
      nowMs: clock.nowMs(),
    };
    return podStatus(view);
  }

  #publish(): void {
    if (this.#life !== 'wanted') return;
    const status = this.#status();
    this.#deps.statuses.set(this.#pod, status);
    this.#startWatch.see(this.#pod, status);
  }

  /** Nothing is left in the runtime: cleans up the disk, then lets the object be deleted. */
  async #finish(signal: AbortSignal): Promise<void> {
    const { volumes, prober, statuses, allocations, metrics } = this.#deps;
    // A kubelet that is killed here finds the pod again by its volumes' folder, so that is removed last.
    await removeLogFolders(this.uid);
    allocations.forget(this.uid);
    await volumes.forget(this.uid, signal);
    prober.forget(this.uid);
    metrics.forget(this.uid);
    if (this.#life === 'wanted') statuses.finish(this.#pod);
  }
}
