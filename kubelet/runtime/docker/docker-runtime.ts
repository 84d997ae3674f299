// The runtime on a Docker Engine. Holds no state of its own but what it measured once: every answer comes from the engine's labels and
// from the network's files, so that a new process can go on at any moment, and any number of calls may be under way.
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import type { PortDialer } from '../../network/port-dialer.ts';
import {
  type ContainerResources,
  type ContainerSpec,
  type ContainerStorage,
  type ContainerUsage,
  isRuntimeError,
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
import { type Measured, measureAbilities } from './abilities.ts';
import { containerConfig, resourceConfig } from './container-config.ts';
import { createOrAdopt } from './creation.ts';
import { Engine } from './engine.ts';
import { followEvents } from './events.ts';
import { DockerImages } from './image-store.ts';
import { type InspectedContainer, type ListedContainer } from './inspection.ts';
import { linkLog, unlinkLog } from './log-links.ts';
import { readLogs } from './logs.ts';
import { clusterLabel, containerName, encodeLabels, imageLabel, imageRefLabel, logPathLabel, sandboxIdLabel } from './names.ts';
import { ensurePauseImage, goArchitecture, pauseImage } from './pause-image.ts';
import { PodReader } from './pod-reader.ts';
import { usageOf } from './process.ts';
import { ignoreEnded, ignoreGone, Sandboxes } from './sandboxes.ts';
import { runAttach, runExec, runExecSync } from './session.ts';

interface DockerRuntimeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly network: PodNetwork;
  readonly dialer: PortDialer;
}

interface DockerRuntimeOptions {
  /** Default /var/run/docker.sock. */
  readonly socketPath?: string;
  /** Whose containers these are; default `coxswain`. Others are never touched. */
  readonly cluster?: string;
}

/** An engine that takes longer for a ping hangs. */
const pingTimeoutMs = 5_000;

interface EngineInfo {
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly CgroupDriver: string;
  readonly CgroupVersion?: string;
  readonly Driver: string;
  readonly DockerRootDir: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly Runtimes?: Readonly<Record<string, unknown>>;
}

export class DockerRuntime implements Runtime {
  readonly images: DockerImages;
  readonly #deps: DockerRuntimeDeps;
  readonly #cluster: string;
  readonly #engine: Engine;
  readonly #sandboxes: Sandboxes;
  readonly #pods: PodReader;
  #measured: Promise<Measured> | undefined;
  #pauseImage: Promise<string> | undefined;

