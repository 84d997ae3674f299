import type { V1ServiceAccount } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface ServiceAccount extends V1ServiceAccount {
  metadata: ObjectMeta;
}

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  scope: 'namespaced',
  names: { plural: 'serviceaccounts', short: ['sa'] },
  schema: 'io.k8s.api.core.v1.ServiceAccount',
  answersDeleted: true,
  unconditionalUpdate: false,
  columns: [nameColumn, { name: 'Secrets', value: ({ secrets }) => String(secrets?.length ?? 0) }, ageColumn],
  subresources: {
    other: { token: { verbs: ['create'], kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1' } },
  },
});
