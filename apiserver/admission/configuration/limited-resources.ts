import { type FieldProblem, required } from '#api/meta/field-problem.ts';
import type { LimitedResource } from '../resource-quota/limited.ts';
import { checkDocument, type ConfigurationDocument, refuseProblems } from './document.ts';

const limitedResources = [
  {
    apiGroup: 'string',
    resource: 'string',
    matchContains: ['string'],
    matchScopes: [{ scopeName: 'string', operator: 'string', values: ['string'] }],
  },
] as const;

const type = { kind: 'ResourceQuotaConfiguration', versions: ['apiserver.config.k8s.io/v1'], shape: { limitedResources } } as const;
/** The same under its name from before. */
const olderType = {
  kind: 'Configuration',
  versions: ['resourcequota.admission.k8s.io/v1beta1', 'resourcequota.admission.k8s.io/v1alpha1'],
  shape: { limitedResources },
} as const;

/** Throws UsageError. */
export function readLimitedResources(document: ConfigurationDocument): readonly LimitedResource[] {
  const isOlder = (document.content as { kind?: unknown } | undefined)?.kind === olderType.kind;
  const read = checkDocument<{ limitedResources?: readonly LimitedResource[] }>(document, isOlder ? olderType : type);
  const limited = read.limitedResources ?? [];
  const problems = limited.flatMap(({ resource = '' }, at): FieldProblem[] =>
    resource === '' ? [required(`limitedResources[${at}].resource`)] : [],
  );
  refuseProblems(document.place, problems);
  return limited;
}
