// One worker for each pod: those that the API binds to this node, and those that only the runtime or the disk still knows. The
// informer's changes, runtime events, probe results and changed references only tell the worker; it looks for itself.
// INVARIANT: at most one worker per uid. A uid that is done stays in `#done` until its object is gone, so it never begins again.
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { aborted, isAbort, type Service } from '#base/lifecycle.ts';
import { judgePressureAdmission } from '../eviction/admission.ts';
import type { PressureCondition } from '../eviction/signals.ts';
import type { Change, Informer } from '#client/informer.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { RuntimePodSummary } from '../runtime/contract.ts';
import type { ReferencedObjects } from '../volumes/objects.ts';
import { type AdmissionSettings, judgeAdmission } from './admission.ts';
import { PodWorker, type PodWorkerDeps } from './pod-worker.ts';
import { allocationOf, compareWaiting, judgeResize } from './resize/allocation.ts';
import { isFinal } from './status/pod-status.ts';

export interface PodWorkersDeps extends PodWorkerDeps {
  /** Pods with spec.nodeName of this node. */
  readonly pods: Informer<Pod>;
  readonly objects: ReferencedObjects;
  readonly images: Pick<ImagePuller, 'forgetPod'>;
  /** Our own node as it stands; undefined before it is known. */
  readonly node: () => Node | undefined;
  readonly admission?: AdmissionSettings;
  /** What the node runs out of. */
  readonly pressure: () => readonly PressureCondition[];
}

/** How long it is waited for containers to be removed. */
const dropMs = 30_000;

/** Runs the workers of all pods of this node. */
export class PodWorkers implements Service {
  readonly name = 'pod workers';
  readonly #deps: PodWorkersDeps;
  readonly #workerDeps: PodWorkerDeps;
  readonly #workers = new Map<string, PodWorker>();
  readonly #runs = new Set<Promise<void>>();
  readonly #done = new Set<string>();
  #signal: AbortSignal | undefined;

  constructor(deps: PodWorkersDeps) {
    this.#deps = deps;
    this.#workerDeps = { ...deps, onRoom: () => this.retryResizes() };
    deps.prober.onResult((uid) => this.#workers.get(uid)?.probed());
    deps.objects.onChange((uid) => this.#workers.get(uid)?.refresh());
  }

  /** Every worker there is. */
  list(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  /** The runtime says that something about this pod changed. */
  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  /** All that the runtime knows: what no object asks for must end. */
  adoptOrphans(known: readonly RuntimePodSummary[]): void {
    if (!this.#deps.pods.hasSynced) return;
    this.retryResizes();
    for (const { pod, containers } of known) {
      if (this.#workers.has(pod.uid)) continue;
      const names = [...new Set(containers.map(({ name }) => name))];
      this.#startOrphan(pod.uid, pod.name, pod.namespace, names);
    }
  }

  /** Asks anew for every pod that wants other resources than it has, in the order in which they come to their turn. */
  retryResizes(): void {
    const node = this.#deps.node();
    if (node === undefined) return;
    const waiting = this.list().flatMap((worker) => {
      const wish = worker.resizeWish;
      return wish === undefined ? [] : [{ ...wish, worker }];
    });
    for (const { pod, worker } of waiting.toSorted(compareWaiting)) worker.answerResize(judgeResize(pod, node, this.#othersThan(pod)));
  }

  /** Removes the containers of all pods that are over, whose objects are still there. */
  async dropEnded(signal: AbortSignal): Promise<void> {
    using deadline = this.#deps.clock.deadline(signal, dropMs);
    await Promise.race([Promise.all(this.list().map((worker) => worker.dropEnded())), aborted(deadline.signal)]);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#signal = signal;
    const { pods, volumes, allocations, log } = this.#deps;
    const onDisk = await volumes.podsOnDisk();
    await allocations.load(onDisk);
    const unsubscribe = pods.subscribe((change) => this.#onChange(change));
    for (const uid of onDisk) if (!this.#workers.has(uid)) this.#startOrphan(uid, uid, '', []);
    log.info({ pods: this.#workers.size }, 'serving pods');
    ready();
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
      worker?.remove();
      return;
    }
    statuses.observe(object);
    if (worker !== undefined) worker.update(object);
    else if (!this.#done.has(uid)) this.#begin(object);
    if (this.#workers.get(uid)?.resizeWish !== undefined) this.retryResizes();
  }

  #begin(pod: Pod): void {
    const rejection = this.#judge(pod);
    const { allocations } = this.#deps;
    const uid = pod.metadata.uid ?? '';
    if (rejection === undefined && !isFinal(pod.status) && allocations.get(uid) === undefined) allocations.set(uid, allocationOf(pod));
    const worker = new PodWorker(pod, 'wanted', this.#workerDeps);
    if (rejection !== undefined) {
      const message = `Pod was rejected: ${rejection.message}`;
      this.#deps.record(pod, undefined, 'Warning', rejection.reason, rejection.message);
      worker.reject({ reason: rejection.reason, message });
    }
    this.#start(worker);
  }

  /** Pods that were taken before are not judged again, nor those that are over. */
  #judge(pod: Pod): { reason: string; message: string } | undefined {
    const node = this.#deps.node();
    const wasTaken = pod.status?.startTime !== undefined || pod.metadata.deletionTimestamp !== undefined;
    if (node === undefined || wasTaken || isFinal(pod.status)) return undefined;
    return judgePressureAdmission(pod, this.#deps.pressure()) ?? judgeAdmission(pod, node, this.#othersThan(pod), this.#deps.admission);
  }

  /** The pods beside this one that take resources now. */
  #othersThan({ metadata: { uid } }: Pod): Pod[] {
    return this.list()
      .filter((worker) => worker.isActive && worker.uid !== uid)
      .map((worker) => worker.pod);
  }

  #startOrphan(uid: string, name: string, namespace: string, containers: readonly string[]): void {
    this.#deps.log.info({ uid, pod: `${namespace}/${name}` }, 'nobody asks for this pod any more, ending it');
    const pod: Pod = { metadata: { uid, name, namespace }, spec: { containers: containers.map((one) => ({ name: one })) } };
    this.#start(new PodWorker(pod, 'orphan', this.#workerDeps));
  }

  #start(worker: PodWorker): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    this.#workers.set(worker.uid, worker);
    const run = worker
      .run(signal)
      .then(() => {
        this.#workers.delete(worker.uid);
        this.#deps.images.forgetPod(worker.uid);
        this.retryResizes();
        if (
          this.#deps.pods.get({ namespace: worker.pod.metadata.namespace, name: worker.pod.metadata.name ?? '' })?.metadata.uid ===
          worker.uid
        ) {
          this.#done.add(worker.uid);
        }
      })
      .catch((error: unknown) => {
        if (!isAbort(error, signal)) this.#deps.log.error({ err: error, uid: worker.uid }, 'a pod worker ended');
      })
      .finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }
}
