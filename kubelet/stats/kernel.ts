// Figures of the machine and its network interfaces, from the kernel. Unavailable ones are undefined.
import { readFile } from 'node:fs/promises';
import type { InterfaceFigures } from './figures.ts';

export interface HostFigures {
  /** Of all processors since the start. */
  readonly cpuNanos: bigint;
  readonly startedMs: number;
  readonly swap: { readonly totalBytes: number; readonly freeBytes: number };
  readonly interfaces: readonly InterfaceFigures[];
}

/** The kernel counts time in hundredths of a second here, whatever the machine. */
const nanosPerTick = 10_000_000n;

export async function hostFigures(proc = '/proc'): Promise<HostFigures | undefined> {
  const read = async (name: string): Promise<string> => readFile(`${proc}/${name}`, 'utf8').catch(() => '');
  const [stat, meminfo, devices] = await Promise.all([read('stat'), read('meminfo'), read('net/dev')]);
  const ticks = /^cpu +(.+)$/m.exec(stat)?.[1]?.split(' ').map(BigInt);
  if (ticks === undefined) return undefined;
  const [user = 0n, nice = 0n, system = 0n, , , irq = 0n, softIrq = 0n, steal = 0n] = ticks;
  const bytes = (name: string): number => 1_024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0);
  return {
    cpuNanos: (user + nice + system + irq + softIrq + steal) * nanosPerTick,
    startedMs: 1_000 * Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0),
    swap: { totalBytes: bytes('SwapTotal'), freeBytes: bytes('SwapFree') },
    interfaces: parseInterfaces(devices),
  };
}

/** What some processes use together. */
export interface ProcessFigures {
  /** When the first one started. */
  readonly startedMs: number;
  readonly cpuNanos: bigint;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

/** Memory is counted in pages here. */
const pageBytes = 4_096;

/** Undefined where none of them is there. `bootMs` is when the machine started. */
export async function processFigures(pids: readonly number[], bootMs: number, proc = '/proc'): Promise<ProcessFigures | undefined> {
  const texts = await Promise.all(pids.map((pid) => readFile(`${proc}/${pid}/stat`, 'utf8').catch(() => '')));
  const found = texts.filter((text) => text !== '').map((text) => processOf(text, bootMs));
  const [first] = found;
  if (first === undefined) return undefined;
  return found.slice(1).reduce(
    (sum, one) => ({
      startedMs: Math.min(sum.startedMs, one.startedMs),
      cpuNanos: sum.cpuNanos + one.cpuNanos,
      rssBytes: sum.rssBytes + one.rssBytes,
      pageFaults: sum.pageFaults + one.pageFaults,
      majorPageFaults: sum.majorPageFaults + one.majorPageFaults,
    }),
    first,
  );
}

/** Such as `42 (node) S 1 42 …`: the name may hold anything, what is counted stands behind it. (proc_pid_stat(5)) */
function processOf(text: string, bootMs: number): ProcessFigures {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // The third field of the manual is the first one here.
  const at = (field: number): number => Number(fields[field - 3] ?? 0);
  return {
    startedMs: bootMs + at(22) * 10,
    cpuNanos: BigInt(at(14) + at(15)) * nanosPerTick,
    rssBytes: at(24) * pageBytes,
    pageFaults: at(10),
    majorPageFaults: at(12),
  };
}

/** The processes of the engine, as far as it says where: its own, and that of the containerd which it started. */
export async function engineProcesses(run = '/var/run'): Promise<number[]> {
  const files = [`${run}/docker.pid`, `${run}/docker/containerd/containerd.pid`];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.map((text) => Number(text.trim())).filter((pid) => Number.isSafeInteger(pid) && pid > 0);
}

/** The interfaces that a process sees, loopback left out. */
export async function interfacesOf(pid: number): Promise<readonly InterfaceFigures[]> {
  return parseInterfaces(await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => ''));
}

/** Lines of /proc/net/dev: `eth0: <bytes> <packets> <errors> …8 columns received, 8 sent`. */
export function parseInterfaces(text: string): InterfaceFigures[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*([^:\s]+):\s*(.+)$/.exec(line);
    const [, name = '', rest = ''] = match ?? [];
    if (match === null || name === 'lo') return [];
    const numbers = rest.trim().split(/\s+/).map(Number);
    return [{ name, rxBytes: numbers[0] ?? 0, rxErrors: numbers[2] ?? 0, txBytes: numbers[8] ?? 0, txErrors: numbers[10] ?? 0 }];
  });
}
