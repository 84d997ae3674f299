// A runtime without processes: containers are programs written as functions, time is the clock's. For the tests of whatever stands on a
// kubelet, for thousands of nodes in one process, and for the public test API. It keeps its pods as long as the object lives, so a
// kubelet can be killed and started again over it.
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { writeAll } from '../write-all.ts';
import {
  type ContainerResources,
  type ContainerSpec,
  type ContainerStorage,
  type ContainerUsage,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeHealth,
  type RuntimeInfo,
  type RuntimePod,
  type RuntimePodSummary,
  type SandboxSpec,
  type SandboxStatus,
} from '../contract.ts';
import type { ExecSyncOptions, ExecSyncOutcome, LogOptions, Streams } from '../io-contract.ts';
import { EventFeed } from './event-feed.ts';
import { type Program, untilTerminated } from './program.ts';
import { SimulatedContainer } from './simulated-container.ts';
import { SimulatedImages } from './simulated-images.ts';
import { SimulatedSandbox } from './simulated-sandbox.ts';

export interface SimulatedRuntimeOptions {
  /** Programs by the first word of a container's command; one without a command runs the program named like its image, else `default`. */
  readonly programs?: Readonly<Record<string, Program>>;
  /** What containers without a program of their own do; default: run until SIGTERM. */
  readonly default?: Program;
  /** Images that are there. With `anyImage`, all others can be pulled. */
  readonly images?: readonly string[];
  readonly anyImage?: boolean;
  readonly info?: Partial<RuntimeInfo>;
  /** How much memory a container of that name uses; default none. */
  readonly memoryUsage?: (container: string) => number;
  /** What a container of that name holds on the disk; default nothing. */
  readonly storage?: (container: string) => ContainerStorage;
  /** Asked before each change; what it answers is thrown. */
  readonly fault?: (operation: string, subject: string) => RuntimeError | undefined;
}

export class SimulatedRuntime implements Runtime {
  readonly images: SimulatedImages;
  readonly #clock: Clock;
  readonly #options: SimulatedRuntimeOptions;
  readonly #sandboxes = new Map<string, SimulatedSandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #feed = new EventFeed();
  #network = '10.244.0';
  #lastId = 0;

  constructor(clock: Clock, options: SimulatedRuntimeOptions = {}) {
    this.#clock = clock;
    this.#options = options;
    this.images = new SimulatedImages(options.images ?? [], options.anyImage ?? false);
  }

  /** How many sandboxes there are, ended ones too. */
  get size(): number {
    return this.#sandboxes.size;
  }

  info(): Promise<RuntimeInfo> {
    return Promise.resolve({
      name: 'simulated',
      version: '1.0.0',
      apiVersion: '1.0',
      kernelVersion: '6.1.0',
      osImage: 'Simulated Linux',
      operatingSystem: 'linux',
      architecture: 'amd64',
      cgroupDriver: 'cgroupfs',
      cgroupVersion: 2,
      storageDriver: 'memory',
      handlers: ['plain'],
      rootDirectory: '/var/lib/simulated',
      cpuCount: 8,
      memoryBytes: 16 * 1_024 ** 3,
      refuses: [],
      ...this.#options.info,
    });
  }

  health(): Promise<RuntimeHealth> {
    return Promise.resolve({ runtimeProblem: undefined, networkProblem: undefined });
  }

  setPodCidrs(cidrs: readonly string[]): Promise<void> {
    const [network] = cidrs[0]?.split('/') ?? [];
    if (network !== undefined) this.#network = network.split('.').slice(0, 3).join('.');
    return Promise.resolve();
  }

