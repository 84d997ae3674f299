// exec, attach and port-forward: a client's streaming session on one side, the runtime on the other.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { acceptExec } from '#base/streams/accept-exec.ts';
import { acceptPortForward } from '#base/streams/accept-port-forward.ts';
import type { PortForwardConnection, StreamOptions, Upgrade } from '#base/streams/session.ts';
import type { Log } from '#base/log.ts';
import type { V1Pod } from '#api/generated/types.ts';
import type { Runtime } from '../runtime/contract.ts';
import { hasContainer, runningContainer } from './choose-container.ts';
import { HttpProblem } from './http-problem.ts';
import type { PodSource } from './pod-source.ts';
import type { ContainerTarget, PodTarget } from './route.ts';

interface StreamingDeps {
  readonly runtime: Runtime;
  readonly pods: PodSource;
  readonly log: Log;
}

/** A request to upgrade a connection to a streaming session. */
interface StreamingRequest {
  readonly upgrade: Upgrade;
  readonly query: URLSearchParams;
  readonly options: StreamOptions;
}

/** Serves an exec or attach session to its end. Throws HttpProblem only before the response was sent. */
export async function serveExec(
  deps: StreamingDeps,
  { kind, target }: { readonly kind: 'exec' | 'attach'; readonly target: ContainerTarget },
  { upgrade, query, options }: StreamingRequest,
  signal: AbortSignal,
): Promise<void> {
  const tty = query.get('tty') === '1';
  const wanted = { stdin: isOn(query, 'input'), stdout: isOn(query, 'output'), stderr: isOn(query, 'error') && !tty, tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    throw new HttpProblem(400, 'you must specify at least 1 of stdin, stdout, stderr');
  }
  const id = await containerId(deps, target, signal);
  const session = await acceptExec(upgrade, wanted, options, signal);
  if (session === undefined) return;
  const { stdin, stdout, stderr, resizes, closed } = session;
  const streams = {
    tty,
    resizes,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
  };
  try {
    if (kind === 'attach') {
      await deps.runtime.attach(id, streams, closed);
      await session.finish({ kind: 'done' });
    } else {
      const code = await deps.runtime.exec(id, query.getAll('command'), streams, closed);
      await session.finish({ kind: 'exited', code });
    }
  } catch (error) {
    if (closed.aborted) return;
    const doing = kind === 'attach' ? 'error attaching to container' : 'error executing command in container';
    await session.finish({ kind: 'failed', message: `${doing}: ${messageOf(error)}` });
  }
}

/** Serves a port-forward session to its end. Throws HttpProblem only before the response was sent. */
export async function servePortForward(
  deps: StreamingDeps,
  target: PodTarget,
  { upgrade, query, options }: StreamingRequest,
  signal: AbortSignal,
): Promise<void> {
  const pod = findPod(deps, target);
  const ports = query
    .getAll('port')
    .flatMap((text) => text.split(','))
    .map(Number);
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) {
    throw new HttpProblem(400, `invalid ports: ${query.getAll('port').join(',')}`);
  }
  const uid = pod.metadata?.uid ?? '';
  const sandbox = (await deps.runtime.podStatus(uid, signal))?.sandboxes.find(({ state }) => state === 'ready');
  if (sandbox === undefined) throw new HttpProblem(500, `pod not found (${JSON.stringify(`${target.pod}_${target.namespace}`)})`);
  const session = await acceptPortForward(upgrade, ports, options, signal);
  if (session === undefined) return;
  const open: Promise<void>[] = [];
  for await (const connection of session.connections) {
    open.push(forward(deps, sandbox.id, `${target.pod}, uid ${uid}`, connection, session.closed));
  }
  await Promise.all(open);
}

async function forward(
  deps: StreamingDeps,
  sandboxId: string,
  podText: string,
  connection: PortForwardConnection,
  closed: AbortSignal,
): Promise<void> {
  const { port, id, data } = connection;
  let inside: Duplex;
  try {
    inside = await deps.runtime.portForward(sandboxId, port, closed);
  } catch (error) {
    if (!closed.aborted) connection.fail(`error forwarding port ${port} to pod ${podText}: ${messageOf(error)}`);
    return;
  }
  try {
    // Each direction ends by itself: either side may go on talking after the other has said everything.
    await Promise.all([pipeline(data, inside, { signal: closed }), pipeline(inside, data, { signal: closed })]);
  } catch (err) {
    deps.log.debug({ err, port, connection: id }, 'a forwarded connection broke off');
  } finally {
    inside.destroy();
    data.destroy();
  }
}

/** Throws HttpProblem 404. */
function findPod({ pods }: Pick<StreamingDeps, 'pods'>, { namespace, pod: name, uid }: PodTarget): V1Pod {
  const pod = pods.pod(namespace, name);
  if (pod === undefined) throw new HttpProblem(404, 'pod does not exist');
  if (uid !== undefined && pod.metadata?.uid !== uid) throw new HttpProblem(404, 'pod not found');
  return pod;
}

/** The container that a session means. Throws HttpProblem. */
export async function containerId(deps: StreamingDeps, target: ContainerTarget, signal: AbortSignal): Promise<string> {
  const pod = findPod(deps, target);
  const observed = await deps.runtime.podStatus(pod.metadata?.uid ?? '', signal);
  const found = hasContainer(pod, target.container) ? runningContainer(observed, target.container) : undefined;
  if (found === undefined) throw new HttpProblem(500, `container not found (${JSON.stringify(target.container)})`);
  return found.id;
}

function isOn(query: URLSearchParams, name: string): boolean {
  return query.get(name) === '1';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
