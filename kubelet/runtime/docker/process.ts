// What we read of containers' processes from the kernel, where the engine has no quick answer.
import { readFile } from 'node:fs/promises';

interface ProcessUsage {
  readonly cpuNanos: bigint;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly processes?: number;
  readonly rssBytes: number;
  readonly swapBytes?: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

/** Kills a process if it (still) belongs to that container: process ids are used again. */
export async function killContainerProcess(pid: number, containerId: string): Promise<void> {
  const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  if (pid > 1 && groups.includes(containerId)) process.kill(pid, 'SIGKILL');
}

/** What the control group of a container's process uses, on either version of control groups; undefined when it is gone. */
export async function usageOf(pid: number, containerId: string): Promise<ProcessUsage | undefined> {
  try {
    const said = await readFile(`/proc/${pid}/cgroup`, 'utf8');
    // Process ids are used again.
    if (!said.includes(containerId)) return undefined;
    const groups = parseGroups(said);
    return groups.unified !== undefined && groups.memory === undefined ? await usageV2(groups.unified) : await usageV1(groups);
  } catch {
    // It ended between two reads.
    return undefined;
  }
}

interface Groups {
  readonly memory: string | undefined;
  readonly cpuacct: string | undefined;
  readonly pids: string | undefined;
  readonly unified: string | undefined;
}

/** Lines such as `4:memory:/kubepods/pod1/abc` and `0::/kubepods/pod1/abc`. */
function parseGroups(text: string): Groups {
  const byController = new Map<string, string>();
  for (const line of text.trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const controller of controllers.split(',')) byController.set(controller, path);
  }
  return {
    memory: byController.get('memory'),
    cpuacct: byController.get('cpuacct'),
    pids: byController.get('pids'),
    unified: byController.get(''),
  };
}

async function usageV1({ memory, cpuacct, pids }: Groups): Promise<ProcessUsage> {
  const memoryFolder = `/sys/fs/cgroup/memory${memory}`;
  const [cpu, used, stat, processes] = await Promise.all([
    readFile(`/sys/fs/cgroup/cpuacct${cpuacct}/cpuacct.usage`, 'utf8'),
    readFile(`${memoryFolder}/memory.usage_in_bytes`, 'utf8'),
    readFile(`${memoryFolder}/memory.stat`, 'utf8'),
    count(`/sys/fs/cgroup/pids${pids}/pids.current`),
  ]);
  const of = (name: string): number => field(stat, `total_${name}`);
  const swapBytes = stat.includes('total_swap ') ? { swapBytes: of('swap') } : {};
  const rest = { ...swapBytes, rssBytes: of('rss'), pageFaults: of('pgfault'), majorPageFaults: of('pgmajfault') };
  return { ...usage(BigInt(cpu.trim()), Number(used), of('inactive_file')), ...rest, ...processes };
}

async function usageV2(path: string): Promise<ProcessUsage> {
  const folder = `/sys/fs/cgroup${path}`;
  const [cpu, used, stat, processes, swap] = await Promise.all([
    readFile(`${folder}/cpu.stat`, 'utf8'),
    readFile(`${folder}/memory.current`, 'utf8'),
    readFile(`${folder}/memory.stat`, 'utf8'),
    count(`${folder}/pids.current`),
    amount(`${folder}/memory.swap.current`),
  ]);
  const of = (name: string): number => field(stat, name);
  const swapBytes = swap === undefined ? {} : { swapBytes: swap };
  const rest = { ...swapBytes, rssBytes: of('anon'), pageFaults: of('pgfault'), majorPageFaults: of('pgmajfault') };
  return { ...usage(BigInt(field(cpu, 'usage_usec')) * 1_000n, Number(used), of('inactive_file')), ...rest, ...processes };
}

/** Nothing where the controller is not there. */
async function count(path: string): Promise<{ processes?: number }> {
  const processes = await amount(path);
  return processes === undefined ? {} : { processes };
}

async function amount(path: string): Promise<number | undefined> {
  const said = Number(await readFile(path, 'utf8').catch(() => 'NaN'));
  return Number.isFinite(said) ? said : undefined;
}

function usage(
  cpuNanos: bigint,
  usedBytes: number,
  inactiveBytes: number,
): Pick<ProcessUsage, 'cpuNanos' | 'memoryUsageBytes' | 'memoryWorkingSetBytes'> {
  return { cpuNanos, memoryUsageBytes: usedBytes, memoryWorkingSetBytes: Math.max(0, usedBytes - inactiveBytes) };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
