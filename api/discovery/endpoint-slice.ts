import type { V1EndpointSlice } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface EndpointSlice extends V1EndpointSlice {
  metadata: ObjectMeta;
}

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  scope: 'namespaced',
  names: { plural: 'endpointslices' },
  schema: 'io.k8s.api.discovery.v1.EndpointSlice',
  hasGeneration: true,
});
