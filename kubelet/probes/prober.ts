// Probes of all running containers. Each probe of each container instance has one loop of its own, which starts when the container
// is first seen running and ends when it is not any more; a new instance begins anew. The pod's worker says what runs (`sync`) and
// asks for the results (`verdicts`); a result that changed wakes the worker. Nothing else is shared between the loops.
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1ContainerStatus, V1Probe } from '#api/generated/types.ts';
import { HistogramCell, type Sample } from '#base/metric-cells.ts';
import { aborted, isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { check, type CheckDeps, type ProbeOutcome } from './check.ts';
import { count, emptyTally } from './tally.ts';

type ProbeKind = 'readiness' | 'liveness' | 'startup';

/** Ids of running containers, by what their probes say. A probe that is absent has passed. */
interface Verdicts {
  readonly started: ReadonlySet<string>;
  readonly ready: ReadonlySet<string>;
  readonly unhealthy: ReadonlyMap<string, 'liveness' | 'startup'>;
}

/** As metrics name it. */
type ProbeEnd = 'successful' | 'failed' | 'unknown';

interface ProberDeps extends CheckDeps {
  readonly log: Log;
  /** An event about a container. */
  readonly record: (pod: Pod, container: string, type: 'Normal' | 'Warning', reason: string, message: string) => void;
  /** For pods on the host's network. */
  readonly hostIp: () => string;
  /** Numbers in [0, 1); default Math.random. */
  readonly random?: () => number;
}

interface Instance {
  pod: Pod;
  podIp: string;
  readonly container: V1Container;
  readonly status: ContainerStatus;
  readonly results: Map<ProbeKind, 'success' | 'failure'>;
  /** How often each ended how. */
  readonly ends: Map<ProbeKind, Record<ProbeEnd, number>>;
  readonly took: Map<ProbeKind, HistogramCell>;
  readonly stops: Map<ProbeKind, AbortController>;
  /** Resolves when the startup probe passes: the others wait for it. */
  readonly begun: PromiseWithResolvers<void>;
}

const kinds: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];
const maxTries = 3;
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const words: Readonly<Record<ProbeKind, string>> = { readiness: 'Readiness', liveness: 'Liveness', startup: 'Startup' };

/** Runs probes while it runs. */
export class Prober implements Service {
  readonly name = 'prober';
  readonly #deps: ProberDeps;
  /** By pod uid, then container id. */
  readonly #pods = new Map<string, Map<string, Instance>>();
  readonly #loops = new Set<Promise<void>>();
  readonly #startMs: number;
  #signal: AbortSignal | undefined;
  #onResult: (podUid: string) => void = () => undefined;

  constructor(deps: ProberDeps) {
    this.#deps = deps;
    this.#startMs = deps.clock.monotonicMs();
  }

  /** Called when a probe result of a pod changed. */
  onResult(listener: (podUid: string) => void): void {
    this.#onResult = listener;
  }

  /** Starts the probes of the pod's running containers and stops all others. In a pod that terminates only readiness is probed. */
  sync(pod: Pod, observed: RuntimePod | undefined, isEnding: boolean): void {
    const uid = pod.metadata.uid ?? '';
    const known = this.#pods.get(uid) ?? new Map<string, Instance>();
    const running = (observed?.containers ?? []).filter(({ state }) => state === 'running');
    for (const [id, instance] of known) {
      if (running.some((one) => one.id === id)) continue;
      stopAll(instance, kinds);
      known.delete(id);
    }
    const podIp = pod.spec.hostNetwork === true ? this.#deps.hostIp() : (observed?.sandboxes[0]?.ips[0] ?? '');
    for (const status of running) {
      const instance = known.get(status.id) ?? this.#begin(pod, status, podIp);
      if (instance === undefined) continue;
      instance.pod = pod;
      instance.podIp = podIp;
      known.set(status.id, instance);
      if (isEnding) stopAll(instance, ['liveness', 'startup']);
    }
    if (known.size > 0) this.#pods.set(uid, known);
    else this.#pods.delete(uid);
  }

