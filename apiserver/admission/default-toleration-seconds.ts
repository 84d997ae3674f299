import type { V1Pod, V1Toleration } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

/** How long pods stay that do not say it themselves. */
export interface TolerationSeconds {
  readonly notReady: number;
  readonly unreachable: number;
}

/** Upstream's. */
export const defaultTolerationTimes: TolerationSeconds = { notReady: 300, unreachable: 300 };

/** Lets every pod stay for a while on a node that is not ready or not reachable, unless the pod says otherwise. */
export function defaultTolerationSeconds({ notReady, unreachable }: TolerationSeconds): AdmissionPlugin {
  const seconds = { 'node.kubernetes.io/not-ready': notReady, 'node.kubernetes.io/unreachable': unreachable };
  const all = Object.entries(seconds).map(([key, tolerationSeconds]) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  }));
  return {
    name: 'DefaultTolerationSeconds',
    mutate: (request) => {
      if (!concerns(request, 'pods') || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
      const { spec } = request.object as V1Pod;
      if (spec === undefined) return;
      const given = spec.tolerations ?? [];
      const missing = all.filter(({ key }) => !given.some((one) => covers(one, key)));
      if (missing.length === 0) return;
      spec.tolerations = [...given, ...missing.map((one) => ({ ...one }))];
    },
  };
}

function covers({ key = '', effect = '' }: V1Toleration, wanted: string): boolean {
  return (key === wanted || key === '') && (effect === 'NoExecute' || effect === '');
}
