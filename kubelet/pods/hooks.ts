import { connect } from 'node:net';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1LifecycleHandler } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import { portOf } from '../probes/check.ts';
import { askHttp, httpTarget } from '../probes/http-check.ts';
import type { Runtime } from '../runtime/contract.ts';

/** A hook did not succeed; the message is what its event says. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

export interface HookDeps {
  readonly runtime: Pick<Runtime, 'execSync'>;
  readonly clock: Clock;
  /** `kube-lifecycle/1.36`. */
  readonly userAgent: string;
}

export interface HookTarget {
  readonly pod: Pod;
  readonly container: V1Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Execs have no limit of their own; the caller's signal ends them. */
const execTimeoutMs = 24 * 3_600_000;

/** Runs a postStart or preStop hook to its end. Throws HookError. */
export async function runHook(handler: V1LifecycleHandler, target: HookTarget, deps: HookDeps, signal: AbortSignal): Promise<void> {
  const { container, containerId, podIp, pod } = target;
  if (handler.sleep !== undefined) return await deps.clock.sleep(handler.sleep.seconds * 1_000, signal);
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    const { exitCode, stdout, stderr } = await deps.runtime.execSync(containerId, command, { timeoutMs: execTimeoutMs }, signal);
    if (exitCode === 0) return;
    const output = Buffer.concat([stdout, stderr]).toString();
    throw new HookError(
      `Exec lifecycle hook (${quoteList(command)}) for Container ${JSON.stringify(container.name)} in Pod ${podText(pod)} failed - error: command '${command.join(' ')}' exited with ${exitCode}: ${output}, message: ${JSON.stringify(output)}`,
    );
  }
  if (handler.httpGet !== undefined) {
    const action = handler.httpGet;
    try {
      await askHttp(httpTarget(action, podIp, portOf(action.port, container)), deps.userAgent, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      throw new HookError(
        `HTTP lifecycle hook (${action.path ?? ''}) for Container ${JSON.stringify(container.name)} in Pod ${podText(pod)} failed - error: ${text(error)}, message: ""`,
        { cause: error },
      );
    }
  }
  if (handler.tcpSocket !== undefined) {
    const { host = '', port } = handler.tcpSocket;
    return await openAndClose(host === '' ? podIp : host, portOf(port, container), signal);
  }
  throw new HookError(`cannot run handler of container ${JSON.stringify(container.name)}: it is empty`);
}

function openAndClose(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', (error) => reject(signal.aborted ? signal.reason : new HookError(error.message, { cause: error })));
  });
}

function podText({ metadata: { name, namespace, uid } }: Pod): string {
  return `"${name}_${namespace}(${uid})"`;
}

function quoteList(command: readonly string[]): string {
  return `[${command.join(' ')}]`;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
