import { Readable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { writeAll } from '../write-all.ts';
import type { ContainerResources, ContainerSpec, ContainerState, ContainerStatus, ContainerSummary } from '../contract.ts';
import type { LogOptions, Streams } from '../io-contract.ts';
import type { Program, ProgramContext } from './program.ts';
import type { SimulatedSandbox } from './simulated-sandbox.ts';

interface LogLine {
  readonly atMs: number;
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

interface SimulatedContainerDeps {
  readonly clock: Clock;
  readonly sandbox: SimulatedSandbox;
  readonly imageRef: string;
  /** Undefined: there is no such program. */
  readonly program: Program | undefined;
  readonly onEnd: (container: SimulatedContainer) => void;
}

/** One container that a program plays. Its log is kept in memory. */
export class SimulatedContainer {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly sandbox: SimulatedSandbox;
  readonly #deps: SimulatedContainerDeps;
  readonly #createdAtMs: number;
  readonly #log: LogLine[] = [];
  readonly #ended = Promise.withResolvers<void>();
  readonly #terminated = Promise.withResolvers<void>();
  readonly #killed = new AbortController();
  readonly #watchers = new Set<() => void>();
  readonly #attached = new Set<Streams>();
  readonly #stdin = Promise.withResolvers<Readable>();
  #state: ContainerState = 'created';
  #startedAtMs: number | undefined;
  #finishedAtMs: number | undefined;
  #exitCode: number | undefined;
  #message: string | undefined;
  #resources: ContainerResources;

  constructor(id: string, spec: ContainerSpec, deps: SimulatedContainerDeps) {
    this.id = id;
    this.spec = spec;
    this.sandbox = deps.sandbox;
    this.#deps = deps;
    this.#createdAtMs = deps.clock.nowMs();
    this.#resources = spec.resources ?? {};
  }

  get state(): ContainerState {
    return this.#state;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** False when there is no program to start. */
  start(): boolean {
    if (this.#state !== 'created') return true;
    this.#startedAtMs = this.#deps.clock.nowMs();
    const { program } = this.#deps;
    if (program === undefined) {
      this.#message = `exec: ${JSON.stringify(this.spec.command?.[0] ?? '')}: stat: no such file or directory`;
      this.#end(127);
      return false;
    }
    this.#state = 'running';
    if (this.spec.stdin !== true) this.#stdin.resolve(Readable.from([]));
    this.play(program, this.spec.command ?? [], this.#stdin.promise, (text, stream) => this.#print(text, stream)).then(
      (exitCode) => this.#end(exitCode),
      () => this.#end(this.#killed.signal.aborted ? 137 : 1),
    );
    return true;
  }

  /** Runs a program with this container's surroundings; rejects when it is killed first. */
  play(program: Program, command: readonly string[], stdin: Readable | Promise<Readable>, print: ProgramContext['print']): Promise<number> {
    const killed = this.#killed.signal;
    const context: ProgramContext = {
      command,
      env: Object.fromEntries(this.spec.env ?? []),
      clock: this.#deps.clock,
      stdin: (async function* () {
        yield* (await stdin) as AsyncIterable<Uint8Array>;
      })(),
      print,
      terminated: this.#terminated.promise,
      killed,
      listen: (port, answer) => this.sandbox.listen(port, this.id, answer),
    };
    const cut = new Promise<never>((_, reject) => {
      if (killed.aborted) reject(killed.reason);
      killed.addEventListener('abort', () => reject(killed.reason), { once: true });
    });
    return Promise.race([program(context), cut]);
  }

  /** What is not named stays, as in an engine. */
  update(resources: ContainerResources): void {
    this.#resources = { ...this.#resources, ...resources };
  }

  terminate(): void {
    this.#terminated.resolve();
  }

  kill(): void {
    if (this.#state === 'created') return;
    this.#killed.abort(new Error('killed'));
    this.#end(137);
  }

  /** Resolves when the container ends or the input's sender goes. */
  async attach(streams: Streams, signal: AbortSignal): Promise<void> {
    this.#attached.add(streams);
    if (streams.stdin !== undefined) this.#stdin.resolve(streams.stdin);
    const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.ended, gone]);
    this.#attached.delete(streams);
    signal.throwIfAborted();
  }

  async *logs(options: LogOptions, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { follow = false, limitBytes = Number.POSITIVE_INFINITY, timestamps = false, sinceMs = 0, stream = 'All' } = options;
    const { tailLines = this.#log.length } = options;
    let left = limitBytes;
    for (let at = Math.max(0, this.#log.length - tailLines); ; at++) {
      while (follow && at >= this.#log.length && this.#state === 'running') await this.#somethingNew(signal);
      const line = this.#log[at];
      if (line === undefined || left <= 0) return;
      if (line.atMs < sinceMs || (stream !== 'All' && stream.toLowerCase() !== line.stream)) continue;
      const time = `${new Date(line.atMs).toISOString().slice(0, -1)}000000Z `;
      const bytes = timestamps ? Buffer.concat([Buffer.from(time), line.bytes]) : line.bytes;
      yield bytes.subarray(0, Math.min(left, bytes.length));
      left -= bytes.length;
    }
  }

  summary(): ContainerSummary {
    const { name, attempt, image, labels = {}, annotations = {} } = this.spec;
    const createdAtMs = this.#createdAtMs;
    return { id: this.id, name, attempt, sandboxId: this.sandbox.id, state: this.#state, createdAtMs, image, labels, annotations };
  }

  status(): ContainerStatus {
    const exitCode = this.#exitCode;
    const failed = this.#message !== undefined;
    const { user, group, supplementalGroups = [] } = this.spec.security ?? {};
    return {
      ...this.summary(),
      imageRef: this.#deps.imageRef,
      pid: undefined,
      startedAtMs: this.#startedAtMs,
      finishedAtMs: this.#finishedAtMs,
      exitCode,
      oomKilled: false,
      reason: exitCode === undefined ? undefined : failed ? 'ContainerCannotRun' : exitCode === 0 ? 'Completed' : 'Error',
      message: this.#message,
      mounts: this.spec.mounts ?? [],
      logPath: this.spec.logPath,
      tty: this.spec.tty ?? false,
      stdin: this.spec.stdin ?? false,
      ...(user === undefined || group === undefined ? {} : { identity: { user, group, supplementalGroups } }),
      resources: this.#resources,
    };
  }

  async #print(text: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    if (this.#state !== 'running') return;
    const bytes = Buffer.from(text);
    this.#log.push({ atMs: this.#deps.clock.nowMs(), stream, bytes });
    this.#tellWatchers();
    for (const streams of this.#attached) {
      const target = streams[stream];
      if (target !== undefined) await writeAll(target, bytes);
    }
  }

  #end(exitCode: number): void {
    if (this.#state === 'exited') return;
    this.#state = 'exited';
    this.#exitCode = exitCode;
    this.#finishedAtMs = this.#deps.clock.nowMs();
    this.sandbox.stopListening(this.id);
    this.#tellWatchers();
    this.#ended.resolve();
    this.#deps.onEnd(this);
  }

  #tellWatchers(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }

  #somethingNew(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#watchers.add(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      return undefined;
    });
  }
}
