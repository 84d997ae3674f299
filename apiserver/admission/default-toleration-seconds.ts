import type { V1Pod, V1Toleration } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

const tolerationSeconds = 300;
const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Lets every pod stay for five minutes on a node that is not ready or not reachable, unless the pod says otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate: (request) => {
    if (!concerns(request, 'pods') || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
    const { spec } = request.object as V1Pod;
    if (spec === undefined) return;
    const given = spec.tolerations ?? [];
    const missing = keys.filter((key) => !given.some((one) => covers(one, key)));
    if (missing.length === 0) return;
    spec.tolerations = [...given, ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }))];
  },
};

function covers({ key = '', effect = '' }: V1Toleration, wanted: string): boolean {
  return (key === wanted || key === '') && (effect === 'NoExecute' || effect === '');
}
