import type { V1Secret } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required, tooLong } from '../meta/field-problem.ts';
import { configMapKeyProblems } from '../meta/names.ts';
import { JsonError, parseJson } from '../schema/json.ts';
import { NumberText } from '../schema/json-parser.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';
import { keyPairProblem } from './key-pair.ts';
import { base64Bytes, dataLimitBytes, validateStillImmutable, validateUnchanged } from './config-map.ts';

export interface Secret extends V1Secret {
  metadata: ObjectMeta;
}

const tlsType = 'kubernetes.io/tls';

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  scope: 'namespaced',
  names: { plural: 'secrets' },
  schema: 'io.k8s.api.core.v1.Secret',
  defaults: [defaultSecret],
  validate: validateSecret,
  validateUpdate: (next, prev) => [
    ...validateImmutable(next.type ?? '', prev.type ?? '', 'type'),
    ...validateStillImmutable(next.immutable, prev.immutable),
    ...validateUnchanged('data', next.data, prev.data, prev.immutable),
  ],
  warnings: ({ type, data = {} }) => (type === tlsType ? keyPairProblem(data['tls.crt'], data['tls.key']) : []),
  columns: [
    nameColumn,
    { name: 'Type', value: ({ type }) => type ?? '' },
    { name: 'Data', value: ({ data }) => Object.keys(data ?? {}).length },
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
});

/** Texts given in the clear become data. */
function defaultSecret(object: Secret): void {
  if (!object.type) object.type = 'Opaque';
  const { stringData } = object;
  if (stringData === undefined) return;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  object.data = { ...object.data, ...Object.fromEntries(encoded) };
  delete object.stringData;
}

function validateSecret(object: Secret): FieldProblem[] {
  const data = object.data ?? {};
  const problems: FieldProblem[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(data)) {
    problems.push(...invalidEach(`data[${key}]`, key, configMapKeyProblems(key)));
    sizeBytes += base64Bytes(value);
  }
  if (sizeBytes > dataLimitBytes) problems.push(tooLong('data', dataLimitBytes));
  return [...problems, ...validateType(object, data)];
}

/** What the well-known types must hold. */
function validateType({ type, metadata }: Secret, data: Readonly<Record<string, string>>): FieldProblem[] {
  const missing = (...keys: string[]): string[] => keys.filter((key) => !Object.hasOwn(data, key));
  const requireKeys = (keys: readonly string[]): FieldProblem[] => keys.map((key) => required(`data[${key}]`));
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const account = 'kubernetes.io/service-account.name';
      return metadata.annotations?.[account] ? [] : [required(`metadata.annotations[${account}]`)];
    }
    case 'kubernetes.io/dockercfg':
      return validateJson('.dockercfg', data);
    case 'kubernetes.io/dockerconfigjson':
      return validateJson('.dockerconfigjson', data);
    case 'kubernetes.io/basic-auth': {
      const absent = missing('username', 'password');
      return absent.length === 2 ? requireKeys(absent) : [];
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : requireKeys(['ssh-privatekey']);
    case tlsType:
      return requireKeys(missing('tls.crt', 'tls.key'));
    default:
      return [];
  }
}

/** What Go's json.Unmarshal into a map takes, and how it says no. */
function validateJson(key: string, data: Readonly<Record<string, string>>): FieldProblem[] {
  const value = data[key];
  if (value === undefined) return [required(`data[${key}]`)];
  const refused = (why: string): FieldProblem[] => [invalid(`data[${key}]`, '<secret contents redacted>', why)];
  try {
    const parsed = parseJson(Buffer.from(value, 'base64')).value;
    const kind = parsed === null ? 'object' : goKindOf(parsed);
    return kind === 'object' ? [] : refused(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`);
  } catch (error) {
    if (error instanceof JsonError) return refused(error.message);
    throw error;
  }
}

function goKindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof NumberText) return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
