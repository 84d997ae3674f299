/** What the supervisor knows about one component. */
export interface Seen {
  readonly name: string;
  /** Digest of the command that should run; undefined where none should any more. */
  readonly wanted: string | undefined;
  /** What runs; undefined where nothing does. */
  readonly running: { readonly command: string; readonly startedMs: number } | undefined;
  /** Starts in a row that did not last. */
  readonly failures: number;
  /** When the last start was made; undefined before the first. */
  readonly lastStartMs: number | undefined;
}

interface Step {
  readonly do: 'start' | 'replace' | 'stop';
  readonly name: string;
}

/** A process that lives so long counts as well, and its back-off starts over. */
export const steadyMs = 60_000;
const firstDelayMs = 250;
const maxDelayMs = 30_000;

/**
 * What to do now, component by component: start what is missing once its back-off is over, replace what runs another command, stop what
 * nobody wants any more.
 */
export function planSupervision(seen: readonly Seen[], nowMs: number): Step[] {
  return seen.flatMap((one): Step[] => {
    if (one.wanted === undefined) return one.running === undefined ? [] : [{ do: 'stop', name: one.name }];
    if (one.running !== undefined) return one.running.command === one.wanted ? [] : [{ do: 'replace', name: one.name }];
    const dueMs = one.lastStartMs === undefined ? 0 : one.lastStartMs + delayMs(one.failures);
    return nowMs >= dueMs ? [{ do: 'start', name: one.name }] : [];
  });
}

/** How long after a start the next may come, when `failures` starts in a row did not last. */
export function delayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1));
}
