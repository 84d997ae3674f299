// One worker per pod: for those that are bound to this node, and for orphans that only the runtime or the disk still knows. Changes from
// the informer, runtime events, probe results and changed references only wake the worker, which observes the pod itself.
// INVARIANT: at most one worker per uid. A uid that is done stays in `#done` until its object is gone, so the pod never starts again; the
// exception is a static pod whose manifest was removed and restored.
// Some pods start later: a static pod once its predecessor of the same name has terminated, a critical pod once its victims have.
import { isCriticalPod } from '#api/core/pod/critical.ts';
import { configSourceAnnotation, isStaticPod } from '#api/core/pod/mirror.ts';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { aborted, isAbort, type Service } from '#base/lifecycle.ts';
import { judgePressureAdmission } from '../eviction/admission.ts';
import type { PressureCondition } from '../eviction/signals.ts';
import type { Change } from '#client/informer.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { RuntimePodSummary } from '../runtime/contract.ts';
import type { ReferencedObjects } from '../volumes/objects.ts';
import { type AdmissionSettings, judgeAdmission, lacksOf, type Rejection } from './admission.ts';
import { fullNameOf } from './full-name.ts';
import type { NodePods } from './node-pods.ts';
import { PodWorker, type PodWorkerDeps } from './pod-worker.ts';
import { planPreemption } from './preemption.ts';
import { allocationOf, compareWaiting, judgeResize } from './resize/allocation.ts';
import { isFinal } from './status/pod-status.ts';

interface PodWorkersDeps extends PodWorkerDeps {
  readonly pods: NodePods;
  readonly objects: ReferencedObjects;
  readonly images: Pick<ImagePuller, 'forgetPod'>;
  /** This kubelet's Node object; undefined before the informer has it. */
  readonly node: () => Node | undefined;
  readonly admission?: AdmissionSettings;
  /** True while the machine shuts down: pods are no longer admitted. */
  readonly isShuttingDown?: () => boolean;
  /** The node's pressure conditions that hold now. */
  readonly pressure: () => readonly PressureCondition[];
  /** Called when the set of served pods has changed. */
  readonly onServed?: () => void;
}

/** The verdict of admission; `waiting`: to be repeated once the victims of the preemption have terminated. */
type Judgement = { readonly is: 'taken' } | { readonly is: 'refused'; readonly why: Rejection } | { readonly is: 'waiting' };

const preempted = 'Preempted in order to admit critical pod';

const shuttingDown = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
/** How long `dropEnded` waits for containers to be removed. */
const dropMs = 30_000;

/** Runs the workers of all pods of this node. */
export class PodWorkers implements Service {
  readonly name = 'pod workers';
  readonly #deps: PodWorkersDeps;
  readonly #workerDeps: PodWorkerDeps;
  readonly #workers = new Map<string, PodWorker>();
  readonly #runs = new Set<Promise<void>>();
  readonly #done = new Set<string>();
  /** Pods that start later. */
  readonly #later = new Map<string, Pod>();
  /** Victims of the preemption by a pod, by its uid. */
  readonly #victims = new Map<string, readonly PodWorker[]>();
  #signal: AbortSignal | undefined;

