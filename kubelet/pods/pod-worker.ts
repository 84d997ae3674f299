// Runs one pod until everything of it is removed. How it works:
// - Anything that may matter (a new object, a runtime event, a probe's result, the resync tick) only sets a flag; the loop then looks
//   at the whole pod, decides with `advance`, does the steps, and looks again until nothing is left to do.
// - Only the loop changes what runs. The status is recomputed whenever something is known, also while a long step is under way.
// - A wish that ends the pod, or ends it sooner, interrupts the step in progress; the next iteration starts from what runs then.
// INVARIANT: correctness needs no state in memory. A new worker adopts a running pod: what runs is read from the runtime, restart counts
// from its labels, and health from the status in the API until the first probe results arrive.
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
import { advance, type Decision, type KeptEnds, type PodState, type View, type Wish } from './advance.ts';
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
import { Wakeup } from './wakeup.ts';
import { asksForMore, type PodLife, type PodVerdict, wishOf } from './wish.ts';

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
  readonly told: PodMetrics;
  /** Which ended containers are kept. */
  readonly keeps?: KeptEnds;
  /** Called when a pod needs less of the node than before, or all that it was promised is its own. */
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
  /** Between tries to bring volumes up to date. */
  readonly #refreshes = new Backoff({ initialMs: 1_000, maxMs: resyncMs, jitter: 0.1 });
  readonly #look: PodLook;
  readonly #stopping = new Set<string>();
  readonly #unstartable = new Set<string>();
  readonly #resize: PodResize;
  readonly #startWatch: StartWatch;
  /** As the API has it. */
  #asked: Pod;
  /** The same with what the node has set aside for it, which is what the node runs. */
  #pod: Pod;
  #life: PodLife;
  #state: PodState = { at: 'waiting' };
  #verdict: PodVerdict | undefined;
  #isPrepared = false;
  #isReleased = false;
  #needsRefresh = false;
  /** When one that failed is tried again. */
  #refreshAgainMs = Infinity;
  #drop: PromiseWithResolvers<void> | undefined;
  #pass: AbortController | undefined;
  #syncKind: SyncKind = 'create';

  /** `orphan`: a pod that only the runtime knows. */
  constructor(pod: Pod, life: 'wanted' | 'orphan', deps: PodWorkerDeps) {
    this.uid = pod.metadata.uid ?? '';
    this.#life = life;
    this.#deps = deps;
    this.#look = new PodLook(this.uid, deps);
    this.#asked = pod;
    const say: ConstructorParameters<typeof PodResize>[3] = (...words) => deps.record(this.#asked, undefined, ...words);
    this.#resize = new PodResize(pod, deps.allocations, deps.clock, say);
    this.#pod = this.#resize.allocated(pod);
    this.#attempts = new Attempts(deps.clock);
    this.#startWatch = new StartWatch(pod, deps.told, deps.clock);
    this.#log = deps.log.child({ pod: `${pod.metadata.namespace}/${pod.metadata.name}`, uid: this.uid });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The last look at the runtime. */
  get observed(): RuntimePod | undefined {
    return this.#look.pod;
  }

  /** True while its containers take part of the node's resources. */
  get isActive(): boolean {
    return this.#state.at !== 'terminated' && this.#state.at !== 'gone';
  }

  get phase(): 'sync' | 'terminating' | 'terminated' {
    return this.isActive ? (this.#state.at === 'terminating' ? 'terminating' : 'sync') : 'terminated';
  }

  /** True while its object, or its manifest, is there, be it about to be deleted. */
  get isWanted(): boolean {
    return this.#life === 'wanted';
  }

  /** True once its object, or its manifest, is gone, or was when this began to end. */
  get wasRemoved(): boolean {
    return this.#life === 'removed';
  }

  /** A newer object. */
  update(pod: Pod): void {
    const before = this.#wish();
    const previous = this.#asked;
    this.#asked = pod;
    this.#pod = this.#resize.allocated(pod);
    const isAdopted = this.#life === 'orphan';
    // A manifest that comes back has its pod's uid again: what has begun to end is not taken back, its pod begins anew.
    const isTooLate = isStaticPod(pod) && this.phase !== 'sync';
    if (isAdopted) this.#life = isTooLate ? 'removed' : 'wanted';
    // Most updates are answers to our own statuses: nothing follows from those.
    if (!isAdopted && !asksForMore(previous, pod)) return;
    this.#needsRefresh = true;
    if (this.#syncKind === 'sync') this.#syncKind = 'update';
    this.#changeWish(before);
  }

  /** Set while the pod asks for other amounts than were set aside for it: what it asks for, and since when it waits. */
  get resizeWish(): Waiter | undefined {
    const wants = this.#wish().want === 'run' && this.isActive && this.#verdict === undefined && this.#resize.isAskedFor(this.#asked);
    return wants ? { pod: this.#asked, sinceMs: this.#resize.sinceMs } : undefined;
  }

  /** The node's answer to `resizeWish`; undefined: it was granted. */
  answerResize(why: PendingResize | undefined): void {
    this.#resize.answer(this.#asked, why);
    this.#pod = this.#resize.allocated(this.#asked);
    if (why === undefined) this.#attempts.notBefore.delete(resizeStep);
    this.#needsRefresh ||= why === undefined;
    this.#wakeup.set();
  }

  /** The object is gone from the API, maybe by force. */
  remove(): void {
    const before = this.#wish();
    this.#life = 'removed';
    this.#changeWish(before);
  }

  /** The kubelet does not want the pod here: it fails with these words. */
  reject(verdict: PodVerdict): void {
    this.#verdict ??= verdict;
    this.#wakeup.set();
  }

  /** The same for a pod that runs, and within the verdict's time. The first verdict stands. */
  end(verdict: PodVerdict): void {
    const before = this.#wish();
    this.#verdict ??= verdict;
    this.#changeWish(before);
  }

  /** Nothing of it runs any more, and what it had of the node is free. */
  get isCleared(): boolean {
    return !this.isActive && this.#isReleased;
  }

  /** For want of disk: once it is over, its dead containers go. Resolves when they have gone; at once where it is not over. */
  async dropEnded(): Promise<void> {
    if (this.#state.at !== 'terminated') return;
    this.#drop ??= Promise.withResolvers();
    this.#wakeup.set();
    await this.#drop.promise;
  }

  /** Something may have changed in the runtime. */
  wake(): void {
    this.#wakeup.set();
  }

  /** A ConfigMap or Secret that the pod refers to has changed. */
  refresh(): void {
    this.#needsRefresh = true;
    this.#attempts.retryNow();
    this.#wakeup.set();
  }

  /** A probe's result changed: say so at once, whatever the loop is doing. */
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
      if (waitMs >= resyncMs) this.#needsRefresh ||= this.#deps.volumes.isDue(this.uid);
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
        // No retry here: steps follow from what runs, so the next look derives a failed one anew. Whatever an interrupted step says
        // is of no interest either.
        if (!pass.signal.aborted) {
          waitMs = this.#failures.next();
          this.#log.warn({ err: error, retryMs: waitMs }, 'pod sync failed');
        }
      } finally {
        this.#deps.told.synced(kind, clock.monotonicMs() - startMs);
        this.#pass = undefined;
        signal.removeEventListener('abort', stop);
      }
    }
  }

  /** One look and what follows from it. Answers how long nothing need be done if nothing changes. */
  async #step(why: 'reason' | 'routine', signal: AbortSignal): Promise<number | 'gone'> {
    const { steps, prober, clock } = this.#deps;
    await this.#look.take(why, this.#pod, signal);
    if (this.observed === undefined) this.#drop?.resolve();
    this.#judgeDeadline();
    prober.sync(this.#pod, this.observed, this.#isEnding());
    await this.#refreshVolumes(signal);
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
        told: this.#resize.told,
      };
      const outcome = await steps.run(decision.steps, context, signal);
      this.#isPrepared = outcome.isPrepared ?? this.#isPrepared;
      this.#isReleased = outcome.isReleased ?? this.#isReleased;
      if (outcome.resize !== undefined) this.#resize.acted(this.#pod, outcome.resize.error);
      return 0;
    }
    const wakeMs = [...decision.waiting.map(({ untilMs }) => untilMs), decision.retryAtMs, this.#deadlineMs(), this.#refreshAgainMs].filter(
      (one) => one !== undefined,
    );
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
      told: this.#resize.told,
      isPrepared: this.#isPrepared,
      notBefore: this.#attempts.notBefore,
      nowMs: clock.nowMs(),
      wish: this.#wish(),
      isComplete: this.#verdict !== undefined || isFinal(this.#status()),
      ...(this.#deps.keeps === undefined ? {} : { keeps: this.#deps.keeps }),
      dropsEnded: this.#drop !== undefined,
      isReleased: this.#isReleased,
    };
    return advance(this.#state, view);
  }

  /** Before anything follows from it. What ends needs none any more. */
  async #saveAllocation(): Promise<void> {
    if (!this.#isEnding()) await this.#deps.allocations.save(this.uid);
  }

  #wish(): Wish {
    return wishOf(this.#pod, this.#life, this.#verdict);
  }

  /** Interrupts the step under way if the pod is to end, or to end sooner. */
  #changeWish(before: Wish): void {
    const now = this.#wish();
    const isSooner = now.want === 'end' && (before.want === 'run' || now.graceMs < before.graceMs);
    if (isSooner) this.#pass?.abort(new DOMException('the pod is to end', 'AbortError'));
    this.#wakeup.set();
  }

  #isEnding(): boolean {
    return this.#wish().want === 'end' || this.#state.at === 'terminating' || !this.isActive;
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

  /** Brings the files of ConfigMaps, Secrets, tokens and the downward API up to date in a pod that runs. */
  async #refreshVolumes(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const isWanted = this.#needsRefresh || clock.nowMs() >= this.#refreshAgainMs;
    const isRunning = this.#isPrepared && this.#state.at === 'running';
    if (isWanted || !isRunning) this.#refreshAgainMs = Infinity;
    if (!isWanted || !isRunning) return;
    this.#needsRefresh = false;
    const hostIps = this.#deps.hostIps();
    const podIps = this.#pod.spec.hostNetwork === true ? hostIps : (this.observed?.sandboxes[0]?.ips ?? []);
    try {
      await this.#deps.volumes.mount(this.#pod, { podIps, hostIps }, signal);
      this.#refreshes.reset();
    } catch (error) {
      this.#refreshAgainMs = clock.nowMs() + this.#refreshes.next();
      signal.throwIfAborted();
      // What was there stays; the pod runs on.
      this.#deps.record(this.#pod, undefined, 'Warning', 'FailedMount', error instanceof Error ? error.message : String(error));
    }
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

  /** Nothing is left in the runtime: the disk next, then the object. */
  async #finish(signal: AbortSignal): Promise<void> {
    const { volumes, prober, statuses, allocations, told } = this.#deps;
    // The folder of its volumes is what a kubelet that is killed here knows it by, so that goes last.
    await removeLogFolders(this.uid);
    allocations.forget(this.uid);
    await volumes.forget(this.uid, signal);
    prober.forget(this.uid);
    told.forget(this.uid);
    if (this.#life === 'wanted') statuses.finish(this.#pod);
  }
}
