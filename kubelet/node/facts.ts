import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { RuntimeInfo } from '../runtime/contract.ts';

/** What does not change while the kubelet runs. */
export interface MachineFacts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  /** Bytes set aside, by size such as 2Mi. */
  readonly hugepages: Readonly<Record<string, number>>;
  /** How many processes the kernel allows; Infinity where it does not tell. */
  readonly maxProcesses: number;
  /** 0: there is none. */
  readonly swapBytes: number;
  /** The kernel has AppArmor, and it is switched on. */
  readonly hasAppArmor: boolean;
}

/** Reads the machine's facts; unavailable ones are empty or zero. */
export async function readMachineFacts(info: RuntimeInfo): Promise<MachineFacts> {
  const text = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim();
  const machineId = await text('/etc/machine-id');
  return {
    cpuMillis: (info.cpuCount > 0 ? info.cpuCount : availableParallelism()) * 1_000,
    memoryBytes: info.memoryBytes > 0 ? info.memoryBytes : totalmem(),
    machineId: machineId === '' ? await text('/var/lib/dbus/machine-id') : machineId,
    systemUuid: await text('/sys/class/dmi/id/product_uuid'),
    bootId: await text('/proc/sys/kernel/random/boot_id'),
    hugepages: await readHugepages(text),
    maxProcesses: await readMaxProcesses(),
    swapBytes: 1_024 * Number(/^SwapTotal:\s+(\d+) kB$/m.exec(await text('/proc/meminfo'))?.[1] ?? 0),
    hasAppArmor: (await text('/sys/module/apparmor/parameters/enabled')) === 'Y',
  };
}

/** By its setting and by its memory. @param proc where the kernel tells it */
export async function readMaxProcesses(proc = '/proc'): Promise<number> {
  const limits = ['pid_max', 'threads-max'].map(async (name) =>
    Number(await readFile(join(proc, 'sys/kernel', name), 'utf8').catch(() => 'Infinity')),
  );
  return Math.min(...(await Promise.all(limits)));
}

async function readHugepages(text: (path: string) => Promise<string>): Promise<Record<string, number>> {
  const root = '/sys/kernel/mm/hugepages';
  const sizes: Record<string, number> = {};
  for (const name of await readdir(root).catch(() => [])) {
    const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    if (kib === 0) continue;
    const label = kib >= 1_048_576 ? `${kib / 1_048_576}Gi` : `${kib / 1_024}Mi`;
    sizes[label] = kib * 1_024 * Number(await text(`${root}/${name}/nr_hugepages`));
  }
  return sizes;
}