  constructor(deps: PodWorkersDeps) {
    this.#deps = deps;
    this.#workerDeps = { ...deps, onRoom: () => this.#onRoom() };
    deps.prober.onResult((uid) => this.#workers.get(uid)?.probed());
    deps.objects.onChange((uid) => this.#workers.get(uid)?.refresh());
  }

  list(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  /** The runtime reports a change of this pod. */
  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  /** Takes what the runtime knows: pods without an object are terminated. */
  adoptOrphans(known: readonly RuntimePodSummary[]): void {
    if (!this.#deps.pods.hasSynced) return;
    this.retryResizes();
    for (const { pod, containers } of known) {
      if (this.#workers.has(pod.uid)) continue;
      const names = [...new Set(containers.map(({ name }) => name))];
      this.#startOrphan(pod.uid, pod.name, pod.namespace, names);
    }
  }

  /** Judges every pending resize again, in order of priority. */
  retryResizes(): void {
    const node = this.#deps.node();
    if (node === undefined) return;
    const waiting = this.list().flatMap((worker) => {
      const waiter = worker.pendingResize;
      return waiter === undefined ? [] : [{ ...waiter, worker }];
    });
    for (const { pod, worker } of waiting.toSorted(compareWaiting)) worker.answerResize(judgeResize(pod, node, this.#othersThan(pod)));
  }

  /** Removes the containers of all terminated pods whose objects still exist. */
  async dropEnded(signal: AbortSignal): Promise<void> {
    using deadline = this.#deps.clock.deadline(signal, dropMs);
    await Promise.race([Promise.all(this.list().map((worker) => worker.dropEnded())), aborted(deadline.signal)]);
  }

  /** Static pods that have a worker. */
  servedStatics(): readonly Pod[] {
    return this.#deps.pods.statics().filter(({ metadata }) => this.#workers.has(metadata.uid ?? ''));
  }

  /** Full names of all static pods that run or are to run. */
  staticNames(): ReadonlySet<string> {
    const ending = this.list().filter(({ pod }) => isStaticPod(pod));
    return new Set([...ending.map(({ pod }) => pod), ...this.#deps.pods.statics()].map(fullNameOf));
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#signal = signal;
    const { pods, volumes, allocations, log } = this.#deps;
    const onDisk = await volumes.podsOnDisk();
    await allocations.load(onDisk);
    await this.#endFormerStatics(signal);
    const unsubscribe = pods.subscribe((change) => this.#onChange(change));
    log.info({ pods: this.#workers.size }, 'serving pods');
    ready();
    await Promise.race([pods.synced, aborted(signal)]);
    // Before everything is known that should run, nothing is ended.
    for (const uid of onDisk) if (!this.#workers.has(uid)) this.#startOrphan(uid, uid, '', []);
    await aborted(signal);
    unsubscribe();
    await Promise.all(this.#runs);
  }

  #onChange({ type, object }: Change<Pod>): void {
    const uid = object.metadata.uid ?? '';
    const { statuses } = this.#deps;
    const worker = this.#workers.get(uid);
    if (type === 'removed') {
      statuses.forget(uid);
      this.#done.delete(uid);
      this.#later.delete(uid);
      worker?.remove();
      return;
    }
    statuses.observe(object);
    if (worker !== undefined) worker.update(object);
    else if (!this.#done.has(uid)) this.#begin(object);
    if (this.#workers.get(uid)?.pendingResize !== undefined) this.retryResizes();
  }

  #begin(pod: Pod): void {
    const { allocations } = this.#deps;
    const uid = pod.metadata.uid ?? '';
    const judgement: Judgement = this.#hasPredecessor(pod) ? { is: 'waiting' } : this.#judge(pod);
    if (judgement.is === 'waiting') {
      this.#later.set(uid, pod);
      return;
    }
    this.#later.delete(uid);
    this.#victims.delete(uid);
    if (judgement.is === 'taken' && !isFinal(pod.status) && allocations.get(uid) === undefined) allocations.set(uid, allocationOf(pod));
    const worker = new PodWorker(pod, 'wanted', this.#workerDeps);
    if (judgement.is === 'refused') {
      const { reason, message } = judgement.why;
      this.#deps.metrics.refused(reason);
      this.#deps.record(pod, undefined, 'Warning', reason, message);
      worker.reject({ reason, message: `Pod was rejected: ${message}` });
    }
    this.#start(worker);
  }

  /** True while another static pod of the same name is served: what a manifest said before ends first. */
  #hasPredecessor(pod: Pod): boolean {
    if (!isStaticPod(pod)) return false;
    const name = fullNameOf(pod);
    return this.list().some((worker) => isStaticPod(worker.pod) && fullNameOf(worker.pod) === name);
  }

  /** Pods that were taken before are not judged again, nor those that are over. */
  #judge(pod: Pod): Judgement {
    const { node: ourNode, pressure, isShuttingDown, admission } = this.#deps;
    const node = ourNode();
    const wasTaken = pod.status?.startTime !== undefined || pod.metadata.deletionTimestamp !== undefined;
    if (node === undefined || wasTaken || isFinal(pod.status)) return { is: 'taken' };
    const others = this.#othersThan(pod);
    const hasWay = isCriticalPod(pod);
    if (isShuttingDown?.() === true) return { is: 'refused', why: shuttingDown };
    const why = judgePressureAdmission(pod, pressure()) ?? judgeAdmission(pod, node, others, admission, hasWay);
    if (why !== undefined) return { is: 'refused', why };
    return hasWay ? this.#makeWay(pod, node, others) : { is: 'taken' };
  }

  /** A critical pod is taken when there is room; until then, others end for it. */
  #makeWay(pod: Pod, node: Node, others: readonly Pod[]): Judgement {
    const { record, log } = this.#deps;
    const uid = pod.metadata.uid ?? '';
    if ((this.#victims.get(uid) ?? []).some(({ isActive }) => isActive)) return { is: 'waiting' };
    const lacks = lacksOf(pod, node, others);
    if (lacks.length === 0) return { is: 'taken' };
    const plan = planPreemption(pod, lacks, others);
    if ('problem' in plan) {
      const message = `Unexpected error while attempting to recover from admission failure: ${plan.problem}`;
      return { is: 'refused', why: { reason: 'UnexpectedAdmissionError', message } };
    }
    const victims = plan.victims.flatMap(({ metadata }) => this.#workers.get(metadata.uid ?? '') ?? []);
    this.#victims.set(uid, victims);
    if (victims.length > 0) for (const { resource } of lacks) this.#deps.metrics.preempted(resource);
    for (const victim of victims) {
      log.info({ uid: victim.uid, pod: victim.pod.metadata.name, for: pod.metadata.name }, 'ending a pod to make room for a critical one');
      record(victim.pod, undefined, 'Warning', 'Preempting', preempted);
      victim.end({
        reason: 'Preempting',
        message: preempted,
        graceMs: (victim.pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000,
        disruption: 'Pod was preempted by Kubelet to accommodate a critical pod.',
      });
    }
    return { is: 'waiting' };
  }

  /** Something of the node became free. */
  #onRoom(): void {
    for (const pod of this.#later.values()) this.#begin(pod);
    this.retryResizes();
  }

  /**
   * The pods beside this one that are to have resources now: as upstream, not those that were deleted by force and are still ending, and not
   * those that were over before this kubelet knew of them.
   */
  #othersThan({ metadata: { uid } }: Pod): Pod[] {
    const isOver = ({ pod, phase }: PodWorker): boolean => isFinal(pod.status) && phase !== 'terminating';
    return this.list()
      .filter((worker) => worker.isActive && worker.isWanted && worker.uid !== uid && !isOver(worker))
      .map((worker) => worker.pod);
  }

  /** What a manifest said before it was changed behind our back must end before what it says now begins, API server or not. */
  async #endFormerStatics(signal: AbortSignal): Promise<void> {
    const { runtime, pods, log } = this.#deps;
    const wanted = new Set(pods.statics().map(({ metadata }) => metadata.uid));
    const names = new Set(pods.statics().map(fullNameOf));
    if (names.size === 0) return;
    const known = await runtime.pods(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn({ err: error }, 'could not look for pods of manifests that were changed');
      return [];
    });
    for (const { pod, sandboxes, containers } of known) {
      const source = sandboxes[0]?.annotations[configSourceAnnotation];
      if (source === undefined || wanted.has(pod.uid) || !names.has(fullNameOf({ metadata: pod }))) continue;
      this.#startOrphan(pod.uid, pod.name, pod.namespace, [...new Set(containers.map(({ name }) => name))], source);
    }
  }

  /** `source`: set for one that the node ran by itself. */
  #startOrphan(uid: string, name: string, namespace: string, containers: readonly string[], source?: string): void {
    this.#deps.log.info({ uid, pod: `${namespace}/${name}` }, 'terminating an orphaned pod');
    const annotations = source === undefined ? {} : { annotations: { [configSourceAnnotation]: source } };
    const pod: Pod = { metadata: { uid, name, namespace, ...annotations }, spec: { containers: containers.map((one) => ({ name: one })) } };
    this.#start(new PodWorker(pod, 'orphan', this.#workerDeps));
  }

  #start(worker: PodWorker): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    this.#workers.set(worker.uid, worker);
    this.#deps.onServed?.();
    const run = worker
      .run(signal)
      .then(() => this.#onEnd(worker))
      .catch((error: unknown) => {
        if (!isAbort(error, signal)) this.#deps.log.error({ err: error, uid: worker.uid }, 'a pod worker ended');
      })
      .finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  #onEnd(worker: PodWorker): void {
    const { pods, images, onServed } = this.#deps;
    this.#workers.delete(worker.uid);
    images.forgetPod(worker.uid);
    const again = worker.wasRemoved ? pods.statics().find(({ metadata }) => metadata.uid === worker.uid) : undefined;
    if (again !== undefined) this.#begin(again);
    else if (pods.has(worker.pod)) this.#done.add(worker.uid);
    this.#onRoom();
    onServed?.();
  }
}
