import type { V1Node } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

const key = 'node.kubernetes.io/not-ready';
const effect = 'NoSchedule';

/** Keeps pods off a new node until the node controller has seen that it is ready and takes the taint away. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate: (request) => {
    if (request.operation !== 'CREATE' || !concerns(request, 'nodes')) return;
    const node = request.object as V1Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === key && taint.effect === effect)) return;
    node.spec = { ...node.spec, taints: [...taints, { key, effect }] };
  },
};
