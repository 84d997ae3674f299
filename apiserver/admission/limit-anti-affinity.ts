import type { V1Pod } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns, refusal } from './refusal.ts';

const hostnameLabel = 'kubernetes.io/hostname';

/** Pods may keep others off their node, but not off a whole zone. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  validate: (request) => {
    if (!concerns(request, 'pods') || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
    const antiAffinity = (request.object as V1Pod).spec?.affinity?.podAntiAffinity;
    for (const { topologyKey } of antiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (topologyKey === hostnameLabel) continue;
      const rule = `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${topologyKey} but only key ${hostnameLabel} is allowed`;
      throw refusal(request, rule);
    }
  },
};
