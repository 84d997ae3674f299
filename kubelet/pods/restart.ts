/** How often a container of the pod was restarted lately. Plain data, kept by the pod's worker. */
export interface RestartHistory {
  readonly delayMs: number;
  /** When the last restart was allowed. */
  readonly lastMs: number;
}

type RestartVerdict =
  | { readonly kind: 'now'; readonly history: RestartHistory }
  | { readonly kind: 'wait'; readonly untilMs: number; readonly delayMs: number };

const initialDelayMs = 10_000;
/** Unless the node says less. */
export const longestRestartDelayMs = 300_000;
/** Having run that long, a container starts over with short delays, however long they get on this node. */
const forgetAfterMs = 600_000;

/** Whether a container that ended at `finishedMs` may start again: at once the first time, then 10 s later, doubling to `longestMs`. */
export function judgeRestart(
  history: RestartHistory | undefined,
  finishedMs: number,
  nowMs: number,
  longestMs: number = longestRestartDelayMs,
): RestartVerdict {
  if (history === undefined || finishedMs - history.lastMs > forgetAfterMs) {
    return { kind: 'now', history: { delayMs: Math.min(longestMs, initialDelayMs), lastMs: nowMs } };
  }
  const untilMs = finishedMs + history.delayMs;
  if (nowMs < untilMs) return { kind: 'wait', untilMs, delayMs: history.delayMs };
  return { kind: 'now', history: { delayMs: Math.min(longestMs, history.delayMs * 2), lastMs: nowMs } };
}

/** What a kubelet that begins anew may assume of a container that it finds at its `attempt`: it was restarted that often, lately. */
export function rememberedHistory(
  attempt: number,
  createdMs: number,
  longestMs: number = longestRestartDelayMs,
): RestartHistory | undefined {
  if (attempt === 0) return undefined;
  return { delayMs: Math.min(longestMs, initialDelayMs * 2 ** Math.min(attempt - 1, 10)), lastMs: createdMs };
}
