import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1LifecycleHandler } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import { portOf } from '../probes/check.ts';
import { askHttp, type HttpTarget, httpTarget } from '../probes/http-check.ts';
import type { Runtime } from '../runtime/contract.ts';
import type { Recorder } from './container-starter.ts';

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

interface HookTarget {
  readonly pod: Pod;
  readonly container: V1Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly record: Recorder;
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
      return await ask(httpTarget(action, podIp, portOf(action.port, container)), target.record, deps.userAgent, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new HookError(
        `HTTP lifecycle hook (${action.path ?? ''}) for Container ${JSON.stringify(container.name)} in Pod ${podText(pod)} failed - error: ${text(error)}, message: ""`,
        { cause: error },
      );
    }
  }
  // Whatever else there is, tcpSocket too, is not meant for hooks, and no validation says so.
  throw new HookError(`invalid handler: ${JSON.stringify(handler)}`);
}

/** Any answer will do. Who speaks HTTP where HTTPS was meant is asked again, as he was before hooks knew schemes; without what is secret. */
async function ask(target: HttpTarget, record: Recorder, userAgent: string, signal: AbortSignal): Promise<void> {
  try {
    await askHttp(target, userAgent, signal);
  } catch (error) {
    if (signal.aborted || !isPlainAnswer(error)) throw error;
    const url = new URL(target.url.href.replace(/^https:/, 'http:'));
    if (url.port === '') url.port = target.url.port === '' ? '443' : target.url.port;
    const headers = target.headers.filter(([name]) => name.toLowerCase() !== 'authorization');
    await askHttp({ url, headers }, userAgent, signal).catch(() => {
      throw error;
    });
    const text = `request to HTTPS lifecycle hook ${target.url.host} got HTTP response, retry with HTTP succeeded`;
    record('Warning', 'LifecycleHTTPFallback', text);
  }
}

function isPlainAnswer(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|ERR_SSL_UNSUPPORTED_PROTOCOL)$/.test(code);
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
