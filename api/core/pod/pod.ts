import type { V1Pod, V1PodSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { podColumns, podRowConditions } from './columns.ts';
import { defaultPod } from './pod-defaults.ts';
import { podStatusWarnings, podWarnings } from './warnings.ts';
import { validatePod, validatePodUpdate } from './validate.ts';
import { podGraceSeconds, preparePod, preparePodUpdate } from './strategy.ts';

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
  answersDeleted: true,
  hasGeneration: true,
  defaults: [defaultPod],
  prepareCreate: preparePod,
  prepareUpdate: preparePodUpdate,
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  warnings: podWarnings,
  statusWarnings: podStatusWarnings,
  gracefulDeletion: podGraceSeconds,
  columns: podColumns,
  rowConditions: podRowConditions,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.podIPs': () => '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  listIndex: 'spec.nodeName',
  resetFields: {
    status: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
    ephemeralcontainers: { allBut: ['spec.ephemeralContainers'] },
    resize: {
      allBut: ['containers', 'initContainers'].flatMap((list) => [`spec.${list}.*.resources`, `spec.${list}.*.resizePolicy`]),
    },
  },
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
      proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'PodProxyOptions' },
      resize: { verbs: ['get', 'patch', 'update'], kind: 'Pod' },
    },
  },
});
