// Judges what ran where: of a pod's name and one of its containers, no two run at a time, whatever host they run on.
import type { Run } from './operation.ts';

/** What is wrong, a line each. All hosts are of one machine, which has one clock: nothing is allowed for. */
export function checkRuns(runs: readonly Run[]): string[] {
  const problems: string[] = [];
  const last = new Map<string, Run>();
  for (const next of [...runs].sort((a, b) => a.startMs - b.startMs)) {
    const name = nameOf(next);
    const before = last.get(name);
    if (before !== undefined && endOf(before) > next.startMs) {
      const together = Math.min(endOf(before), endOf(next)) - next.startMs;
      problems.push(`${name} ran twice, for ${Math.round(together)} ms: ${words(before)} and ${words(next)}`);
    }
    // The one that ends last is what the next one may meet.
    if (before === undefined || endOf(next) > endOf(before)) last.set(name, next);
  }
  return problems;
}

/** By `NAMESPACE/POD/CONTAINER`: how often it was started. */
export function starts(runs: readonly Run[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(nameOf(run), (counts.get(nameOf(run)) ?? 0) + 1);
  return counts;
}

function nameOf({ namespace, pod, container }: Run): string {
  return `${namespace}/${pod}/${container}`;
}

function endOf({ endMs = Number.POSITIVE_INFINITY }: Run): number {
  return endMs;
}

function words({ host, uid, id, startMs, endMs }: Run): string {
  const at = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
  return `${id.slice(0, 12)} of ${uid} on ${host} from ${at(startMs)} ${endMs === undefined ? 'on' : `to ${at(endMs)}`}`;
}
