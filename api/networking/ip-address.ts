import type { V1IPAddress, V1IPAddressSpec, V1ParentReference } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { invalidEach, pathSegment } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import { validateCanonicalIp } from '../meta/ip.ts';
import { dnsSubdomainProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText } from '../meta/object-meta.ts';
import { resourceText } from '../meta/status.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export interface IPAddress extends V1IPAddress {
  metadata: ObjectMeta;
  spec: V1IPAddressSpec;
}

/** Says which Service (or other object) holds the address that is its name. */
export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  scope: 'cluster',
  names: { plural: 'ipaddresses', short: ['ip'] },
  schema: 'io.k8s.api.networking.v1.IPAddress',
  defaults: [
    (object) => {
      object.spec ??= {} as V1IPAddressSpec;
    },
  ],
  validateName: (name) =>
    validateCanonicalIp('', name).map(({ message }) => message.slice(`Invalid value: ${JSON.stringify(name)}: `.length)),
  validate: ({ spec }) => validateParent(spec.parentRef, 'spec.parentRef'),
  validateUpdate: validateParentUpdate,
  columns: [nameColumn, { name: 'ParentRef', value: ({ spec }) => parentText(spec.parentRef) }, ageColumn],
});

function parentText(parent: V1ParentReference | undefined): string {
  if (parent === undefined) return '<none>';
  const { group = '', resource, namespace = '', name } = parent;
  return [resourceText({ group, plural: resource }).toLowerCase(), ...(namespace === '' ? [] : [namespace]), name].join('/');
}

function validateParentUpdate({ spec: { parentRef } }: IPAddress, prev: IPAddress): FieldProblem[] {
  const shape = { Group: '', Resource: '', Namespace: '', Name: '' } as const;
  const same = equalValues(parentRef, prev.spec.parentRef);
  return same ? [] : [invalid('spec.parentRef', parentRef && goTree(parentRef, shape), immutableText)];
}

function validateParent(parent: Unchecked<V1ParentReference> | undefined, path: string): FieldProblem[] {
  if (parent === undefined) return [required(path)];
  const { group = '', resource = '', name = '', namespace = '' } = parent;
  return [
    ...(group === '' ? [] : invalidEach(`${path}.group`, group, dnsSubdomainProblems(group))),
    ...pathSegment(`${path}.resource`, resource),
    ...pathSegment(`${path}.name`, name),
    ...(namespace === '' ? [] : pathSegment(`${path}.namespace`, namespace)),
  ];
}
