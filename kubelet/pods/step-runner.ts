// Carries out the steps that advance.ts decides on: one function a kind of step, no rules. Stops that stand together run at the
// same time. A step that fails is noted in `attempts`, which the next plan respects.
import type { Pod } from '#api/core/pod/pod.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { Log } from '#base/log.ts';
import type { PodMetrics } from '../metrics/pod-metrics.ts';
import { isRuntimeError, RuntimeError, type RuntimePod } from '../runtime/contract.ts';
import { VolumeError } from '../volumes/pod-volumes.ts';
import type { PodStep } from './advance.ts';
import type { Attempts } from './attempts.ts';
import { type ContainerStarterDeps, type Recorder, startContainer, StartError } from './container-starter.ts';
import { stopContainer } from './container-stopper.ts';
import type { DnsSettings } from '../runtime/contract.ts';
import type { ClusterDns } from './network/dns.ts';
import type { RuntimeClasses } from './runtime-classes.ts';
import type { Cgroups } from './resources/cgroups.ts';
import { resizeStep } from './plan.ts';
import { memoryRefusal, podKey, podText } from './resize/actuation.ts';
import { sandboxSpec } from './sandbox-config.ts';

export interface StepRunnerDeps extends ContainerStarterDeps {
  readonly metrics: Pick<PodMetrics, 'sandbox' | 'container' | 'pulling'>;
  readonly cgroups: Cgroups;
  readonly runtimeClasses: RuntimeClasses;
  readonly cgroupRoot: string;
  readonly clusterDns: ClusterDns;
  /** The node's own resolv.conf, read anew when asked; undefined: it is not to have one. */
  readonly hostDns: () => Promise<DnsSettings | undefined>;
  readonly record: (pod: Pod, container: string | undefined, type: 'Normal' | 'Warning', reason: string, message: string) => void;
  /** An event of the node. */
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly log: Log;
}

interface StepContext {
  readonly pod: Pod;
  readonly observed: RuntimePod | undefined;
  readonly attempts: Attempts;
  /** Ids of containers that are stopping already: their event and preStop hook are not repeated. */
  readonly stopping: Set<string>;
  readonly unstartable: Set<string>;
  /** Resources that the runtime has already been given; see `resize/actuation.ts`. */
  readonly actuated: Map<string, string>;
}

/** What the worker must know about the steps that were done. */
interface StepOutcome {
  readonly isPrepared?: boolean;
  readonly isReleased?: boolean;
  /** Why running containers could not get other limits; undefined after they did. */
  readonly resize?: { readonly error: string | undefined };
}

type StepOf<K extends PodStep['do']> = Extract<PodStep, { do: K }>;

/** Does steps of one pod. Stateless: may be shared by all workers. */
export class StepRunner {
  readonly #deps: StepRunnerDeps;

  constructor(deps: StepRunnerDeps) {
    this.#deps = deps;
  }

