// What the node and its pods use, gathered on request: /stats/summary and the figures for Prometheus come from here. Rates need two
// looks, so the last one is remembered. (pkg/kubelet/stats)
import type { V1Pod } from '#api/generated/types.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { quantityBytes } from '#api/meta/quantity.ts';
import type { Clock } from '#base/clock.ts';
import type { DiskAmount, PodUse } from '../eviction/usage.ts';
import type { DiskUse, Measurements, MemoryUse } from '../node/measure.ts';
import type { ContainerUsage, Runtime, RuntimePod } from '../runtime/contract.ts';
import type {
  ContainerFigures,
  CpuFigures,
  FsFigures,
  InterfaceFigures,
  MemoryFigures,
  NetworkFigures,
  PodFigures,
  Summary,
  SwapFigures,
} from './figures.ts';
import type { HostFigures, ProcessFigures } from './kernel.ts';
import type { MountedVolume } from './mounted-volumes.ts';
import type { PodUses } from './pod-uses.ts';

interface StatsDeps {
  readonly runtime: Pick<Runtime, 'usage'>;
  readonly uses: Pick<PodUses, 'diskUsage'>;
  /** Volumes of a pod that are file systems of their own. */
  readonly mounted: (pod: Pod) => Promise<readonly MountedVolume[]>;
  readonly measure: () => Promise<Measurements>;
  readonly host: () => Promise<HostFigures | undefined>;
  /** Of the kubelet itself and of the engine. */
  readonly processes: (bootMs: number) => Promise<SystemProcesses>;
  readonly interfaces: (pid: number) => Promise<readonly InterfaceFigures[]>;
  readonly pods: () => readonly V1Pod[];
  readonly observed: (podUid: string) => RuntimePod | undefined;
  /** What all images take together. */
  readonly imageBytes: () => number;
  readonly clock: Clock;
  readonly nodeName: string;
}

interface SystemProcesses {
  readonly kubelet: ProcessFigures | undefined;
  readonly runtime: ProcessFigures | undefined;
}

interface Look {
  readonly atMs: number;
  readonly cpuNanos: bigint;
}

interface Gathered {
  readonly time: string;
  readonly measured: Measurements;
  readonly looks: Map<string, Look>;
}

export class Stats {
  readonly #deps: StatsDeps;
  #looks: ReadonlyMap<string, Look> = new Map();

  constructor(deps: StatsDeps) {
    this.#deps = deps;
  }

