import type { V1ComponentStatus } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { nameColumn } from '../meta/columns.ts';
import { findCondition } from '../meta/conditions.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** How a part of the control plane does, asked at the moment of reading. Never stored, and long deprecated. */
export interface ComponentStatus extends V1ComponentStatus {
  metadata: ObjectMeta;
}

export const componentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  scope: 'cluster',
  names: { plural: 'componentstatuses', short: ['cs'] },
  schema: 'io.k8s.api.core.v1.ComponentStatus',
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    {
      name: 'Status',
      description: 'Status of the component conditions',
      value: ({ conditions }) => {
        const healthy = findCondition(conditions, 'Healthy');
        if (healthy === undefined) return 'Unknown';
        return healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
      },
    },
    {
      name: 'Message',
      description: 'Message of the component conditions',
      value: ({ conditions }) => findCondition(conditions, 'Healthy')?.message ?? '',
    },
    { name: 'Error', description: 'Error of the component conditions', value: ({ conditions }) => errorOf(conditions) },
  ],
});

function errorOf(conditions: ComponentStatus['conditions']): string {
  return conditions?.find(({ type }) => type === 'Healthy')?.error ?? '';
}
