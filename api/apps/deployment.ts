import type { V1Deployment, V1DeploymentSpec } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface Deployment extends V1Deployment {
  metadata: ObjectMeta;
  spec: V1DeploymentSpec;
}

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  scope: 'namespaced',
  names: { plural: 'deployments', short: ['deploy'], categories: ['all'] },
  schema: 'io.k8s.api.apps.v1.Deployment',
  hasGeneration: true,
  subresources: {
    status: true,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  },
});
