import { definePlugin } from '../framework/plugin.ts';

/** Keeps pods out of the queue while they have scheduling gates. */
export const schedulingGates = definePlugin<undefined>({
  name: 'SchedulingGates',
  retryOn: ['pod-changed'],
  gate: ({ pod }) => {
    const gates = pod.spec.schedulingGates ?? [];
    return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`;
  },
});
