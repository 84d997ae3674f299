import { type Pod, pod } from '#api/core/pod/pod.ts';
import { hasReason } from '#api/meta/status.ts';
import { again, type ControllerDefinition, defineController, done } from '#client/controller/define.ts';
import { timeText } from '#client/timestamps.ts';
import { setPodCondition } from '../pods/pod-condition.ts';
import { planStale } from './plan.ts';

/** The other loop of upstream's disruption-controller: pods that were marked to go but stayed do not say so for ever. */
export function staleTargetController(): ControllerDefinition {
  return defineController<Pod>({
    name: 'disruption-controller',
    queue: 'stale-pod-disruption',
    reconciles: pod,
    reads: [],
    writes: [pod],
    async reconcile({ key, cache, client, clock, signal }) {
      const found = cache.get<Pod>(pod, key);
      if (found === undefined) return done;
      const plan = planStale(found, clock.nowMs());
      if (plan.kind === 'wait') return again(plan.ms);
      if (plan.kind === 'none') return done;
      const condition = {
        type: 'DisruptionTarget',
        status: 'False',
        lastTransitionTime: timeText(clock.nowMs()),
      };
      try {
        await setPodCondition(client, found, { condition }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
      }
      return done;
    },
  });
}
