import type { V1Namespace } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface Namespace extends V1Namespace {
  metadata: ObjectMeta;
}

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  scope: 'cluster',
  names: { plural: 'namespaces', short: ['ns'] },
  schema: 'io.k8s.api.core.v1.Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: { status: true, other: { finalize: { verbs: ['update'], kind: 'Namespace' } } },
});
