import type { V1DeviceClass, V1DeviceClassSpec } from '#api/generated/types.ts';
import { isExtendedResource } from '../core/resource-names.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateList } from './checks.ts';
import { maxOfEach, validateConfiguration, validateSelectors } from './device-claim.ts';

export interface DeviceClass extends V1DeviceClass {
  metadata: ObjectMeta;
}

export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  scope: 'cluster',
  names: { plural: 'deviceclasses' },
  schema: 'io.k8s.api.resource.v1.DeviceClass',
  answersDeleted: true,
  compilesTexts: true,
  hasGeneration: true,
  validate: ({ spec }) => validateSpec(spec),
  columns: [nameColumn, ageColumn],
});

function validateSpec({ selectors, config, extendedResourceName }: Unchecked<V1DeviceClassSpec>): FieldProblem[] {
  const problems = [
    ...validateSelectors(selectors, 'spec.selectors'),
    ...validateList(config, maxOfEach, validateConfiguration, 'spec.config'),
  ];
  if (extendedResourceName === undefined || isExtendedResource(extendedResourceName)) return problems;
  return [...problems, invalid('spec.extendedResourceName', extendedResourceName, 'must be a valid extended resource name')];
}