  /** Does the steps in order and stops at the first that fails for the pod as a whole. Rejects when `signal` aborts. */
  async run(steps: readonly PodStep[], context: StepContext, signal: AbortSignal): Promise<StepOutcome> {
    let outcome: StepOutcome = {};
    for (let at = 0; at < steps.length; ) {
      const step = steps[at];
      if (step === undefined) break;
      if (step.do === 'stopContainer') {
        const group = steps.slice(at).filter((one, index, rest) => one.do === 'stopContainer' && rest.slice(0, index).every(isStop));
        await Promise.all(group.map((one) => this.#stop(one as StepOf<'stopContainer'>, context, signal)));
        at += group.length;
        continue;
      }
      const startMs = this.#deps.clock.monotonicMs();
      const done = await this.#one(step, context, signal);
      this.#deps.log.debug(
        { step: step.do, uid: context.pod.metadata.uid, ms: Math.round(this.#deps.clock.monotonicMs() - startMs) },
        'step done',
      );
      if (done === 'failed') break;
      outcome = { ...outcome, ...done };
      at++;
    }
    return outcome;
  }

  async #one(step: Exclude<PodStep, StepOf<'stopContainer'>>, context: StepContext, signal: AbortSignal): Promise<StepOutcome | 'failed'> {
    const { runtime } = this.#deps;
    switch (step.do) {
      case 'prepare':
        return await this.#prepare(context, signal);
      case 'createSandbox':
        return await this.#createSandbox(step, context, signal);
      case 'startContainer':
        return await this.#start(step, context, signal);
      case 'stopSandbox':
        await runtime.stopSandbox(step.id, signal).catch(ignoreMissing);
        return {};
      case 'removeSandbox':
        await runtime.removeSandbox(step.id, signal).catch(ignoreMissing);
        return {};
      case 'removeContainer':
        await runtime.removeContainer(step.id, signal).catch(ignoreMissing);
        return {};
      case 'resize':
        return await this.#resize(step, context, signal);
      case 'release':
        await this.#deps.volumes.release(context.pod.metadata.uid ?? '', signal);
        await this.#deps.cgroups.remove(context.pod.metadata.uid ?? '');
        return { isReleased: true, isPrepared: false };
    }
  }

  /** Less first, then the pod as a whole, then more: no part may ever be given more than the whole. */
  async #resize({ actuation }: StepOf<'resize'>, { pod, attempts, actuated }: StepContext, signal: AbortSignal): Promise<StepOutcome> {
    const { runtime, cgroups } = this.#deps;
    const { containers } = actuation;
    const update = async ({ id, wanted }: (typeof containers)[number]): Promise<void> => {
      await runtime.updateResources(id, wanted, signal);
      actuated.set(id, JSON.stringify(wanted));
    };
    try {
      const lowers = containers.some(({ lowersMemoryTo }) => lowersMemoryTo !== undefined);
      const refusal = lowers ? memoryRefusal(pod, containers, await runtime.usage(pod.metadata.uid ?? '', signal)) : undefined;
      if (refusal !== undefined) throw new RuntimeError('Refused', refusal);
      for (const change of containers.filter(({ isLess }) => isLess)) await update(change);
      await cgroups.resize(pod);
      actuated.set(podKey, podText(pod));
      for (const change of containers.filter(({ isLess }) => !isLess)) await update(change);
      attempts.succeed(resizeStep);
      return { resize: { error: undefined } };
    } catch (error) {
      signal.throwIfAborted();
      attempts.failResize();
      return { resize: { error: text(error) } };
    }
  }

  async #prepare({ pod, observed, attempts, actuated }: StepContext, signal: AbortSignal): Promise<StepOutcome | 'failed'> {
    const { volumes, cgroups, node, record } = this.#deps;
    const hostIps = node.hostIps();
    const podIps = pod.spec.hostNetwork === true ? hostIps : (observed?.sandboxes[0]?.ips ?? []);
    try {
      await cgroups.create(pod);
    } catch (error) {
      signal.throwIfAborted();
      const why = `unable to ensure pod container exists: failed to create container for pod ${pod.metadata.uid} : ${text(error)}`;
      record(pod, undefined, 'Warning', 'FailedCreatePodContainer', why);
      attempts.failPod('sandbox');
      return 'failed';
    }
    actuated.set(podKey, podText(pod));
    try {
      await volumes.mount(pod, { podIps, hostIps }, signal);
      attempts.succeed('');
      return { isPrepared: true, isReleased: false };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof VolumeError)) throw error;
      record(pod, undefined, 'Warning', 'FailedMount', error.message);
      attempts.failPod('mount');
      return 'failed';
    }
  }

  async #createSandbox(
    { attempt }: StepOf<'createSandbox'>,
    { pod, attempts }: StepContext,
    signal: AbortSignal,
  ): Promise<StepOutcome | 'failed'> {
    const { runtime, runtimeClasses, cgroups, cgroupRoot, clusterDns, hostDns, node, record, tell, metrics } = this.#deps;
    metrics.sandbox(true);
    if (attempt > 0) record(pod, undefined, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    try {
      const runtimeHandler = await runtimeClasses.handlerOf(pod, signal);
      const inputs = {
        runtimeHandler,
        clusterDns,
        hostDns: await hostDns(),
        nodeName: node.name,
        cgroupRoot,
        cgroupDriver: cgroups.driver,
        hasCgroup: cgroups.has(pod.metadata.uid ?? ''),
      };
      const { spec, warnings } = sandboxSpec(pod, attempt, inputs);
      for (const { reason, message, ofNode } of warnings) {
        if (ofNode !== undefined) tell('Warning', reason, ofNode);
        record(pod, undefined, 'Warning', reason, message);
      }
      await runtime.createSandbox(spec, signal);
      attempts.succeed('');
      return {};
    } catch (error) {
      signal.throwIfAborted();
      metrics.sandbox(false);
      record(pod, undefined, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text(error)}`);
      attempts.failPod('sandbox');
      return 'failed';
    }
  }

  /** One container that does not start keeps none of the others from starting. */
  async #start(
    step: StepOf<'startContainer'>,
    { pod, observed, attempts, unstartable }: StepContext,
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    const { record, log, metrics } = this.#deps;
    const uid = pod.metadata.uid ?? '';
    metrics.container(step.kind);
    try {
      const say = (type: 'Normal' | 'Warning', reason: string, message: string): void => {
        if (reason === 'Pulling' || reason === 'Pulled') metrics.pulling(uid, reason === 'Pulled');
        record(pod, step.name, type, reason, message);
      };
      const sayOfPod: Recorder = (type, reason, message) => record(pod, undefined, type, reason, message);
      await startContainer({ pod, step, observed, record: say, recordPod: sayOfPod }, this.#deps, signal);
      attempts.succeed(step.name);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StartError)) throw error;
      metrics.container(step.kind, error.reason);
      log.info({ err: error, uid, container: step.name }, 'a container did not start');
      if (error.unstartableId !== undefined) unstartable.add(error.unstartableId);
      attempts.failStart(step.name, { reason: error.reason, message: error.message }, error.retryAfterMs);
    }
    return {};
  }

  async #stop({ id, name, why }: StepOf<'stopContainer'>, { pod, observed, stopping }: StepContext, signal: AbortSignal): Promise<void> {
    const { record, node } = this.#deps;
    const say = (type: 'Normal' | 'Warning', reason: string, message: string): void => record(pod, name, type, reason, message);
    const isFirst = !stopping.has(id);
    stopping.add(id);
    if (isFirst) say('Normal', 'Killing', why.message);
    const all: readonly V1Container[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const order = {
      pod,
      container: all.find((one) => one.name === name),
      id,
      graceMs: why.graceMs ?? (pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000,
      podIp: observed?.sandboxes[0]?.ips[0] ?? node.hostIps()[0] ?? '',
      runsHook: isFirst,
      mayReceive: pod.metadata.deletionTimestamp !== undefined && isConditionTrue(pod.status?.conditions, 'Ready'),
      record: say,
    };
    await stopContainer(order, this.#deps, signal);
  }
}

function isStop(step: PodStep): boolean {
  return step.do === 'stopContainer';
}

function ignoreMissing(error: unknown): void {
  if (!isRuntimeError(error, 'NotFound')) throw error;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
