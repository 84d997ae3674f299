import type { V1StorageClass, V1TopologySelectorLabelRequirement, V1TopologySelectorTerm } from '#api/generated/types.ts';
import { oldLabelText } from '../core/node/labels.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { oneOfIfSet, qualifiedName } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, notSupported, required } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateFixed, validateParameters, validateProvisioner } from './parameters.ts';

export interface StorageClass extends V1StorageClass {
  metadata: ObjectMeta;
}

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
const reclaimPolicies = ['Delete', 'Retain'];
const bindingModes = ['Immediate', 'WaitForFirstConsumer'];

export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  scope: 'cluster',
  names: { plural: 'storageclasses', short: ['sc'] },
  schema: 'io.k8s.api.storage.v1.StorageClass',
  answersDeleted: true,
  defaults: [
    (object) => {
      object.reclaimPolicy ??= 'Delete';
      object.volumeBindingMode ??= 'Immediate';
    },
  ],
  validate: validateStorageClass,
  validateUpdate: (next, prev) => [
    ...validateFixed(next.parameters, prev.parameters, 'parameters'),
    ...validateFixed(next.provisioner, prev.provisioner, 'provisioner'),
    ...validateFixed(next.reclaimPolicy, prev.reclaimPolicy, 'reclaimPolicy'),
    ...validateImmutable(next.volumeBindingMode, prev.volumeBindingMode, 'volumeBindingMode'),
  ],
  warnings: topologyWarnings,
  columns: [
    { ...nameColumn, value: (object) => `${object.metadata.name ?? ''}${isDefaultStorageClass(object) ? ' (default)' : ''}` },
    {
      name: 'Provisioner',
      description: 'provisioner indicates the type of the provisioner.',
      value: ({ provisioner }) => provisioner,
    },
    {
      name: 'ReclaimPolicy',
      description:
        'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class. Defaults to Delete.',
      value: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    },
    {
      name: 'VolumeBindingMode',
      description:
        'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling feature.',
      value: ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    },
    {
      name: 'AllowVolumeExpansion',
      description: 'allowVolumeExpansion shows whether the storage class allow volume expand.',
      value: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
});

/** True for the class of claims that name none. */
export function isDefaultStorageClass({ metadata }: StorageClass): boolean {
  return defaultAnnotations.some((annotation) => metadata.annotations?.[annotation] === 'true');
}

function validateStorageClass(object: StorageClass): FieldProblem[] {
  const {
    provisioner = '',
    parameters = {},
    reclaimPolicy = '',
    volumeBindingMode,
    allowedTopologies = [],
  } = object as Unchecked<StorageClass>;
  const problems = validateProvisioner(provisioner, 'provisioner');
  problems.push(...validateParameters(parameters as Record<string, string>, 'parameters'));
  if (reclaimPolicy !== '' && !reclaimPolicies.includes(reclaimPolicy)) {
    problems.push(notSupported('reclaimPolicy', reclaimPolicy, reclaimPolicies));
  }
  problems.push(...oneOfIfSet('volumeBindingMode', volumeBindingMode, bindingModes));
  return [...problems, ...validateTopologies(allowedTopologies, 'allowedTopologies')];
}

/** No two terms may say the same; upstream also takes an empty term for a repetition, once for each term there is. */
function validateTopologies(terms: readonly Unchecked<V1TopologySelectorTerm>[], path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = terms.map(() => '{}');
  terms.forEach((term, at) => {
    const own = `${path}[${at}].matchLabelExpressions`;
    const expressions = new Map<string, ReadonlySet<string>>();
    term.matchLabelExpressions?.forEach((one, index) => problems.push(...validateTopology(one, expressions, `${own}[${index}]`)));
    const text = topologyText(expressions);
    for (const other of seen) if (other === text) problems.push(duplicate(own, ''));
    seen.push(text);
  });
  return problems;
}

function validateTopology(
  { key = '', values = [] }: Unchecked<V1TopologySelectorLabelRequirement>,
  seen: Map<string, ReadonlySet<string>>,
  path: string,
): FieldProblem[] {
  const problems = values.length === 0 ? [required(`${path}.values`)] : [];
  const known = new Set<string>();
  values.forEach((value, at) => {
    if (known.has(value)) problems.push(duplicate(`${path}.values[${at}]`, value));
    known.add(value);
  });
  problems.push(...qualifiedName(`${path}.key`, key));
  if (seen.has(key)) problems.push(duplicate(`${path}.key`, key));
  seen.set(key, known);
  return problems;
}

function topologyText(expressions: ReadonlyMap<string, ReadonlySet<string>>): string {
  const sorted = [...expressions].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted.map(([key, values]) => [key, [...values].toSorted()])));
}

function topologyWarnings({ allowedTopologies = [] }: StorageClass): string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, at) =>
    matchLabelExpressions.flatMap(({ key }, index) => {
      const text = oldLabelText(key);
      return text === undefined ? [] : [`allowedTopologies[${at}].matchLabelExpressions[${index}].key: ${text}`];
    }),
  );
}
