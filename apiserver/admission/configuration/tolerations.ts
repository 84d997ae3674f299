import { checkToleration } from '#api/core/pod/scheduling.ts';
import type { V1Toleration } from '#api/generated/types.ts';
import { Problems } from '#api/meta/problems.ts';
import { type TolerationSettings, tolerationsShape } from '../pod-toleration-restriction.ts';
import { checkDocument, type ConfigurationDocument, refuseProblems } from './document.ts';

const type = {
  kind: 'Configuration',
  versions: ['podtolerationrestriction.admission.k8s.io/v1alpha1'],
  shape: { default: tolerationsShape, whitelist: tolerationsShape },
} as const;

interface TolerationConfiguration {
  readonly default?: readonly V1Toleration[];
  readonly whitelist?: readonly V1Toleration[];
}

/** Throws UsageError. */
export function readTolerations(document: ConfigurationDocument): TolerationSettings {
  const { default: defaults = [], whitelist = [] } = checkDocument<TolerationConfiguration>(document, type);
  const problems = Object.entries({ default: defaults, whitelist }).flatMap(([field, tolerations]) =>
    tolerations.flatMap((one, at) => Problems.of(`${field}[${at}]`, one, checkToleration)),
  );
  refuseProblems(document.place, problems);
  return { defaults, allowed: whitelist };
}