  /** The Summary of upstream's stats API; without disks and networks where only the rest is wanted. */
  async summary(wants: 'everything' | 'cpuAndMemory', signal: AbortSignal): Promise<Summary> {
    const { clock, measure } = this.#deps;
    const gathered: Gathered = { time: new Date(clock.nowMs()).toISOString(), measured: await measure(), looks: new Map() };
    const pods = this.#deps.pods() as readonly Pod[];
    const measurable = pods.map((pod) => ({ uid: uidOf(pod), pod, observed: this.#deps.observed(uidOf(pod)) }));
    const disks = wants === 'everything' ? await this.#deps.uses.diskUsage(measurable, 'recent', signal) : undefined;
    const [node, ...figures] = await Promise.all([
      this.#node(gathered, wants),
      ...pods.map((pod) => this.#pod(pod, disks?.get(uidOf(pod)), gathered, wants, signal)),
    ]);
    this.#looks = gathered.looks;
    return { node, pods: figures };
  }

  async #node(gathered: Gathered, wants: 'everything' | 'cpuAndMemory'): Promise<Summary['node']> {
    const { nodeName, host, imageBytes } = this.#deps;
    const { time, measured } = gathered;
    const { memory, disk, imageDisk, processes } = measured;
    const machine = await host();
    const startTime = new Date(machine?.startedMs ?? 0).toISOString();
    const swap = machine === undefined ? undefined : { time, ...swapOf(machine) };
    const common = {
      nodeName,
      systemContainers: await this.#systemContainers(machine?.startedMs ?? 0, gathered),
      startTime,
      ...(machine === undefined ? {} : { cpu: this.#cpu('node', machine.cpuNanos, gathered) }),
      ...(memory === undefined ? {} : { memory: wholeMemory(memory, time) }),
      ...(swap === undefined ? {} : { swap }),
    };
    if (wants === 'cpuAndMemory') return common;
    const images = fsFigures(imageDisk, { usedBytes: imageBytes(), inodes: imageDisk.totalInodes - imageDisk.freeInodes }, time);
    return {
      ...common,
      ...(machine === undefined ? {} : networkOf(machine.interfaces, time)),
      fs: fsFigures(disk, wholeDisk(disk), time),
      runtime: { imageFs: images, containerFs: fsFigures(imageDisk, wholeDisk(imageDisk), time) },
      ...(processes === undefined ? {} : { rlimit: { time, maxpid: processes.most, curproc: processes.running } }),
    };
  }

  /** What upstream calls so: the agent, the engine, and all pods together. */
  async #systemContainers(bootMs: number, gathered: Gathered): Promise<ContainerFigures[]> {
    const { time, measured } = gathered;
    const { podsMemory, podsCpuNanos } = measured;
    const { kubelet, runtime } = await this.#deps.processes(bootMs);
    const ofProcesses = (name: string, used: ProcessFigures | undefined): ContainerFigures[] => {
      if (used === undefined) return [];
      const { startedMs, cpuNanos, rssBytes, pageFaults, majorPageFaults } = used;
      const memory = { time, usageBytes: rssBytes, workingSetBytes: rssBytes, rssBytes, pageFaults, majorPageFaults };
      return [{ name, startTime: new Date(startedMs).toISOString(), cpu: this.#cpu(`process/${name}`, cpuNanos, gathered), memory }];
    };
    const pods: ContainerFigures = {
      name: 'pods',
      startTime: new Date(bootMs).toISOString(),
      ...(podsCpuNanos === undefined ? {} : { cpu: this.#cpu('pods', podsCpuNanos, gathered) }),
      ...(podsMemory === undefined ? {} : { memory: wholeMemory(podsMemory, time) }),
    };
    return [...ofProcesses('kubelet', kubelet), ...ofProcesses('runtime', runtime), ...(podsMemory === undefined ? [] : [pods])];
  }

  async #pod(
    pod: Pod,
    disk: PodUse | undefined,
    gathered: Gathered,
    wants: 'everything' | 'cpuAndMemory',
    signal: AbortSignal,
  ): Promise<PodFigures> {
    const { runtime, observed, interfaces } = this.#deps;
    const { time } = gathered;
    const { name = '', namespace = '' } = pod.metadata;
    const uid = uidOf(pod);
    const known = observed(uid);
    const used = await runtime.usage(uid, signal, known).catch(() => []);
    signal.throwIfAborted();
    const pid = pod.spec.hostNetwork === true ? undefined : known?.sandboxes[0]?.pid;
    const processes = used.flatMap((one) => one.processes ?? []);
    const figures: PodFigures = {
      podRef: { name, namespace, uid },
      startTime: pod.status?.startTime ?? null,
      containers: used.map((usage) => this.#container(pod, usage, known, disk, gathered)),
      ...(used.length === 0 ? {} : { cpu: this.#cpu(uid, sumOf(used), gathered), memory: podMemory(used, time) }),
      ...swapFigures(used, time),
      ...(processes.length === 0 ? {} : { process_stats: { process_count: processes.reduce((sum, one) => sum + one, 0) } }),
    };
    if (wants === 'cpuAndMemory') return figures;
    return {
      ...figures,
      ...(pid === undefined ? {} : networkOf(await interfaces(pid), time)),
      ...(disk === undefined ? {} : podDisk(disk, await this.#deps.mounted(pod), gathered)),
    };
  }

  #container(
    pod: Pod,
    usage: ContainerUsage,
    known: RuntimePod | undefined,
    disk: PodUse | undefined,
    gathered: Gathered,
  ): ContainerFigures {
    const { time, measured } = gathered;
    const { name, id } = usage;
    const startedAtMs = known?.containers.find((one) => one.id === id)?.startedAtMs;
    const written = disk?.containers.find((one) => one.name === name);
    const limit = limitOf(pod, name);
    return {
      name,
      startTime: startedAtMs === undefined ? null : new Date(startedAtMs).toISOString(),
      cpu: this.#cpu(id, usage.cpuNanos, gathered),
      memory: {
        ...(limit === 0 ? {} : { availableBytes: Math.max(0, limit - usage.memoryWorkingSetBytes) }),
        ...memoryFigures(usage, time),
      },
      ...swapFigures([usage], time),
      ...(written?.rootfs === undefined ? {} : { rootfs: fsFigures(measured.imageDisk, written.rootfs, time) }),
      ...(written?.logs === undefined ? {} : { logs: fsFigures(measured.disk, written.logs, time) }),
    };
  }

  /** `key` names what was looked at, in the next look too. */
  #cpu(key: string, cpuNanos: bigint, { time, looks }: Gathered): CpuFigures {
    const look: Look = { atMs: this.#deps.clock.monotonicMs(), cpuNanos };
    looks.set(key, look);
    const before = this.#looks.get(key);
    const passedMs = before === undefined ? 0 : look.atMs - before.atMs;
    const rate = before === undefined || passedMs <= 0 ? {} : { usageNanoCores: nanoCores(cpuNanos - before.cpuNanos, passedMs) };
    return { time, ...rate, usageCoreNanoSeconds: Number(cpuNanos) };
  }
}

function uidOf({ metadata }: Pod): string {
  return metadata.uid ?? '';
}

/** 0: none. */
function limitOf({ spec }: Pod, container: string): number {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  return quantityBytes(all.find(({ name }) => name === container)?.resources?.limits?.['memory']);
}

function nanoCores(nanos: bigint, passedMs: number): number {
  return Math.max(0, Math.round((Number(nanos) * 1_000) / passedMs));
}

function sumOf(used: readonly ContainerUsage[]): bigint {
  return used.reduce((sum, { cpuNanos }) => sum + cpuNanos, 0n);
}

function memoryFigures(usage: ContainerUsage, time: string): MemoryFigures {
  const { memoryUsageBytes: usageBytes, memoryWorkingSetBytes: workingSetBytes, rssBytes, pageFaults, majorPageFaults } = usage;
  return {
    time,
    usageBytes,
    workingSetBytes,
    ...(rssBytes === undefined ? {} : { rssBytes }),
    ...(pageFaults === undefined ? {} : { pageFaults }),
    ...(majorPageFaults === undefined ? {} : { majorPageFaults }),
  };
}

/** Nothing where it is not measured. */
function swapFigures(used: readonly ContainerUsage[], time: string): { readonly swap?: SwapFigures } {
  const counted = used.flatMap(({ swapBytes }) => swapBytes ?? []);
  return counted.length === 0 ? {} : { swap: { time, swapUsageBytes: counted.reduce((sum, one) => sum + one, 0) } };
}

function podMemory(used: readonly ContainerUsage[], time: string): MemoryFigures {
  const sum = (of: (usage: ContainerUsage) => number | undefined): number => used.reduce((total, usage) => total + (of(usage) ?? 0), 0);
  return {
    time,
    usageBytes: sum((one) => one.memoryUsageBytes),
    workingSetBytes: sum((one) => one.memoryWorkingSetBytes),
    rssBytes: sum((one) => one.rssBytes),
    pageFaults: sum((one) => one.pageFaults),
    majorPageFaults: sum((one) => one.majorPageFaults),
  };
}

function wholeMemory({ counts, ...bytes }: MemoryUse, time: string): MemoryFigures {
  return { time, ...bytes, ...counts };
}

function wholeDisk({ totalBytes, availableBytes, totalInodes, freeInodes }: DiskUse): DiskAmount {
  return { usedBytes: totalBytes - availableBytes, inodes: totalInodes - freeInodes };
}

function fsFigures(disk: DiskUse, { usedBytes, inodes: inodesUsed }: DiskAmount, time: string): FsFigures {
  const { availableBytes, totalBytes: capacityBytes, freeInodes: inodesFree, totalInodes: inodes } = disk;
  return { time, availableBytes, capacityBytes, usedBytes, inodesFree, inodes, inodesUsed };
}

/** Volumes, and all that the pod has on the node's disk together, which those with a file system of their own do not take. */
function podDisk(
  { containers, volumes }: PodUse,
  mounted: readonly MountedVolume[],
  { time, measured }: Gathered,
): Pick<PodFigures, 'volume' | 'ephemeral-storage'> {
  const parts = [...containers.flatMap(({ rootfs, logs }) => [rootfs, logs]), ...volumes].filter((one) => one !== undefined);
  const total = parts.reduce((sum, one) => ({ usedBytes: sum.usedBytes + one.usedBytes, inodes: sum.inodes + one.inodes }), {
    usedBytes: 0,
    inodes: 0,
  });
  const volume = [
    ...volumes.map((one) => ({ ...fsFigures(measured.disk, one, time), name: one.name })),
    ...mounted.map(({ name, ...own }) => ({ ...fsFigures(own, wholeDisk(own), time), name })),
  ];
  return { ...(volume.length === 0 ? {} : { volume }), 'ephemeral-storage': fsFigures(measured.disk, total, time) };
}

/** The first one stands for the whole, as upstream's default interface. */
function networkOf(interfaces: readonly InterfaceFigures[], time: string): { readonly network?: NetworkFigures } {
  const first = interfaces.find(({ name }) => name === 'eth0') ?? interfaces[0];
  return first === undefined ? {} : { network: { time, ...first, interfaces } };
}

function swapOf({ swap }: HostFigures): { readonly swapAvailableBytes: number; readonly swapUsageBytes: number } {
  return { swapAvailableBytes: swap.freeBytes, swapUsageBytes: swap.totalBytes - swap.freeBytes };
}
