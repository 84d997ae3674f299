import { addAll } from '../meta/add-all.ts';
import type { V1ConfigMap } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid, tooLong } from '../meta/field-problem.ts';
import { byteLength, configMapKeyProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { invalidEach } from '../meta/field-checks.ts';

export interface ConfigMap extends V1ConfigMap {
  metadata: ObjectMeta;
}

/** What a ConfigMap or Secret may hold in all. */
export const dataLimitBytes = 1_048_576;

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  scope: 'namespaced',
  names: { plural: 'configmaps', short: ['cm'] },
  schema: 'io.k8s.api.core.v1.ConfigMap',
  validate: validateConfigMap,
  validateUpdate: (next, prev) => [
    ...validateStillImmutable(next.immutable, prev.immutable),
    ...validateUnchanged('data', next.data, prev.data, prev.immutable),
    ...validateUnchanged('binaryData', next.binaryData, prev.binaryData, prev.immutable),
  ],
  columns: [
    nameColumn,
    { name: 'Data', value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length },
    ageColumn,
  ],
});

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldProblem[] {
  const problems: FieldProblem[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(data)) {
    addAll(problems, invalidEach(`data[${key}]`, key, configMapKeyProblems(key)));
    if (Object.hasOwn(binaryData, key)) problems.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    sizeBytes += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    addAll(problems, invalidEach(`binaryData[${key}]`, key, configMapKeyProblems(key)));
    sizeBytes += base64Bytes(value);
  }
  // The path that upstream gives means the whole object.
  if (sizeBytes > dataLimitBytes) problems.push(tooLong('[]', dataLimitBytes));
  return problems;
}

/** Bytes that a base64 text stands for. */
export function base64Bytes(text: string): number {
  return Buffer.byteLength(text, 'base64');
}

/** Once immutable, always immutable. */
export function validateStillImmutable(next: boolean | undefined, prev: boolean | undefined): FieldProblem[] {
  return prev === true && next !== true ? [forbiddenField('immutable', 'field is immutable when `immutable` is set')] : [];
}

/** Data of an immutable object stays. */
export function validateUnchanged(field: string, next: unknown, prev: unknown, immutable: boolean | undefined): FieldProblem[] {
  const isFixed = immutable === true;
  return isFixed && !equalValues(next, prev) ? [forbiddenField(field, 'field is immutable when `immutable` is set')] : [];
}
