import type { V1ServiceAccount } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface ServiceAccount extends V1ServiceAccount {
  metadata: ObjectMeta;
}

/** Set to true, it limits the account's pods to the Secrets that it lists. */
export const enforceSecretsAnnotation = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  scope: 'namespaced',
  names: { plural: 'serviceaccounts', short: ['sa'] },
  schema: 'io.k8s.api.core.v1.ServiceAccount',
  answersDeleted: true,
  unconditionalUpdate: false,
  prepareCreate: keepSecretNames,
  prepareUpdate: keepSecretNames,
  warnings: annotationWarnings,
  columns: [nameColumn, { name: 'Secrets', value: ({ secrets }) => secrets?.length ?? 0 }, ageColumn],
  subresources: {
    other: { token: { verbs: ['create'], kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1' } },
  },
});

/** Of the Secrets that an account lists, only names count. */
function keepSecretNames(object: ServiceAccount): void {
  if (object.secrets !== undefined) object.secrets = object.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}

/** Once, when the annotation comes. */
function annotationWarnings({ metadata }: ServiceAccount, prev: ServiceAccount | undefined): string[] {
  const isNew =
    metadata.annotations?.[enforceSecretsAnnotation] !== undefined && prev?.metadata.annotations?.[enforceSecretsAnnotation] === undefined;
  const advice = 'prefer separate namespaces to isolate access to mounted secrets';
  return isNew ? [`metadata.annotations[${enforceSecretsAnnotation}]: deprecated in v1.32+; ${advice}`] : [];
}