  async pods(): Promise<readonly RuntimePodSummary[]> {
    const uids = new Set([...this.#sandboxes.values()].map((sandbox) => sandbox.spec.pod.uid));
    return [...uids].flatMap((uid) => {
      const sandboxes = this.#sandboxesOf(uid);
      const [newest] = sandboxes;
      if (newest === undefined) return [];
      const containers = this.#containersOf(uid).map((container) => container.summary());
      return [{ pod: newest.spec.pod, sandboxes: sandboxes.map((sandbox) => sandbox.summary()), containers }];
    });
  }

  async podStatus(podUid: string): Promise<RuntimePod | undefined> {
    const sandboxes = this.#sandboxesOf(podUid);
    const [newest] = sandboxes;
    if (newest === undefined) return undefined;
    const containers = this.#containersOf(podUid).map((container) => container.status());
    return { pod: newest.spec.pod, sandboxes: sandboxes.map((sandbox) => sandbox.status()), containers };
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#feed.follow(signal);
  }

  async createSandbox(spec: SandboxSpec): Promise<SandboxStatus> {
    const same = this.#sandboxesOf(spec.pod.uid).find((sandbox) => sandbox.spec.attempt === spec.attempt && sandbox.isRunning);
    if (same !== undefined) return same.status();
    this.#fail('createSandbox', spec.pod.name);
    const sandbox = new SimulatedSandbox(this.#newId(), spec, this.#freeAddress(), this.#clock.nowMs());
    this.#sandboxes.set(sandbox.id, sandbox);
    this.#feed.publish({ type: 'started', podUid: spec.pod.uid, id: sandbox.id, container: undefined });
    return sandbox.status();
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined || !sandbox.isRunning) return;
    this.#fail('stopSandbox', sandbox.spec.pod.name);
    for (const container of this.#containers.values()) if (container.sandbox === sandbox) container.kill();
    sandbox.stop();
    this.#feed.publish({ type: 'died', podUid: sandbox.spec.pod.uid, id, container: undefined });
  }

  async removeSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.stopSandbox(id);
    for (const container of this.#containers.values()) if (container.sandbox === sandbox) this.#containers.delete(container.id);
    this.#sandboxes.delete(id);
    this.#feed.publish({ type: 'removed', podUid: sandbox.spec.pod.uid, id, container: undefined });
  }

  async createContainer(sandboxId: string, spec: ContainerSpec): Promise<string> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new RuntimeError('NotFound', `no sandbox ${sandboxId}`);
    const same = [...this.#containers.values()].find(
      (container) => container.sandbox === sandbox && container.spec.name === spec.name && container.spec.attempt === spec.attempt,
    );
    if (same !== undefined) return same.id;
    this.#fail('createContainer', spec.name);
    const image = await this.images.find(spec.imageId ?? spec.image);
    if (image === undefined) throw new RuntimeError('NotFound', `No such image: ${spec.image}`);
    const container = new SimulatedContainer(this.#newId(), spec, {
      clock: this.#clock,
      sandbox,
      imageRef: image.ref,
      program: this.#program(spec.command ?? [], spec.image),
      onEnd: ({ id }) => this.#feed.publish({ type: 'died', podUid: sandbox.spec.pod.uid, id, container: spec.name }),
    });
    this.#containers.set(container.id, container);
    return container.id;
  }

  async startContainer(id: string): Promise<void> {
    const container = this.#require(id);
    this.#fail('startContainer', container.spec.name);
    if (!container.start()) throw new RuntimeError('CannotRun', container.status().message ?? 'it could not be started');
    this.#feed.publish({ type: 'started', podUid: container.sandbox.spec.pod.uid, id, container: container.spec.name });
  }

  async stopContainer(id: string, graceMs: number, signal: AbortSignal): Promise<void> {
    const container = this.#containers.get(id);
    if (container?.state !== 'running') return;
    this.#fail('stopContainer', container.spec.name);
    if (graceMs > 0) {
      container.terminate();
      using deadline = this.#clock.deadline(signal, graceMs);
      const late = new Promise<void>((resolve) => deadline.signal.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([container.ended, late]);
      signal.throwIfAborted();
    }
    container.kill();
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    container.kill();
    this.#containers.delete(id);
    this.#feed.publish({ type: 'removed', podUid: container.sandbox.spec.pod.uid, id, container: container.spec.name });
  }

  async updateResources(id: string, resources: ContainerResources): Promise<void> {
    const container = this.#require(id);
    this.#fail('updateResources', container.spec.name);
    container.update(resources);
  }

  async exec(id: string, command: readonly string[], streams: Streams): Promise<number> {
    const container = this.#requireRunning(id);
    const print = async (text: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> => {
      const target = streams[stream];
      if (target !== undefined) await writeAll(target, Buffer.from(text));
    };
    const program = this.#program(command, '');
    if (program !== undefined) return container.play(program, command, streams.stdin ?? Readable.from([]), print);
    await print(`exec: ${JSON.stringify(command[0] ?? '')}: executable file not found in $PATH\n`, 'stderr');
    return 126;
  }

  async execSync(id: string, command: readonly string[], options: ExecSyncOptions, signal: AbortSignal): Promise<ExecSyncOutcome> {
    const container = this.#requireRunning(id);
    const program = this.#program(command, '') ?? (() => Promise.resolve(126));
    const text = { stdout: '', stderr: '' };
    using deadline = this.#clock.deadline(signal, options.timeoutMs);
    const late = new Promise<never>((_, reject) => {
      const timeout = new RuntimeError('Timeout', `command ${JSON.stringify(command.join(' '))} timed out`);
      deadline.signal.addEventListener('abort', () => reject(signal.aborted ? (signal.reason as Error) : timeout), { once: true });
    });
    const print = async (more: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> => {
      text[stream] += more;
    };
    const exitCode = await Promise.race([container.play(program, command, Readable.from([]), print), late]);
    const limit = options.limitBytes ?? 16 * 1_024;
    return { exitCode, stdout: Buffer.from(text.stdout).subarray(0, limit), stderr: Buffer.from(text.stderr).subarray(0, limit) };
  }

  async attach(id: string, streams: Streams, signal: AbortSignal): Promise<void> {
    await this.#requireRunning(id).attach(streams, signal);
  }

  async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#require(id).logs(options, signal);
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new RuntimeError('NotFound', `no sandbox ${sandboxId}`);
    if (!sandbox.isRunning) throw new RuntimeError('NotRunning', `sandbox ${sandboxId} is not running`);
    return sandbox.connect(port);
  }

  async usage(podUid: string): Promise<readonly ContainerUsage[]> {
    const running = this.#containersOf(podUid).filter((container) => container.state === 'running');
    return running.map(({ id, spec: { name } }) => {
      const usedBytes = this.#options.memoryUsage?.(name) ?? 0;
      return { id, name, cpuNanos: 0n, memoryUsageBytes: usedBytes, memoryWorkingSetBytes: usedBytes, swapBytes: 0 };
    });
  }

  async storage(id: string): Promise<ContainerStorage | undefined> {
    const container = this.#containers.get(id);
    if (container === undefined) return undefined;
    return this.#options.storage?.(container.spec.name) ?? { written: { usedBytes: 0 }, logFile: undefined };
  }

  #program(command: readonly string[], image: string): Program | undefined {
    const { programs = {}, default: fallback = untilTerminated } = this.#options;
    const [name] = command;
    if (name !== undefined) return programs[name];
    return programs[image] ?? fallback;
  }

  #sandboxesOf(podUid: string): SimulatedSandbox[] {
    const mine = [...this.#sandboxes.values()].filter((sandbox) => sandbox.spec.pod.uid === podUid);
    return mine.sort((left, right) => right.spec.attempt - left.spec.attempt);
  }

  #containersOf(podUid: string): SimulatedContainer[] {
    const mine = [...this.#containers.values()].filter((container) => container.sandbox.spec.pod.uid === podUid);
    return mine.sort((left, right) => right.spec.attempt - left.spec.attempt);
  }

  #require(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new RuntimeError('NotFound', `no container ${id}`);
    return container;
  }

  #requireRunning(id: string): SimulatedContainer {
    const container = this.#require(id);
    if (container.state !== 'running') throw new RuntimeError('NotRunning', `container ${id} is not running`);
    return container;
  }

  #fail(operation: string, subject: string): void {
    const error = this.#options.fault?.(operation, subject);
    if (error !== undefined) throw error;
  }

  #newId(): string {
    this.#lastId++;
    return this.#lastId.toString(16).padStart(64, '0');
  }

  #freeAddress(): string {
    const used = new Set([...this.#sandboxes.values()].filter((sandbox) => sandbox.isRunning).map((sandbox) => sandbox.ip));
    for (let host = 2; host < 255; host++) {
      const address = `${this.#network}.${host}`;
      if (!used.has(address)) return address;
    }
    throw new RuntimeError('Network', 'no addresses left for pods of this node');
  }
}