  constructor(deps: DockerRuntimeDeps, options: DockerRuntimeOptions = {}) {
    this.#deps = deps;
    this.#cluster = options.cluster ?? 'coxswain';
    this.#engine = new Engine(options.socketPath ?? '/var/run/docker.sock');
    this.images = new DockerImages(this.#engine, deps.clock);
    this.#pods = new PodReader({ engine: this.#engine, network: deps.network, cluster: this.#cluster });
    this.#sandboxes = new Sandboxes({
      engine: this.#engine,
      network: deps.network,
      cluster: this.#cluster,
      log: deps.log,
      abilities: (signal) => this.#abilities(signal),
      image: (wanted, signal) => this.#sandboxImage(wanted, signal),
    });
  }

  async info(signal: AbortSignal): Promise<RuntimeInfo> {
    const raw = await this.#engine.call<EngineInfo>('GET', '/info', {}, signal);
    const { refusals } = await this.#abilities(signal);
    return {
      name: 'docker',
      version: raw.ServerVersion,
      apiVersion: await this.#engine.version(signal),
      kernelVersion: raw.KernelVersion,
      osImage: raw.OperatingSystem,
      operatingSystem: raw.OSType,
      architecture: goArchitecture(raw.Architecture),
      cgroupDriver: raw.CgroupDriver === 'systemd' ? 'systemd' : 'cgroupfs',
      cgroupVersion: raw.CgroupVersion === '2' ? 2 : 1,
      storageDriver: raw.Driver,
      handlers: Object.keys(raw.Runtimes ?? {}).toSorted(),
      rootDirectory: raw.DockerRootDir,
      cpuCount: raw.NCPU,
      memoryBytes: raw.MemTotal,
      refuses: refusals,
    };
  }

  async health(signal: AbortSignal): Promise<RuntimeHealth> {
    let runtimeProblem: string | undefined;
    using deadline = this.#deps.clock.deadline(signal, pingTimeoutMs);
    try {
      await this.#engine.call('GET', '/_ping', {}, deadline.signal);
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      runtimeProblem = deadline.signal.aborted ? `the Docker Engine does not answer: ${why}` : why;
    }
    return { runtimeProblem, networkProblem: await this.#deps.network.problem() };
  }

  async setPodCidrs(cidrs: readonly string[], signal: AbortSignal): Promise<void> {
    const { network } = this.#deps;
    const pods = await this.pods(signal);
    await network.forgetAllBut(new Set(pods.flatMap((pod) => pod.sandboxes.map((sandbox) => sandbox.id))), signal);
    await network.setPodCidrs(cidrs, signal);
  }

  pods(signal: AbortSignal): Promise<readonly RuntimePodSummary[]> {
    return this.#pods.all(signal);
  }

  podStatus(podUid: string, signal: AbortSignal): Promise<RuntimePod | undefined> {
    return this.#pods.one(podUid, signal);
  }

  async *events(signal: AbortSignal): AsyncGenerator<RuntimeEvent, void, undefined> {
    const { clock, log, network } = this.#deps;
    for await (const event of followEvents({ engine: this.#engine, cluster: this.#cluster, clock, log }, signal)) {
      if (event.type === 'everything') {
        // A new engine may have put its own rules in front of ours.
        await network.refresh(signal).catch((err: unknown) => {
          if (!isAbort(err, signal)) log.warn({ err }, 'cannot make the rules of the pod network again');
        });
      }
      yield event;
    }
  }

  async createSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<SandboxStatus> {
    try {
      return await this.#sandboxes.create(spec, signal);
    } catch (error) {
      if (!isRuntimeError(error, 'NotFound') || this.#pauseImage === undefined) throw error;
      // The sandbox image was removed: recreate it.
      this.#pauseImage = undefined;
      return this.#sandboxes.create(spec, signal);
    }
  }

  async stopSandbox(id: string, signal: AbortSignal): Promise<void> {
    const members = await this.#pods.containersOf(id, signal);
    await Promise.all(members.filter(isRunning).map((member) => this.stopContainer(member.Id, 0, signal)));
    await this.#sandboxes.stop(id, signal);
  }

  async removeSandbox(id: string, signal: AbortSignal): Promise<void> {
    const members = await this.#pods.containersOf(id, signal);
    await Promise.all(members.map((member) => this.removeContainer(member.Id, signal)));
    await this.#sandboxes.remove(id, signal);
  }

  async createContainer(sandboxId: string, spec: ContainerSpec, signal: AbortSignal): Promise<string> {
    const sandbox = await this.#sandboxes.find(sandboxId, signal);
    const identity = sandbox && this.#pods.identity(sandbox);
    if (identity === undefined) throw new RuntimeError('NotFound', `no sandbox ${sandboxId}`);
    const image = await this.images.find(spec.imageId ?? spec.image, signal);
    if (image === undefined) throw new RuntimeError('NotFound', `No such image: ${spec.image}`);
    const labels = encodeLabels({
      cluster: this.#cluster,
      kind: 'container',
      pod: identity.pod,
      container: spec.name,
      attempt: spec.attempt,
      labels: spec.labels,
      annotations: spec.annotations,
      extra: {
        [sandboxIdLabel]: sandboxId,
        [imageLabel]: spec.image,
        [imageRefLabel]: image.ref,
        ...(spec.logPath === undefined ? {} : { [logPathLabel]: spec.logPath }),
      },
    });
    const ties = await this.#sandboxes.ties(sandboxId, signal);
    const body = containerConfig(spec, image.id, labels, ties, await this.#abilities(signal));
    return createOrAdopt(this.#engine, containerName(spec.name, identity.pod, spec.attempt), body, labels, signal);
  }

  async startContainer(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#engine.call('POST', `/containers/${id}/start`, {}, signal);
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'Refused') throw error;
      throw new RuntimeError('CannotRun', error.message, { cause: error });
    }
    await this.#linkLog(id, signal);
  }

  async stopContainer(id: string, graceMs: number, signal: AbortSignal): Promise<void> {
    const raw = await this.#find(id, signal);
    if (raw === undefined || !raw.State.Running) return;
    if (graceMs > 0) {
      await this.#signalContainer(id, raw.Config.StopSignal ?? 'SIGTERM', signal);
      if (await this.#waitForEnd(id, graceMs, signal)) return;
    }
    await this.#signalContainer(id, 'SIGKILL', signal);
    await this.#engine.call('POST', `/containers/${id}/wait`, {}, signal).catch(ignoreEnded);
  }

  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    const raw = await this.#find(id, signal);
    if (raw === undefined) return;
    await this.#engine.call('DELETE', `/containers/${id}`, { query: { force: true, v: true } }, signal).catch(ignoreGone);
    await unlinkLog(raw);
  }

  async updateResources(id: string, resources: ContainerResources, signal: AbortSignal): Promise<void> {
    const body = resourceConfig(resources);
    await this.#engine.call('POST', `/containers/${id}/update`, { body }, signal);
  }

  exec(id: string, command: readonly string[], streams: Streams, signal: AbortSignal): Promise<number> {
    return runExec({ engine: this.#engine, clock: this.#deps.clock }, id, command, streams, signal);
  }

  execSync(id: string, command: readonly string[], options: ExecSyncOptions, signal: AbortSignal): Promise<ExecSyncOutcome> {
    return runExecSync({ engine: this.#engine, clock: this.#deps.clock }, id, command, options, signal);
  }

  async attach(id: string, streams: Streams, signal: AbortSignal): Promise<void> {
    const raw = await this.#require(id, signal);
    if (!raw.State.Running) throw new RuntimeError('NotRunning', `container ${id} is not running`);
    await runAttach(this.#engine, id, { ...streams, tty: raw.Config.Tty }, signal);
  }

  async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const raw = await this.#require(id, signal);
    yield* readLogs({ engine: this.#engine, id, tty: raw.Config.Tty }, options, signal);
  }

  async portForward(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const raw = await this.#sandboxes.find(sandboxId, signal);
    if (raw === undefined) throw new RuntimeError('NotFound', `no sandbox ${sandboxId}`);
    if (!raw.State.Running) throw new RuntimeError('NotRunning', `sandbox ${sandboxId} is not running`);
    const netns = raw.HostConfig.NetworkMode === 'host' ? undefined : `/proc/${raw.State.Pid}/ns/net`;
    return this.#deps.dialer.dial(netns, port, signal);
  }

  async usage(podUid: string, signal: AbortSignal, known?: RuntimePod): Promise<readonly ContainerUsage[]> {
    const pod = known ?? (await this.podStatus(podUid, signal));
    const found = await Promise.all(
      (pod?.containers ?? []).map(async ({ id, name, pid }) => {
        const used = pid === undefined ? undefined : await usageOf(pid, id);
        return used === undefined ? [] : [{ id, name, ...used }];
      }),
    );
    return found.flat();
  }

  async storage(id: string, signal: AbortSignal): Promise<ContainerStorage | undefined> {
    const raw = await this.#find(id, signal);
    if (raw === undefined) return undefined;
    const logFile = raw.LogPath === '' ? undefined : raw.LogPath;
    const folder = raw.GraphDriver?.Data?.['UpperDir'];
    if (folder !== undefined) return { written: { folder }, logFile };
    // Other drivers do not say where: the engine must count, which it does anew for every question.
    const sized = await this.#engine.call<{ SizeRw?: number }>('GET', `/containers/${id}/json`, { query: { size: true } }, signal);
    return { written: { usedBytes: sized.SizeRw ?? 0 }, logFile };
  }

  /** Measured once; a failure to measure is not remembered. */
  async #abilities(signal: AbortSignal): Promise<Measured> {
    this.#measured ??= this.#measure(signal);
    try {
      return await this.#measured;
    } catch (error) {
      this.#measured = undefined;
      throw error;
    }
  }

  async #measure(signal: AbortSignal): Promise<Measured> {
    const image = await this.#sandboxImage(undefined, signal);
    return measureAbilities(this.#engine, image, this.#cluster, signal);
  }

  async #sandboxImage(wanted: string | undefined, signal: AbortSignal): Promise<string> {
    if (wanted !== undefined) return wanted;
    this.#pauseImage ??= this.#importPauseImage(signal);
    try {
      return await this.#pauseImage;
    } catch (error) {
      this.#pauseImage = undefined;
      throw error;
    }
  }

  async #importPauseImage(signal: AbortSignal): Promise<string> {
    const { Architecture } = await this.#engine.call<EngineInfo>('GET', '/info', {}, signal);
    await ensurePauseImage(this.#engine, Architecture, signal);
    return pauseImage;
  }

  async #signalContainer(id: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#engine.call('POST', `/containers/${id}/kill`, { query: { signal: name } }, signal).catch(ignoreEnded);
  }

  /** Whether it ended within that time. */
  async #waitForEnd(id: string, withinMs: number, signal: AbortSignal): Promise<boolean> {
    using deadline = this.#deps.clock.deadline(signal, withinMs);
    try {
      await this.#engine.call('POST', `/containers/${id}/wait`, {}, deadline.signal).catch(ignoreEnded);
      return true;
    } catch (error) {
      if (signal.aborted || !deadline.signal.aborted) throw error;
      return false;
    }
  }

  async #linkLog(id: string, signal: AbortSignal): Promise<void> {
    const raw = await this.#find(id, signal);
    if (raw === undefined) return;
    try {
      await linkLog(raw);
    } catch (err) {
      this.#deps.log.warn({ err, id }, 'cannot link a log');
    }
  }

  async #find(id: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
    return this.#sandboxes.find(id, signal);
  }

  async #require(id: string, signal: AbortSignal): Promise<InspectedContainer> {
    const raw = await this.#find(id, signal);
    if (raw === undefined || raw.Config.Labels[clusterLabel] !== this.#cluster) throw new RuntimeError('NotFound', `no container ${id}`);
    return raw;
  }
}

function isRunning(listed: ListedContainer): boolean {
  return listed.State === 'running' || listed.State === 'paused';
}
