import type { V1Secret } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface Secret extends V1Secret {
  metadata: ObjectMeta;
}

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  scope: 'namespaced',
  names: { plural: 'secrets' },
  schema: 'io.k8s.api.core.v1.Secret',
});
