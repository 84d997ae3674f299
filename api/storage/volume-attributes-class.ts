import type { V1VolumeAttributesClass } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { type FieldProblem, required } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateFixed, validateParameters, validateProvisioner } from './parameters.ts';

export interface VolumeAttributesClass extends V1VolumeAttributesClass {
  metadata: ObjectMeta;
}

/** Only shown; upstream never gave it a meaning. */
const defaultAnnotation = 'volumeattributesclass.alpha.kubernetes.io/is-default-class';

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  scope: 'cluster',
  names: { plural: 'volumeattributesclasses', short: ['vac'] },
  schema: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  answersDeleted: true,
  validate: validateAttributesClass,
  validateUpdate: (next, prev) => [
    ...validateFixed(next.driverName, prev.driverName, 'driverName'),
    ...validateFixed(next.parameters, prev.parameters, 'parameters'),
  ],
  columns: [
    {
      ...nameColumn,
      value: ({ metadata }) => `${metadata.name ?? ''}${metadata.annotations?.[defaultAnnotation] === 'true' ? ' (default)' : ''}`,
    },
    { name: 'DriverName', description: 'Name of the CSI driver This field is immutable.', value: ({ driverName }) => driverName },
    ageColumn,
  ],
});

function validateAttributesClass({ driverName, parameters = {} }: VolumeAttributesClass): FieldProblem[] {
  const problems = validateProvisioner(driverName, 'driverName');
  problems.push(...validateParameters(parameters, 'parameters'));
  if (Object.keys(parameters).length === 0) problems.push(required('parameters', 'must contain at least one key/value pair'));
  return problems;
}
