import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ticksPerSecond = 100;

/** CPU time that a process has used so far, all threads, in microseconds (to 10 ms). */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
}

/** Memory of a process in MB, with what it shares counted in part (proportional set size). */
export function pssMegabytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1_024;
}

/** Processes of the process namespaces that `members` live in, with their command lines. */
export function processesBeside(members: readonly number[]): readonly { readonly pid: number; readonly command: string }[] {
  const spaces = new Set(members.map((pid) => readlinkSync(`/proc/${pid}/ns/pid`)));
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      if (!spaces.has(readlinkSync(`/proc/${pid}/ns/pid`))) return [];
      return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
    } catch {
      // It is gone, or just going.
      return [];
    }
  });
}
