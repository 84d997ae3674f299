// Who makes way on this node for a pod that it must take (pkg/kubelet/preemption/preemption.go). Pure.
import { isCriticalPod } from '#api/core/pod/critical.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { type Lack, requestOf } from './admission.ts';
import { qosClass } from './resources/qos.ts';

/** What must become free. */
interface Need {
  readonly resource: string;
  readonly amount: number;
}

type Preemption = { readonly victims: readonly Pod[] } | { readonly problem: string };

/**
 * As few pods as will do, those that were promised least first: of the guaranteed only who must go even if all others went, then of the
 * burstable, then of the rest. `problem`: even all of them would not do.
 */
export function planPreemption(pod: Pod, lacks: readonly Lack[], active: readonly Pod[]): Preemption {
  const needs = lacks.map(({ resource, requested, used, capacity }): Need => ({ resource, amount: requested - (capacity - used) }));
  const candidates = active.filter((other) => givesWay(other, pod));
  const of = (wanted: string): Pod[] => candidates.filter((other) => qosClass(other) === wanted);
  const [bestEffort, burstable, guaranteed] = [of('BestEffort'), of('Burstable'), of('Guaranteed')];
  const unmet = without(needs, candidates);
  if (unmet.length > 0) return { problem: `preemption: error finding a set of pods to preempt: ${noVictims(unmet)}` };
  const first = choose(guaranteed, without(needs, [...bestEffort, ...burstable]));
  const second = choose(burstable, without(needs, [...bestEffort, ...first]));
  const third = choose(bestEffort, without(needs, [...second, ...first]));
  return { victims: [...third, ...second, ...first] };
}

function givesWay(other: Pod, pod: Pod): boolean {
  if (!isCriticalPod(other)) return isCriticalPod(pod) || isBelow(other, pod);
  return isBelow(other, pod);
}

function isBelow({ spec: { priority: other } }: Pod, { spec: { priority: own } }: Pod): boolean {
  return own !== undefined && other !== undefined && own > other;
}

function without(needs: readonly Need[], pods: readonly Pod[]): Need[] {
  return needs.flatMap(({ resource, amount }): Need[] => {
    const left = amount - pods.reduce((sum, pod) => sum + requestOf(pod, resource), 0);
    return left > 0 ? [{ resource, amount: left }] : [];
  });
}

/** One after the other, who comes nearest to what is still needed; of equals, who asks for less. Together they are enough. */
function choose(pods: readonly Pod[], needs: readonly Need[]): Pod[] {
  const [nearest] = pods.toSorted((a, b) => distance(needs, a) - distance(needs, b) || bySize(a, b));
  if (needs.length === 0 || nearest === undefined) return [];
  const others = pods.filter((pod) => pod !== nearest);
  return [nearest, ...choose(others, without(needs, [nearest]))];
}

/** Each need counts alike, whatever its unit: by the part that would be left of it. */
function distance(needs: readonly Need[], pod: Pod): number {
  return needs.reduce((sum, { resource, amount }) => sum + (Math.max(0, amount - requestOf(pod, resource)) / amount) ** 2, 0);
}

function bySize(a: Pod, b: Pod): number {
  return requestOf(a, 'memory') - requestOf(b, 'memory') || requestOf(a, 'cpu') - requestOf(b, 'cpu');
}

function noVictims(needs: readonly Need[]): string {
  const list = needs.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join('');
  return `no set of running pods found to reclaim resources: [${list}]`;
}
