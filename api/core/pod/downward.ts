// Fields of a pod that its containers may read: in variables and in files.
import type { V1ObjectFieldSelector, V1ResourceFieldSelector } from '#api/generated/types.ts';
import type { Problems } from '../../meta/problems.ts';
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
const notConverted = 'error converting fieldPath: ';
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** `metadata.labels['app']` split into path and subscript; undefined for plain paths. */
function splitSubscript(fieldPath: string): { path: string; subscript: string } | undefined {
  const found = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  return found === null ? undefined : { path: found[1] ?? '', subscript: found[2] ?? '' };
}

/** A reference to a field of the pod. */
export function checkFieldRef(ref: Unchecked<V1ObjectFieldSelector>, at: Problems, allowed: readonly string[]): void {
  const { apiVersion = '', fieldPath = '' } = ref;
  if (apiVersion === '') at.required('apiVersion');
  else if (fieldPath === '') at.required('fieldPath');
  else if (apiVersion !== 'v1') at.invalid('fieldPath', fieldPath, `${notConverted}unsupported pod version: ${apiVersion}`);
  else if (fieldPath.endsWith("']") && splitSubscript(fieldPath) !== undefined) checkSubscript(fieldPath, at);
  else if (!knownFields.has(fieldPath)) at.invalid('fieldPath', fieldPath, `${notConverted}field label not supported: ${fieldPath}`);
  else at.oneOfIfSet('fieldPath', fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath, allowed);
}

function checkSubscript(fieldPath: string, at: Problems): void {
  const { path, subscript } = splitSubscript(fieldPath) ?? { path: '', subscript: '' };
  if (path === 'metadata.annotations') at.qualifiedName('', subscript.toLowerCase());
  else if (path === 'metadata.labels') at.qualifiedName('', subscript);
  else at.invalid('fieldPath', fieldPath, `${notConverted}field label does not support subscript: ${fieldPath}`);
}

/** A reference to a request or limit. In files the container must be named. */
export function checkResourceRef(ref: Unchecked<V1ResourceFieldSelector>, at: Problems, where: 'variable' | 'file'): void {
  const { containerName = '', resource = '', divisor = '0' } = ref;
  if (where === 'file' && containerName === '') at.required('containerName');
  else if (resource === '') at.required('resource');
  else if (!/^(limits|requests)\.hugepages-/.test(resource)) at.oneOfIfSet('resource', resource, resourceFields);
  checkDivisor(resource, divisor, at);
}

function checkDivisor(resource: string, divisor: string, at: Problems): void {
  const unit = canonicalQuantity(divisor);
  if (unit === '0') return;
  const name = resource.replace(/^(limits|requests)\./, '');
  if (name === 'cpu') {
    if (unit !== '1' && unit !== '1m')
      at.invalid('divisor', resource, "only divisor's values 1m and 1 are supported with the cpu resource");
    return;
  }
  const words = name === 'ephemeral-storage' ? 'local ephemeral storage' : name.startsWith('hugepages-') ? 'hugepages' : name;
  if (words !== 'memory' && words !== 'local ephemeral storage' && words !== 'hugepages') return;
  const text = `only divisor's values ${byteDivisors.join(', ')} are supported with the ${words} resource`;
  if (!byteDivisors.includes(unit)) at.invalid('divisor', resource, text);
}
