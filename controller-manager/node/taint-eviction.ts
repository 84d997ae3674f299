import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1Taint, V1Toleration } from '#api/generated/types.ts';
import { keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { again, defineController, done, on } from '#client/controller/define.ts';

export type EvictionPlan = { readonly kind: 'keep' } | { readonly kind: 'wait'; readonly ms: number } | { readonly kind: 'evict' };

/** What the NoExecute taints of its node mean for a pod: a taint that it does not tolerate, or not for ever, drives it off. */
export function planEviction(tolerations: readonly V1Toleration[], taints: readonly V1Taint[], nowMs: number): EvictionPlan {
  let dueMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const fitting = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (fitting.length === 0) return { kind: 'evict' };
    const addedMs = Date.parse(taint.timeAdded ?? '') || nowMs;
    for (const { tolerationSeconds } of fitting) {
      if (tolerationSeconds !== undefined) dueMs = Math.min(dueMs, addedMs + Math.max(0, tolerationSeconds) * 1_000);
    }
  }
  if (dueMs === Number.POSITIVE_INFINITY) return { kind: 'keep' };
  return dueMs <= nowMs ? { kind: 'evict' } : { kind: 'wait', ms: dueMs - nowMs };
}

function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: V1Toleration, taint: V1Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return key !== '' && value === (taint.value ?? '');
}

/** Upstream's taint-eviction-controller: deletes pods from nodes whose taints they do not tolerate. */
export const taintEvictionController = defineController<Pod>({
  name: 'taint-eviction-controller',
  reconciles: pod,
  reads: [node as never],
  writes: [pod as never],
  wakes: [
    on<Node>(node, (object, previous, cache) => {
      const hasDrivers = [object, previous].some((one) => one?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true);
      if (!hasDrivers) return [];
      return cache
        .list<Pod>(pod)
        .filter(({ spec }) => spec.nodeName === object.metadata.name)
        .map((one) => keyOf(one));
    }),
  ],
  async reconcile({ key, cache, client, clock, events, signal }) {
    const found = cache.get<Pod>(pod, key);
    if (found?.spec.nodeName === undefined || found.metadata.deletionTimestamp !== undefined) return done;
    const taints = cache.get<Node>(node, { name: found.spec.nodeName })?.spec?.taints ?? [];
    const plan = planEviction(found.spec.tolerations ?? [], taints, clock.nowMs());
    if (plan.kind === 'keep') return done;
    if (plan.kind === 'wait') return again(plan.ms);
    events.event(found, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key.namespace}/${key.name}`);
    try {
      await client.delete(pod, key, { uid: found.metadata.uid }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    }
    return done;
  },
});
