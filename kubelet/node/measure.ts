// What of a node's means is left, read from the kernel: a handful of small files, whatever the number of pods.
import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readMaxProcesses } from './facts.ts';

/** What changes while the kubelet runs. Unavailable figures are undefined. */
export interface Measurements {
  readonly memory: MemoryUse | undefined;
  /** Of all pods together, against what is allocatable. */
  readonly podsMemory: MemoryUse | undefined;
  /** Since the group of all pods was made. */
  readonly podsCpuNanos?: bigint | undefined;
  readonly disk: DiskUse;
  /** Of images and of what containers write; the same figures where they have no disk of their own. */
  readonly imageDisk: DiskUse;
  readonly hasImageDisk: boolean;
  readonly processes: { readonly running: number; readonly most: number } | undefined;
}

export interface MemoryUse {
  readonly availableBytes: number;
  readonly workingSetBytes: number;
  readonly usageBytes: number;
  readonly counts?: MemoryCounts;
}

/** What the kernel counts beside what is used. */
interface MemoryCounts {
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

export interface DiskUse {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
}

export interface MeasureOptions {
  readonly rootDirectory: string;
  /** Of the engine. */
  readonly imageDirectory: string;
  readonly memoryBytes: number;
  /** The control group of all pods, such as /kubepods, and how much memory they may have; undefined: they have none. */
  readonly pods: { readonly path: string; readonly memoryBytes: number } | undefined;
  readonly cgroupVersion: 1 | 2;
  /** Default /sys/fs/cgroup and /proc. */
  readonly cgroupMount?: string;
  readonly proc?: string;
}

/** Measures everything now. */
export async function measure(options: MeasureOptions): Promise<Measurements> {
  const { rootDirectory, imageDirectory, memoryBytes, pods } = options;
  const [disk, imageDisk, hasImageDisk] = await Promise.all([
    diskUse(rootDirectory),
    diskUse(imageDirectory).catch(() => diskUse(rootDirectory)),
    areApart(rootDirectory, imageDirectory),
  ]);
  return {
    memory: await groupMemory(options, '/', memoryBytes),
    podsMemory: pods === undefined ? undefined : await groupMemory(options, pods.path, pods.memoryBytes),
    podsCpuNanos: pods === undefined ? undefined : await groupCpu(options, pods.path),
    disk,
    imageDisk,
    hasImageDisk,
    processes: await processes(options.proc ?? '/proc'),
  };
}

/** The disk that holds a folder. */
/** What the file system at a path has, and what is left of it. */
export async function diskUse(path: string): Promise<DiskUse> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(path);
  return { totalBytes: bsize * blocks, availableBytes: bsize * bavail, totalInodes: files, freeInodes: ffree };
}

/** Whether images have a disk of their own. */
async function areApart(rootDirectory: string, imageDirectory: string): Promise<boolean> {
  const [root, images] = await Promise.all([stat(rootDirectory), stat(imageDirectory).catch(() => undefined)]);
  return images !== undefined && images.dev !== root.dev;
}

/** The working set is what is used without file pages that the kernel can drop. */
async function groupMemory(options: MeasureOptions, path: string, mostBytes: number): Promise<MemoryUse | undefined> {
  const { cgroupVersion, cgroupMount = '/sys/fs/cgroup' } = options;
  const folder = join(cgroupMount, cgroupVersion === 1 ? 'memory' : '', path);
  const read = async (name: string): Promise<string | undefined> => readFile(join(folder, name), 'utf8').catch(() => undefined);
  const used = await read(cgroupVersion === 1 ? 'memory.usage_in_bytes' : 'memory.current');
  const stats = await read('memory.stat');
  if (used !== undefined && stats !== undefined) {
    const of = (name: string): number => field(stats, cgroupVersion === 1 ? `total_${name}` : name);
    const counts = {
      rssBytes: of(cgroupVersion === 1 ? 'rss' : 'anon'),
      pageFaults: of('pgfault'),
      majorPageFaults: of('pgmajfault'),
    };
    return { ...memoryUse(Number(used), of('inactive_file'), mostBytes), counts };
  }
  return path === '/' ? await wholeMemory(options.proc ?? '/proc') : undefined;
}

async function groupCpu({ cgroupVersion, cgroupMount = '/sys/fs/cgroup' }: MeasureOptions, path: string): Promise<bigint | undefined> {
  const [controller, name] = cgroupVersion === 1 ? ['cpuacct', 'cpuacct.usage'] : ['', 'cpu.stat'];
  const text = await readFile(join(cgroupMount, controller, path, name), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  return cgroupVersion === 1 ? BigInt(text.trim()) : BigInt(field(text, 'usage_usec')) * 1_000n;
}

/** The root group of version 2 counts nothing itself. */
async function wholeMemory(proc: string): Promise<MemoryUse | undefined> {
  const text = await readFile(join(proc, 'meminfo'), 'utf8').catch(() => '');
  const bytes = (name: string): number =>
    1_024 * Number(new RegExp(`^${name.replace(/[()]/g, String.raw`\$&`)}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
  const totalBytes = bytes('MemTotal');
  if (totalBytes === 0) return undefined;
  const events = await readFile(join(proc, 'vmstat'), 'utf8').catch(() => '');
  const counts = { rssBytes: bytes('AnonPages'), pageFaults: field(events, 'pgfault'), majorPageFaults: field(events, 'pgmajfault') };
  return { ...memoryUse(totalBytes - bytes('MemFree'), bytes('Inactive(file)'), totalBytes), counts };
}

function memoryUse(usageBytes: number, inactiveBytes: number, mostBytes: number): MemoryUse {
  const workingSetBytes = Math.max(0, usageBytes - inactiveBytes);
  return { availableBytes: Math.max(0, mostBytes - workingSetBytes), workingSetBytes, usageBytes };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

async function processes(proc: string): Promise<Measurements['processes']> {
  const [most, load] = await Promise.all([readMaxProcesses(proc), readFile(join(proc, 'loadavg'), 'utf8').catch(() => '')]);
  // Such as `0.20 0.18 0.12 1/80 11206`: runnable and existing tasks.
  const running = /^\S+ \S+ \S+ \d+\/(\d+) /.exec(load)?.[1];
  return running === undefined || !Number.isFinite(most) ? undefined : { running: Number(running), most };
}