  verdicts(pod: Pod, observed: RuntimePod | undefined): Verdicts {
    const instances = this.#pods.get(pod.metadata.uid ?? '');
    const started = new Set<string>();
    const ready = new Set<string>();
    const unhealthy = new Map<string, 'liveness' | 'startup'>();
    for (const { id, state } of observed?.containers ?? []) {
      if (state !== 'running') continue;
      const instance = instances?.get(id);
      const passed = (kind: ProbeKind): boolean =>
        probeOf(instance?.container, kind) === undefined || instance?.results.get(kind) === 'success';
      if (passed('startup')) started.add(id);
      if (passed('readiness')) ready.add(id);
      for (const kind of ['liveness', 'startup'] as const) if (instance?.results.get(kind) === 'failure') unhealthy.set(id, kind);
    }
    return { started, ready, unhealthy };
  }

  /** Probe durations of running containers: container, namespace, pod and kind, in seconds. */
  *durations(): Iterable<readonly [values: readonly string[], cell: HistogramCell]> {
    for (const instances of this.#pods.values()) {
      for (const { pod, container, took } of instances.values()) {
        const { name = '', namespace = '' } = pod.metadata;
        for (const [kind, cell] of took) yield [[container.name, namespace, name, words[kind]], cell];
      }
    }
  }

  /** Probe results of running containers: container, namespace, pod, uid, kind and result, with their count. */
  *samples(): Iterable<Sample> {
    for (const [uid, instances] of this.#pods) {
      for (const { pod, container, ends } of instances.values()) {
        const { name = '', namespace = '' } = pod.metadata;
        const counts = [...ends].flatMap(([kind, counted]) => Object.entries(counted).map(([end, number]) => ({ kind, end, number })));
        for (const { kind, end, number } of counts) {
          if (number > 0) yield [[container.name, namespace, name, uid, words[kind], end], number];
        }
      }
    }
  }

  forget(podUid: string): void {
    for (const instance of this.#pods.get(podUid)?.values() ?? []) stopAll(instance, kinds);
    this.#pods.delete(podUid);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#signal = signal;
    ready();
    await aborted(signal);
    for (const uid of this.#pods.keys()) this.forget(uid);
    await Promise.all(this.#loops);
  }

  #begin(pod: Pod, status: ContainerStatus, podIp: string): Instance | undefined {
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const container = containers.find(({ name }) => name === status.name);
    if (container === undefined || this.#signal === undefined || this.#signal.aborted) return undefined;
    const instance: Instance = {
      pod,
      podIp,
      container,
      status,
      results: new Map(),
      ends: new Map(),
      took: new Map(),
      stops: new Map(),
      begun: Promise.withResolvers(),
    };
    const remembered = rememberedHealth(pod, status);
    if (remembered?.started === true) instance.results.set('startup', 'success');
    if (remembered?.ready === true) instance.results.set('readiness', 'success');
    for (const kind of kinds) {
      const probe = probeOf(container, kind);
      if (probe === undefined || (kind === 'startup' && instance.results.get(kind) === 'success')) continue;
      this.#launch(instance, kind, probe);
    }
    return instance;
  }

  #launch(instance: Instance, kind: ProbeKind, probe: V1Probe): void {
    const stop = new AbortController();
    instance.stops.set(kind, stop);
    const loop = this.#loop(instance, kind, probe, stop.signal)
      .catch((error: unknown) => {
        if (!isAbort(error, stop.signal)) this.#deps.log.error({ err: error, container: instance.container.name }, 'a probe loop failed');
      })
      .finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  async #loop(instance: Instance, kind: ProbeKind, probe: V1Probe, signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#deps;
    const periodMs = (probe.periodSeconds ?? 10) * 1_000;
    // After a restart of the kubelet all containers are seen at once: spread their probes.
    const isOld = clock.nowMs() - (instance.status.startedAtMs ?? 0) > periodMs;
    if (isOld && clock.monotonicMs() - this.#startMs < periodMs) await clock.sleep(random() * periodMs, signal);
    const dueMs = (instance.status.startedAtMs ?? clock.nowMs()) + (probe.initialDelaySeconds ?? 0) * 1_000;
    if (dueMs > clock.nowMs()) await clock.sleep(dueMs - clock.nowMs(), signal);
    let tally = emptyTally;
    for (;;) {
      if (kind === 'startup' || isStarted(instance)) {
        const startMs = clock.monotonicMs();
        const result = await this.#probe(instance, kind, probe, signal);
        if (result !== undefined) {
          const counted = count(tally, result, probe);
          tally = counted.tally;
          if (counted.verdict !== undefined) this.#settle(instance, kind, counted.verdict);
          // The startup probe is done once it passed; a container that failed for good is replaced.
          if (counted.verdict !== undefined && (kind === 'startup' || (kind === 'liveness' && counted.verdict === 'failure'))) return;
        }
        await clock.sleep(Math.max(0, periodMs - (clock.monotonicMs() - startMs)), signal);
      } else {
        await Promise.race([instance.begun.promise, aborted(signal)]);
        signal.throwIfAborted();
      }
    }
  }

  #settle(instance: Instance, kind: ProbeKind, verdict: 'success' | 'failure'): void {
    if (instance.results.get(kind) === verdict) return;
    instance.results.set(kind, verdict);
    if (kind === 'startup' && verdict === 'success') instance.begun.resolve();
    this.#onResult(instance.pod.metadata.uid ?? '');
  }

  #count({ ends }: Instance, kind: ProbeKind, end: ProbeEnd): void {
    const counted = ends.get(kind) ?? { successful: 0, failed: 0, unknown: 0 };
    counted[end]++;
    ends.set(kind, counted);
  }

  #time({ took }: Instance, kind: ProbeKind, ms: number): void {
    const cell = took.get(kind) ?? new HistogramCell(secondsBuckets);
    took.set(kind, cell);
    cell.observe(ms / 1_000);
  }

