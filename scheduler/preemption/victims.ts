// Which pods would have to go from one node (upstream's pkg/scheduler/framework/plugins/defaultpreemption). Deciding only.
import { labelSelectorOf } from '#api/meta/label-selector.ts';
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/pod-info.ts';

export interface Victims {
  readonly node: NodeInfo;
  /** The most important first. */
  readonly pods: readonly PodInfo[];
  /** How many of them their budgets would keep. */
  readonly violations: number;
}

/** True when `a` should rather stay than `b`: of higher priority, or of the same and running for longer. */
function isMoreImportant(a: PodInfo, b: PodInfo): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : startMs(a) < startMs(b);
}

export function byImportance(pods: Iterable<PodInfo>): PodInfo[] {
  return [...pods].sort((a, b) => (isMoreImportant(a, b) ? -1 : isMoreImportant(b, a) ? 1 : 0));
}

/** Pods whose going would break a budget, when those before them in the list go as well. */
export function violating(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): ReadonlySet<PodInfo> {
  const counted = budgets.map((budget) => ({ budget, selector: selectorOf(budget), left: budget.status?.disruptionsAllowed ?? 0 }));
  const broken = new Set<PodInfo>();
  for (const one of pods) {
    const { name = '', namespace, labels } = one.pod.metadata;
    if (labels === undefined || Object.keys(labels).length === 0) continue;
    for (const entry of counted) {
      const { budget, selector } = entry;
      if (budget.metadata.namespace !== namespace || selector?.matches(labels) !== true) continue;
      // An eviction that the budget has been charged with costs nothing more.
      if (budget.status?.disruptedPods?.[name] !== undefined) continue;
      entry.left--;
      if (entry.left < 0) broken.add(one);
    }
  }
  return broken;
}

/** The node whose victims are the least loss: upstream's criteria, one after the other. Throws where there is none. */
export function leastLoss(candidates: readonly Victims[]): Victims {
  let left = candidates;
  for (const cost of costs) {
    const prices = left.map(cost);
    const lowest = prices.reduce((a, b) => Math.min(a, b), Infinity);
    left = left.filter((_candidate, at) => prices[at] === lowest);
  }
  const [first] = left;
  if (first === undefined) throw new Error('no candidates to choose from');
  return first;
}

/** Priorities may be negative; as sums, none may make up for another pod. */
const priorityShift = 2 ** 31;
const costs: readonly ((victims: Victims) => number)[] = [
  ({ violations }) => violations,
  ({ pods }) => pods[0]?.priority ?? -Infinity,
  ({ pods }) => pods.reduce((sum, { priority }) => sum + priority + priorityShift, 0),
  ({ pods }) => pods.length,
  // What has run for a short time only has the least to lose.
  ({ pods }) => -pods.filter(({ priority }) => priority === pods[0]?.priority).reduce((ms, pod) => Math.min(ms, startMs(pod)), Infinity),
];

/** A pod that has not been started yet counts as starting last. */
function startMs({ pod }: PodInfo): number {
  const { startTime } = pod.status ?? {};
  return startTime === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(startTime);
}

/** Undefined for a selector that names nothing: here, unlike elsewhere, it matches nothing. */
function selectorOf({ spec }: PodDisruptionBudget): ReturnType<typeof labelSelectorOf> | undefined {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {};
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return undefined;
  return labelSelectorOf(spec.selector);
}
