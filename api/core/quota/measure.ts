// What an object counts for in a ResourceQuota, kind by kind (upstream's pkg/quota/v1/evaluator).
import type { V1PersistentVolumeClaim, V1Pod, V1ScopedResourceSelectorRequirement, V1Service } from '#api/generated/types.ts';
import type { Resource } from '../../kind.ts';
import type { KubeObject } from '../../meta/object.ts';
import { compareQuantities, formatQuantity, parseQuantity, quantityValue } from '../../meta/quantity.ts';
import type { Amounts } from '../pod/pod-resources.ts';
import type { ResourceQuota } from '../resource-quota.ts';
import { deviceMeasure } from './device-measure.ts';
import { podMeasure } from './pod-measure.ts';

export type Scope = V1ScopedResourceSelectorRequirement;

/** What counting looks at besides the object. */
export interface CountView {
  readonly nowMs: number;
  /** The extended resource that the devices of a class also serve; undefined: none, or there is no such class. */
  readonly extendedResourceOf: (className: string) => string | undefined;
  readonly podOf: (namespace: string, name: string) => V1Pod | undefined;
}

/** How one kind is counted. */
export interface Measure {
  /** Whether a resource that a quota names is one of this kind's. */
  readonly counts: (resource: string) => boolean;
  readonly usage: (object: KubeObject, view: CountView) => Amounts;
  readonly isInScope: (scope: Scope, object: KubeObject) => boolean;
  /** What the object must say where these resources are limited; undefined: it does. */
  readonly missing?: (resources: readonly string[], object: KubeObject) => string | undefined;
  /** Whether an update through a sub-resource may change what is counted; creations always count. */
  readonly changes: (subresource: string, next: KubeObject, previous: KubeObject) => boolean;
  /** Every object counts the same, whatever it says: what there is need not be read. */
  readonly isUniform?: true;
}

/** Kinds that quotas never count. */
const uncounted: ReadonlySet<string> = new Set([
  'bindings.',
  'componentstatuses.',
  'events.',
  'events.events.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
]);
/** Kinds with a name from before `count/…`. */
const legacyNames: ReadonlySet<string> = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);

const serviceNames = ['count/services', 'services', 'services.nodeports', 'services.loadbalancers'];
const claimNames = ['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage'];
const classSuffix = '.storageclass.storage.k8s.io/';
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

const serviceMeasure: Measure = {
  counts: (resource) => serviceNames.includes(resource),
  usage: (object) => {
    const { type, ports = [], allocateLoadBalancerNodePorts } = (object as V1Service).spec ?? {};
    const isBalanced = type === 'LoadBalancer';
    const counted = isBalanced && allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort = 0 }) => nodePort !== 0) : ports;
    return {
      'count/services': '1',
      services: '1',
      'services.nodeports': String(isBalanced || type === 'NodePort' ? counted.length : 0),
      'services.loadbalancers': isBalanced ? '1' : '0',
    };
  },
  isInScope: () => false,
  changes: isWhole,
};

const claimMeasure: Measure = {
  counts: (resource) =>
    claimNames.includes(resource) || ['persistentvolumeclaims', 'requests.storage'].some((name) => resource.endsWith(classSuffix + name)),
  usage: (object) => {
    const { metadata, spec, status } = object as V1PersistentVolumeClaim;
    const className = metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '';
    const asked = spec?.resources?.requests?.['storage'];
    const allocated = status?.allocatedResources?.['storage'];
    const larger = asked !== undefined && allocated !== undefined && compareQuantities(allocated, asked) > 0 ? allocated : asked;
    const storage = larger === undefined ? undefined : wholeBytes(larger);
    return {
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      ...(storage === undefined ? {} : { 'requests.storage': storage }),
      ...(className === '' ? {} : { [`${className}${classSuffix}persistentvolumeclaims`]: '1' }),
      ...(className === '' || storage === undefined ? {} : { [`${className}${classSuffix}requests.storage`]: storage }),
    };
  },
  isInScope: ({ scopeName, operator, values = [] }, object) => {
    if (scopeName !== 'VolumeAttributesClass') return false;
    const { spec, status } = object as V1PersistentVolumeClaim;
    const names = [
      spec?.volumeAttributesClassName,
      status?.currentVolumeAttributesClassName,
      status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
    ].filter((name) => name !== undefined && name !== '');
    if (operator === 'Exists') return names.length > 0;
    if (operator === 'DoesNotExist') return names.length === 0;
    const isOne = names.some((name) => values.includes(name ?? ''));
    return operator === 'In' ? isOne : !isOne;
  },
  // The resizer writes the status first.
  changes: (subresource) => subresource === '' || subresource === 'status',
};

/** How a kind is counted; undefined: not at all. */
export function measureOf({ group, names: { plural }, scope }: Resource): Measure | undefined {
  if (scope !== 'namespaced' || uncounted.has(`${plural}.${group}`)) return undefined;
  if (group === '' && plural === 'pods') return podMeasure;
  if (group === '' && plural === 'services') return serviceMeasure;
  if (group === '' && plural === 'persistentvolumeclaims') return claimMeasure;
  if (group === 'resource.k8s.io' && plural === 'resourceclaims') return deviceMeasure;
  const names = [`count/${plural}${group === '' ? '' : `.${group}`}`, ...(group === '' && legacyNames.has(plural) ? [plural] : [])];
  const usage = Object.fromEntries(names.map((name) => [name, '1']));
  return {
    counts: (resource) => names.includes(resource),
    usage: () => usage,
    isInScope: () => false,
    changes: () => false,
    isUniform: true,
  };
}

/** An update of the object itself. */
export function isWhole(subresource: string): boolean {
  return subresource === '';
}

/** All scopes of a quota, the short form as the long one. */
export function scopesOf({ spec }: ResourceQuota): Scope[] {
  const short = (spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...short, ...(spec.scopeSelector?.matchExpressions ?? [])];
}

/** Fractions of bytes count as whole ones. */
function wholeBytes(amount: string): string {
  const { exponent } = parseQuantity(amount);
  return exponent >= 0 ? formatQuantity(parseQuantity(amount)) : String(quantityValue(amount));
}
