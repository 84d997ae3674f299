import type { V1ControllerRevision } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { notNegative } from '../meta/field-checks.ts';
import { required } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';
import { findController, groupOf } from '../meta/owner-references.ts';

export interface ControllerRevision extends V1ControllerRevision {
  metadata: ObjectMeta;
}

export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  scope: 'namespaced',
  names: { plural: 'controllerrevisions' },
  schema: 'io.k8s.api.apps.v1.ControllerRevision',
  validate: ({ data, revision }) => [
    ...(data === undefined ? [required('data', 'data is mandatory')] : []),
    ...notNegative('revision', revision),
  ],
  validateUpdate: (next, prev) => validateImmutable(next.data, prev.data, 'data'),
  columns: [
    nameColumn,
    { name: 'Controller', description: 'Controller of the object', value: controllerText },
    {
      name: 'Revision',
      description: 'Revision indicates the revision of the state represented by Data.',
      value: ({ revision }) => revision,
    },
    ageColumn,
  ],
});

function controllerText(object: ControllerRevision): string {
  const controller = findController(object);
  if (controller === undefined) return '<none>';
  const group = groupOf(controller.apiVersion);
  const kind = group === '' ? controller.kind : `${controller.kind}.${group}`;
  return `${kind.toLowerCase()}/${controller.name}`;
}
