import type { V1ReplicationController, V1ReplicationControllerSpec } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface ReplicationController extends V1ReplicationController {
  metadata: ObjectMeta;
  spec: V1ReplicationControllerSpec;
}

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  scope: 'namespaced',
  names: { plural: 'replicationcontrollers', short: ['rc'], categories: ['all'] },
  schema: 'io.k8s.api.core.v1.ReplicationController',
  hasGeneration: true,
  subresources: {
    status: true,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  },
});
