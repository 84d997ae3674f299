import { isExtendedResource } from '#api/core/resource-names.ts';
import type { V1Pod } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

/** Pods that ask for a device tolerate the taint by which its nodes are kept for such pods. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  mutate: (request) => {
    if (!concerns(request, 'pods') || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
    const { spec } = request.object as V1Pod;
    if (spec === undefined) return;
    const asked = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
    const devices = [...new Set(asked.filter(isExtendedResource))].sort();
    const given = spec.tolerations ?? [];
    const missing = devices.filter(
      (name) => !given.some(({ key, operator, effect }) => key === name && operator === 'Exists' && effect === 'NoSchedule'),
    );
    if (missing.length === 0) return;
    spec.tolerations = [...given, ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoSchedule' }))];
  },
};
