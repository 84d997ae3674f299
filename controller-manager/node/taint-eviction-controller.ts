import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { again, type ControllerDefinition, defineController, done, on, type ReconcileContext } from '#client/controller/define.ts';
import { timeText } from '#client/timestamps.ts';
import { byNode } from '../cache-indexes.ts';
import { setPodCondition } from '../pods/pod-condition.ts';
import { arrivalMs, planEviction } from './taint-eviction.ts';

/** Upstream's taint-eviction-controller: deletes pods from nodes whose taints they do not tolerate. */
export function taintEvictionController(): ControllerDefinition {
  /** Pods with a deadline, by uid: since when, for taints that do not say when they came, and to say so when it is called off. */
  const waiting = new Map<string, number>();
  return defineController<Pod>({
    name: 'taint-eviction-controller',
    reconciles: pod,
    reads: [node],
    writes: [pod],
    wakes: [
      on<Node>(node, (object, previous, cache) => {
        const drives = [object, previous].some((one) => one?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true);
        return drives ? cache.byIndex<Pod>(pod, byNode, object.metadata.name ?? '').map((one) => keyOf(one)) : [];
      }),
      on<Pod>(pod, ({ metadata }, _previous, _cache, type) => {
        if (type === 'removed') waiting.delete(metadata.uid ?? '');
        return [];
      }),
    ],
    async reconcile(context) {
      const { key, cache, clock, events } = context;
      const found = cache.get<Pod>(pod, key);
      if (found?.spec.nodeName === undefined || found.metadata.deletionTimestamp !== undefined) return done;
      const taints = cache.get<Node>(node, { name: found.spec.nodeName })?.spec?.taints ?? [];
      const uid = found.metadata.uid ?? '';
      const nowMs = clock.nowMs();
      const sinceMs = waiting.get(uid) ?? nowMs;
      const plan = planEviction(found.spec.tolerations ?? [], taints, { nowMs, sinceMs, arrivedMs: arrivalMs(found) });
      if (plan.kind === 'wait') {
        waiting.set(uid, sinceMs);
        return again(plan.ms);
      }
      const isCalledOff = waiting.delete(uid) && plan.kind === 'keep';
      if (isCalledOff) events.event(found, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${keyText(key)}`);
      if (plan.kind === 'evict') await evict(found, context);
      return done;
    },
  });
}

async function evict(found: Pod, { key, client, clock, events, signal }: ReconcileContext): Promise<void> {
  events.event(found, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyText(key)}`);
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: timeText(clock.nowMs()),
  };
  try {
    await setPodCondition(client, found, { condition }, signal);
    await client.delete(pod, key, { uid: found.metadata.uid }, signal);
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
  }
}
