import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { isRuntimeError, type Runtime } from '../runtime/contract.ts';
import type { Recorder } from './container-starter.ts';
import { type HookDeps, runHook } from './hooks.ts';

/** A container always gets that long between the stop signal and the kill (pkg/kubelet/kuberuntime). */
const minGraceMs = 2_000;
/**
 * How long a pod that Services may lead to goes on serving before the stop signal: its deletion is on its way to EndpointSlices and to
 * the rules of every node meanwhile. Never more than a tenth of the grace period, and not where a preStop hook waits itself.
 */
const drainMs = 500;

interface StopOrder {
  readonly pod: Pod;
  /** Undefined where the pod's definition does not know it any more. */
  readonly container: V1Container | undefined;
  readonly id: string;
  readonly graceMs: number;
  readonly podIp: string;
  /** False when it ran before in an attempt to stop this container. */
  readonly runsHook: boolean;
  /** True when connections may still be led to the pod: it is being deleted and was ready until now. */
  readonly mayReceive: boolean;
  readonly record: Recorder;
}

interface ContainerStopperDeps extends HookDeps {
  readonly runtime: Runtime;
  readonly log: Log;
}

/**
 * The preStop hook within the grace (or a moment for traffic to move away), the stop signal, the rest of the grace, the kill. Resolves
 * when the container has ended.
 */
export async function stopContainer(order: StopOrder, deps: ContainerStopperDeps, signal: AbortSignal): Promise<void> {
  const { clock, runtime } = deps;
  const startMs = clock.monotonicMs();
  if (order.runsHook && order.graceMs > 0) {
    if (order.container?.lifecycle?.preStop !== undefined) await runPreStop(order, deps, signal);
    else if (order.mayReceive) await clock.sleep(Math.min(drainMs, order.graceMs / 10), signal);
  }
  const leftMs = Math.max(minGraceMs, order.graceMs - (clock.monotonicMs() - startMs));
  try {
    await runtime.stopContainer(order.id, leftMs, signal);
  } catch (error) {
    if (!isRuntimeError(error, 'NotFound')) throw error;
  }
}

async function runPreStop(order: StopOrder, deps: ContainerStopperDeps, signal: AbortSignal): Promise<void> {
  const { pod, container, id, graceMs, podIp, record } = order;
  const hook = container?.lifecycle?.preStop;
  if (container === undefined || hook === undefined) return;
  using deadline = deps.clock.deadline(signal, graceMs);
  try {
    await runHook(hook, { pod, container, containerId: id, podIp, record }, deps, deadline.signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    if (signal.aborted) throw signal.reason;
    deps.log.info({ err: error, container: container.name, uid: pod.metadata.uid }, 'a preStop hook failed');
    record('Warning', 'FailedPreStopHook', 'PreStopHook failed');
  }
}
