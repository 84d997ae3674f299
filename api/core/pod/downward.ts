// Fields of a pod that its containers may read: in variables and in files.
import type { V1ObjectFieldSelector, V1ResourceFieldSelector } from '#api/generated/types.ts';
import { invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { qualifiedNameProblems } from '../../meta/names.ts';
import { canonicalQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

/** Fields that environment variables may show. */
export const variableFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields that files may show. */
export const fileFields = ['metadata.name', 'metadata.namespace', 'metadata.labels', 'metadata.annotations', 'metadata.uid'];

const knownFields: ReadonlySet<string> = new Set([
  ...variableFields,
  ...fileFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);
const resourceFields = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [`limits.${name}`, `requests.${name}`]);
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** `metadata.labels['app']` split into path and subscript; undefined for plain paths. */
export function splitSubscript(fieldPath: string): { path: string; subscript: string } | undefined {
  const found = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  return found === null ? undefined : { path: found[1] ?? '', subscript: found[2] ?? '' };
}

/** A reference to a field of the pod. */
export function validateFieldRef(ref: Unchecked<V1ObjectFieldSelector>, allowed: readonly string[], path: string): FieldProblem[] {
  const { apiVersion = '', fieldPath = '' } = ref;
  if (apiVersion === '') return [required(`${path}.apiVersion`)];
  if (fieldPath === '') return [required(`${path}.fieldPath`)];
  const failed = (why: string): FieldProblem[] => [invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`)];
  if (apiVersion !== 'v1') return failed(`unsupported pod version: ${apiVersion}`);
  const subscripted = splitSubscript(fieldPath);
  if (subscripted !== undefined) {
    const { path: base, subscript } = subscripted;
    if (base === 'metadata.annotations') return invalidEach(path, subscript, qualifiedNameProblems(subscript.toLowerCase()));
    if (base === 'metadata.labels') return invalidEach(path, subscript, qualifiedNameProblems(subscript));
    return failed(`field label does not support subscript: ${fieldPath}`);
  }
  if (!knownFields.has(fieldPath)) return failed(`field label not supported: ${fieldPath}`);
  const field = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
  return allowed.includes(field) ? [] : [notSupported(`${path}.fieldPath`, field, allowed)];
}

/** A reference to a request or limit. In files the container must be named. */
export function validateResourceRef(ref: Unchecked<V1ResourceFieldSelector>, where: 'variable' | 'file', path: string): FieldProblem[] {
  const { containerName = '', resource = '', divisor = '0' } = ref;
  const problems: FieldProblem[] = [];
  if (where === 'file' && containerName === '') problems.push(required(`${path}.containerName`));
  else if (resource === '') problems.push(required(`${path}.resource`));
  else if (!resourceFields.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource)) {
    problems.push(notSupported(`${path}.resource`, resource, resourceFields));
  }
  return [...problems, ...validateDivisor(resource, divisor, path)];
}

function validateDivisor(resource: string, divisor: string, path: string): FieldProblem[] {
  const unit = canonicalQuantity(divisor);
  if (unit === '0') return [];
  const name = resource.replace(/^(limits|requests)\./, '');
  const refused = (allowed: readonly string[], text: string): FieldProblem[] =>
    allowed.includes(unit) ? [] : [invalid(`${path}.divisor`, resource, text)];
  if (name === 'cpu') return refused(['1', '1m'], "only divisor's values 1m and 1 are supported with the cpu resource");
  const words = name === 'ephemeral-storage' ? 'local ephemeral storage' : name.startsWith('hugepages-') ? 'hugepages' : name;
  if (words !== 'memory' && words !== 'local ephemeral storage' && words !== 'hugepages') return [];
  return refused(byteDivisors, `only divisor's values ${byteDivisors.join(', ')} are supported with the ${words} resource`);
}