  /** Undefined when the probe could not be carried out. */
  async #probe(instance: Instance, kind: ProbeKind, probe: V1Probe, signal: AbortSignal): Promise<'success' | 'failure' | undefined> {
    const { container, status, podIp, pod } = instance;
    let outcome: ProbeOutcome = { result: 'errored', output: '' };
    const startMs = this.#deps.clock.monotonicMs();
    for (let tries = 0; tries < maxTries && outcome.result === 'errored'; tries++) {
      outcome = await check(probe, { container, containerId: status.id, podIp }, this.#deps, signal);
    }
    signal.throwIfAborted();
    this.#time(instance, kind, this.#deps.clock.monotonicMs() - startMs);
    const { result, output } = outcome;
    this.#count(instance, kind, result === 'errored' ? 'unknown' : result === 'failure' ? 'failed' : 'successful');
    const say = (reason: string, message: string): void => this.#deps.record(pod, container.name, 'Warning', reason, message);
    if (result === 'errored') say('Unhealthy', `${words[kind]} probe errored and resulted in unknown state: ${output}`);
    if (result === 'failure') say('Unhealthy', `${words[kind]} probe failed: ${output}`);
    if (result === 'warning') say('ProbeWarning', `${words[kind]} probe warning: ${output}`);
    if (result === 'errored') return undefined;
    return result === 'failure' ? 'failure' : 'success';
  }
}

function isStarted(instance: Instance): boolean {
  return instance.container.startupProbe === undefined || instance.results.get('startup') === 'success';
}

function probeOf(container: V1Container | undefined, kind: ProbeKind): V1Probe | undefined {
  if (kind === 'readiness') return container?.readinessProbe;
  return kind === 'liveness' ? container?.livenessProbe : container?.startupProbe;
}

/** What an earlier kubelet said of this very container: it stays so until a probe says otherwise. */
function rememberedHealth(pod: Pod, status: ContainerStatus): V1ContainerStatus | undefined {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return all.find(({ containerID = '' }) => containerID.endsWith(`://${status.id}`));
}

function stopAll({ stops }: Instance, which: readonly ProbeKind[]): void {
  for (const kind of which) {
    stops.get(kind)?.abort(new Error('the container is probed no more'));
    stops.delete(kind);
  }
}
