import type { V1CSIStorageCapacity } from '#api/generated/types.ts';
import { nodeTopologyWarnings } from '../core/node/labels.ts';
import { validateClassName } from '../core/volume/access.ts';
import { defineKind } from '../kind.ts';
import { nameColumn } from '../meta/columns.ts';
import { validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable, validateSelectorUpdate } from '../meta/object-meta.ts';
import { signOfQuantity } from '../meta/quantity.ts';

export interface CSIStorageCapacity extends V1CSIStorageCapacity {
  metadata: ObjectMeta;
}

/** How much of a storage class can be had in a part of the cluster, as its driver says. */
export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  scope: 'namespaced',
  names: { plural: 'csistoragecapacities' },
  schema: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  unconditionalUpdate: false,
  validate: validateCapacity,
  validateUpdate: (next, prev) => [
    ...validateSelectorUpdate(next.nodeTopology, prev.nodeTopology, 'nodeTopology'),
    ...validateImmutable(next.storageClassName, prev.storageClassName, 'storageClassName'),
  ],
  warnings: ({ nodeTopology = {} }) => nodeTopologyWarnings(nodeTopology, 'nodeTopology'),
  columns: [
    nameColumn,
    {
      name: 'StorageClassName',
      description:
        'storageClassName represents the name of the StorageClass that the reported capacity applies to. It must meet the same requirements as the name of a StorageClass object (non-empty, DNS subdomain). If that object no longer exists, the CSIStorageCapacity object is obsolete and should be removed by its creator. This field is immutable.',
      value: ({ storageClassName }) => storageClassName,
    },
    { name: 'Capacity', value: ({ capacity }) => capacity ?? '<unset>' },
  ],
});

function validateCapacity({ nodeTopology, storageClassName, capacity }: CSIStorageCapacity): FieldProblem[] {
  const problems = validateLabelSelector(nodeTopology, 'nodeTopology');
  problems.push(...validateClassName(storageClassName, 'storageClassName'));
  if (capacity !== undefined && signOfQuantity(capacity) < 0) {
    problems.push(invalid('capacity', capacity, 'must be greater than or equal to 0'));
  }
  return problems;
}
