import type { V1Endpoints } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface Endpoints extends V1Endpoints {
  metadata: ObjectMeta;
}

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  scope: 'namespaced',
  names: { plural: 'endpoints', short: ['ep'] },
  schema: 'io.k8s.api.core.v1.Endpoints',
  createOnUpdate: true,
});
