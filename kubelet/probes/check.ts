import { connect } from 'node:net';
import type { V1Container, V1Probe, V1TCPSocketAction } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import { isRuntimeError, type Runtime } from '../runtime/contract.ts';
import { askGrpcHealth, GrpcError } from './grpc-check.ts';
import { askHttp, connectText, httpTarget } from './http-check.ts';

/** What one probe found. `errored`: it could not be carried out, which says nothing about the container. */
export interface ProbeOutcome {
  readonly result: 'success' | 'warning' | 'failure' | 'errored';
  readonly output: string;
}

interface ProbeTarget {
  readonly container: V1Container;
  readonly containerId: string;
  readonly podIp: string;
}

export interface CheckDeps {
  readonly runtime: Pick<Runtime, 'execSync'>;
  readonly clock: Clock;
  /** `kube-probe/1.36`. */
  readonly userAgent: string;
}

/** Carries out a probe once, within its timeout. Throws only when `signal` aborts. */
export async function check(probe: V1Probe, target: ProbeTarget, deps: CheckDeps, signal: AbortSignal): Promise<ProbeOutcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000;
  if (probe.exec !== undefined) return await checkExec(probe.exec.command ?? [], target, timeoutMs, deps, signal);
  using deadline = deps.clock.deadline(signal, timeoutMs);
  try {
    if (probe.httpGet !== undefined) return await checkHttp(probe.httpGet, target, deps, deadline.signal);
    if (probe.tcpSocket !== undefined) return await checkTcp(probe.tcpSocket, target, deadline.signal);
    if (probe.grpc !== undefined) return await checkGrpc(probe.grpc, target, deps, deadline.signal);
    return { result: 'errored', output: `missing probe handler for ${target.container.name}` };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PortError) return { result: 'errored', output: error.message };
    return { result: 'failure', output: deadline.signal.aborted ? timeoutText(probe, target) : text(error) };
  }
}

/** A port that the container does not have. */
class PortError extends Error {
  override readonly name = 'PortError';
}

/** The number of a port that is given by number or by a name of the container's ports. Throws PortError. */
export function portOf(port: number | string, container: V1Container): number {
  const named = (container.ports ?? []).find(({ name }) => name === port)?.containerPort;
  const value = typeof port === 'number' ? port : (named ?? (/^\d+$/.test(port) ? Number(port) : undefined));
  if (value === undefined) throw new PortError(`couldn't find port: ${JSON.stringify(port)} in container ${container.name}`);
  if (value <= 0 || value > 65_535) throw new PortError(`invalid port number: ${value}`);
  return value;
}

async function checkExec(
  command: readonly string[],
  { containerId }: ProbeTarget,
  timeoutMs: number,
  { runtime }: CheckDeps,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, { timeoutMs, limitBytes: 10 * 1_024 }, signal);
    const output = Buffer.concat([stdout, stderr]).toString();
    return { result: exitCode === 0 ? 'success' : 'failure', output };
  } catch (error) {
    signal.throwIfAborted();
    if (!isRuntimeError(error, 'Timeout')) return { result: 'errored', output: text(error) };
    return { result: 'failure', output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1_000}s` };
  }
}

async function checkHttp(
  action: NonNullable<V1Probe['httpGet']>,
  { container, podIp }: ProbeTarget,
  { userAgent }: CheckDeps,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const target = httpTarget(action, podIp, portOf(action.port, container));
  const { status, body, leadsAway } = await askHttp(target, userAgent, signal);
  if (leadsAway) return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
  if (status >= 200 && status < 400) return { result: 'success', output: body };
  return { result: 'failure', output: `HTTP probe failed with statuscode: ${status}` };
}

function checkTcp(action: V1TCPSocketAction, { container, podIp }: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  const host = action.host === undefined || action.host === '' ? podIp : action.host;
  const port = portOf(action.port, container);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on('connect', () => {
      socket.destroy();
      resolve({ result: 'success', output: '' });
    });
    socket.on('error', (error) =>
      reject(signal.aborted ? signal.reason : new Error(connectText(`${host}:${port}`, error), { cause: error })),
    );
  });
}

async function checkGrpc(
  { port, service }: NonNullable<V1Probe['grpc']>,
  { podIp }: ProbeTarget,
  { userAgent }: CheckDeps,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  try {
    const { status } = await askGrpcHealth({ host: podIp, port, service: service ?? '', userAgent }, signal);
    if (status === 'SERVING') return { result: 'success', output: `service healthy` };
    return { result: 'failure', output: `service unhealthy (responded with ${JSON.stringify(status)})` };
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    const unimplemented = `server doesn't implement the grpc health protocol (grpc.health.v1.Health): rpc error: code = Unimplemented desc = ${error.message}`;
    return { result: 'failure', output: error.code === 12 ? unimplemented : `rpc error: code = ${error.code} desc = ${error.message}` };
  }
}

function timeoutText(probe: V1Probe, { container, podIp }: ProbeTarget): string {
  if (probe.httpGet !== undefined) {
    const { url } = httpTarget(probe.httpGet, podIp, portOf(probe.httpGet.port, container));
    return `Get ${JSON.stringify(url.href)}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  }
  if (probe.tcpSocket !== undefined) {
    return `dial tcp ${probe.tcpSocket.host ?? podIp}:${portOf(probe.tcpSocket.port, container)}: i/o timeout`;
  }
  const seconds = probe.timeoutSeconds ?? 1;
  return `timeout: failed to connect service "${podIp}:${probe.grpc?.port ?? 0}" within ${seconds}s: context deadline exceeded`;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
