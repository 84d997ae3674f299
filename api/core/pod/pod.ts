import type { V1Pod, V1PodSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import type { ObjectMeta } from '../../meta/object.ts';

export interface Pod extends V1Pod {
  metadata: ObjectMeta;
  spec: V1PodSpec;
}

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  scope: 'namespaced',
  names: { plural: 'pods', short: ['po'], categories: ['all'] },
  schema: 'io.k8s.api.core.v1.Pod',
  subresources: {
    status: true,
    other: {
      attach: { verbs: ['create', 'get'], kind: 'PodAttachOptions' },
      binding: { verbs: ['create'], kind: 'Binding' },
      ephemeralcontainers: { verbs: ['get', 'patch', 'update'], kind: 'Pod' },
      eviction: { verbs: ['create'], kind: 'Eviction', group: 'policy', version: 'v1' },
      exec: { verbs: ['create', 'get'], kind: 'PodExecOptions' },
      log: { verbs: ['get'], kind: 'Pod' },
      portforward: { verbs: ['create', 'get'], kind: 'PodPortForwardOptions' },
      resize: { verbs: ['get', 'patch', 'update'], kind: 'Pod' },
    },
  },
});
