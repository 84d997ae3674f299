import type { V1Service, V1ServiceSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import type { ObjectMeta } from '../../meta/object.ts';

export interface Service extends V1Service {
  metadata: ObjectMeta;
  spec: V1ServiceSpec;
}

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  scope: 'namespaced',
  names: { plural: 'services', short: ['svc'], categories: ['all'] },
  schema: 'io.k8s.api.core.v1.Service',
  subresources: { status: true },
});
