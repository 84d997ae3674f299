// What a KubeletConfiguration says of the machine's end: fields without a flag, as upstream.
import { formatDuration } from '#base/duration.ts';
import { durationFlag, listFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { periodsOf, type ShutdownPeriod } from './plan.ts';

export const shutdownFields = {
  'shutdown-grace-period': durationFlag(0, 'How long the machine waits for pods when it shuts down'),
  'shutdown-grace-period-critical-pods': durationFlag(0, 'The part of it that is for critical pods'),
  'shutdown-grace-period-by-pod-priority': listFlag([], 'The same by priority, as priority=seconds'),
};

interface Values {
  readonly 'shutdown-grace-period': number;
  readonly 'shutdown-grace-period-critical-pods': number;
  readonly 'shutdown-grace-period-by-pod-priority': readonly string[];
}

/** None: pods end with the machine. Throws UsageError in upstream's words. */
export function shutdownPeriods(values: Values): readonly ShutdownPeriod[] {
  const { 'shutdown-grace-period': wholeMs, 'shutdown-grace-period-critical-pods': criticalMs } = values;
  const byPriority = values['shutdown-grace-period-by-pod-priority'];
  if (criticalMs > wholeMs) refuse(`shutdownGracePeriodCriticalPods ${text(criticalMs)} must be <= shutdownGracePeriod ${text(wholeMs)}`);
  for (const [name, ms] of [
    ['shutdownGracePeriod', wholeMs],
    ['shutdownGracePeriodCriticalPods', criticalMs],
  ] as const) {
    if (ms < 0 || (ms > 0 && ms < 1_000)) refuse(`${name} ${text(ms)} must be either zero or otherwise >= 1 sec`);
  }
  if (byPriority.length === 0) return periodsOf(wholeMs, criticalMs);
  if (wholeMs > 0 || criticalMs > 0)
    refuse('Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time');
  return byPriority.map((pair) => {
    const [priority, seconds] = pair.split('=').map(Number);
    return { priority: priority ?? 0, seconds: seconds ?? 0 };
  });
}

function refuse(why: string): never {
  throw new UsageError(`invalid configuration: ${why}`, { exitCode: 1 });
}

function text(ms: number): string {
  return ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms);
}
