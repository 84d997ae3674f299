// A command's or container's streams, joined to a client's. Back-pressure holds in both directions: we read from the engine only what
// the client takes, and from the client only what the process reads.
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { RuntimeError } from '../contract.ts';
import type { ExecSyncOptions, ExecSyncOutcome, Streams, TerminalSize } from '../io-contract.ts';
import { writeAll } from '../write-all.ts';
import type { Engine } from './engine.ts';
import { splitFrames } from './frames.ts';
import { killContainerProcess } from './process.ts';

/**
 * The engine ends a session on a terminal when the client types ctrl-p ctrl-q, and swallows the first of them meanwhile.
 * Upstream has no such thing, so it gets a sequence that is not typed by accident.
 */
const detachKeys = 'ctrl-],ctrl-_,ctrl-],ctrl-_,ctrl-],ctrl-_,ctrl-]';
const syncLimitBytes = 16 * 1_024;

interface SessionDeps {
  readonly engine: Engine;
  readonly clock: Clock;
}

interface InspectedExec {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
}

/** See Runtime.exec. */
export async function runExec(
  deps: SessionDeps,
  containerId: string,
  command: readonly string[],
  streams: Streams,
  signal: AbortSignal,
): Promise<number> {
  const { engine } = deps;
  const execId = await createExec(engine, containerId, command, streams, signal);
  const body = { Detach: false, Tty: streams.tty ?? false };
  const socket = await engine.hijack(`/exec/${execId}/start`, { body }, signal);
  await join(engine, `/exec/${execId}`, socket, streams, signal);
  return exitCodeOf(deps, execId, signal);
}

/** See Runtime.execSync. */
export async function runExecSync(
  deps: SessionDeps,
  containerId: string,
  command: readonly string[],
  options: ExecSyncOptions,
  signal: AbortSignal,
): Promise<ExecSyncOutcome> {
  const { engine, clock } = deps;
  using deadline = clock.deadline(signal, options.timeoutMs);
  const both = { stdout: new Kept(options.limitBytes ?? syncLimitBytes), stderr: new Kept(options.limitBytes ?? syncLimitBytes) };
  let execId: string | undefined;
  try {
    execId = await createExec(engine, containerId, command, { wantsOutput: true }, deadline.signal);
    const socket = await engine.hijack(`/exec/${execId}/start`, { body: { Detach: false, Tty: false } }, deadline.signal);
    await withSocket(socket, deadline.signal, async () => {
      for await (const piece of splitFrames(socket)) both[piece.stream].add(piece.bytes);
    });
    const exitCode = await exitCodeOf(deps, execId, deadline.signal);
    return { exitCode, stdout: both.stdout.bytes(), stderr: both.stderr.bytes() };
  } catch (error) {
    if (!deadline.signal.aborted || signal.aborted) throw error;
    if (execId !== undefined) await killExec(engine, containerId, execId, signal);
    throw new RuntimeError('Timeout', `command ${JSON.stringify(command.join(' '))} timed out`, { cause: error });
  }
}

/** See Runtime.attach. */
export async function runAttach(engine: Engine, id: string, streams: Streams, signal: AbortSignal): Promise<void> {
  const query = {
    stream: 1,
    stdin: streams.stdin === undefined ? 0 : 1,
    stdout: streams.stdout === undefined ? 0 : 1,
    stderr: streams.stderr === undefined ? 0 : 1,
    detachKeys,
  };
  const socket = await engine.hijack(`/containers/${id}/attach`, { query }, signal);
  await join(engine, `/containers/${id}`, socket, streams, signal);
}

async function createExec(
  engine: Engine,
  containerId: string,
  command: readonly string[],
  streams: Streams & { wantsOutput?: boolean },
  signal: AbortSignal,
): Promise<string> {
  const body = {
    AttachStdin: streams.stdin !== undefined,
    AttachStdout: streams.stdout !== undefined || streams.wantsOutput === true,
    AttachStderr: streams.stderr !== undefined || streams.wantsOutput === true,
    Tty: streams.tty ?? false,
    Cmd: command,
    DetachKeys: detachKeys,
  };
  try {
    const { Id } = await engine.call<{ Id: string }>('POST', `/containers/${containerId}/exec`, { body }, signal);
    return Id;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'Conflict') {
      throw new RuntimeError('NotRunning', error.message, { cause: error });
    }
    throw error;
  }
}

/** Pumps until the other side has said everything. */
async function join(engine: Engine, path: string, socket: Duplex, streams: Streams, signal: AbortSignal): Promise<void> {
  const { stdin, stdout, stderr, tty = false, resizes } = streams;
  const sizes = resizes?.[Symbol.asyncIterator]();
  await withSocket(socket, signal, async () => {
    const sendSizes = sizes === undefined ? Promise.resolve() : followSizes(engine, path, sizes, signal);
    // A client that breaks off its input ends the process's input, no more.
    stdin?.on('error', () => socket.end());
    stdin?.pipe(socket);
    if (tty) {
      for await (const chunk of socket) if (stdout !== undefined) await writeAll(stdout, chunk as Buffer);
    } else {
      for await (const piece of splitFrames(socket)) {
        const target = piece.stream === 'stdout' ? stdout : stderr;
        if (target !== undefined) await writeAll(target, piece.bytes);
      }
    }
    stdin?.unpipe(socket);
    void sizes?.return?.();
    void sendSizes;
  });
}

async function followSizes(engine: Engine, path: string, sizes: AsyncIterator<TerminalSize>, signal: AbortSignal): Promise<void> {
  try {
    for (let next = await sizes.next(); next.done !== true; next = await sizes.next()) {
      const { width, height } = next.value;
      if (width > 0 && height > 0) await engine.call('POST', `${path}/resize`, { query: { w: width, h: height } }, signal);
    }
  } catch {
    // The session ended, or the engine would not; a wrong size is no reason to end it.
    return;
  }
}

/** Runs `use` with a socket that is destroyed at its end or at the abort, whichever comes first. */
async function withSocket(socket: Duplex, signal: AbortSignal, use: () => Promise<void>): Promise<void> {
  const onAbort = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await use();
    signal.throwIfAborted();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // A lost connection reads as the end: the exit code that is asked for next says what happened.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ECONNRESET' && code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

/** The engine closes the streams a moment before it knows the exit code. */
async function exitCodeOf({ engine, clock }: SessionDeps, execId: string, signal: AbortSignal): Promise<number> {
  for (let delayMs = 2; ; delayMs = Math.min(delayMs * 2, 1_000)) {
    const state = await engine.call<InspectedExec>('GET', `/exec/${execId}/json`, {}, signal);
    if (!state.Running && state.ExitCode !== null) return state.ExitCode;
    await clock.sleep(delayMs, signal);
  }
}

async function killExec(engine: Engine, containerId: string, execId: string, signal: AbortSignal): Promise<void> {
  const { Pid, Running } = await engine.call<InspectedExec>('GET', `/exec/${execId}/json`, {}, signal);
  if (Running) await killContainerProcess(Pid, containerId);
}

/** The first bytes of an output, as many as are wanted. */
class Kept {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(bytes: Buffer): void {
    const part = bytes.subarray(0, this.#limitBytes - this.#length);
    if (part.length === 0) return;
    this.#chunks.push(part);
    this.#length += part.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
