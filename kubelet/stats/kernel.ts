// What the kernel tells of the machine and of network interfaces. What it does not tell is undefined.
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
