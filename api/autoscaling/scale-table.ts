// What kubectl prints of a Scale, whatever it scales.
import type { Column } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import type { KubeObject } from '../meta/object.ts';

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas?: number };
}

export const scaleTable: { readonly schema: string; readonly columns: readonly Column<Scale>[] } = {
  schema: 'io.k8s.api.autoscaling.v1.Scale',
  columns: [
    { ...nameColumn, format: '' },
    { name: 'Desired', type: 'integer', value: ({ spec }) => spec?.replicas ?? 0 },
    { name: 'Available', type: 'integer', value: ({ status }) => status?.replicas ?? 0 },
    ageColumn,
  ],
};
