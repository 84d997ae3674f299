// What a pod counts for in a ResourceQuota.
import type { V1Affinity, V1Container, V1Pod, V1PodAffinityTerm, V1PodSpec } from '#api/generated/types.ts';
import { compileRequirement, requirement, type SelectorOperator } from '../../meta/label-requirement.ts';
import { type Amounts, isPodLevelResource, podLimits, podRequests } from '../pod/pod-resources.ts';
import { qosClassOf } from '../pod/qos.ts';
import { isExtendedResource, isHugePages } from '../resource-names.ts';
import { addAmounts } from './amounts.ts';
import { isDevices, isRequestOfDevices } from './device-names.ts';
import type { Measure, Scope } from './measure.ts';

const compute = ['cpu', 'memory', 'ephemeral-storage'];
const podNames: ReadonlySet<string> = new Set([
  'count/pods',
  'pods',
  ...compute.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** Where one of these is limited, every container must say how much it wants. */
const demanded = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

export const podMeasure: Measure = {
  counts: (resource) => {
    if (podNames.has(resource) || isHugePages(resource)) return true;
    return isRequestOfDevices(resource) || (resource.startsWith('requests.') && isHugePages(resource.slice('requests.'.length)));
  },
  usage: (object, { nowMs }) => {
    const pod = object as V1Pod;
    const counted = { 'count/pods': '1' };
    if (pod.spec === undefined || !isAlive(pod, nowMs)) return counted;
    return addAmounts(counted, computeUsage(podRequests(pod.spec, pod.status), podLimits(pod.spec, pod.status)));
  },
  isInScope: (scope, object) => isInScope(scope, object as V1Pod),
  missing: (resources, object) => {
    const wanted = demanded.filter((name) => resources.includes(name));
    const { spec } = object as V1Pod;
    if (wanted.length === 0 || spec === undefined || isSizedAsOne(spec)) return undefined;
    const { containers, initContainers = [] } = spec;
    const lacking = wanted.toSorted().flatMap((name) => {
      const names = [...containers, ...initContainers].filter((container) => !says(container, name)).map((container) => container.name);
      return names.length === 0 ? [] : [`${name} for: ${[...new Set(names)].sort().join(',')}`];
    });
    return lacking.length === 0 ? undefined : `must specify ${lacking.join('; ')}`;
  },
  // A deadline leads from one scope to the other.
  changes: (subresource, next, previous) =>
    subresource === 'resize' || (subresource === '' && isTerminating(next as V1Pod) !== isTerminating(previous as V1Pod)),
};

function isTerminating({ spec }: V1Pod): boolean {
  return (spec?.activeDeadlineSeconds ?? -1) >= 0;
}

/** Whether a pod says as a whole how much it wants; then its containers need not. */
function isSizedAsOne({ resources }: V1PodSpec): boolean {
  return Object.keys({ ...resources?.requests, ...resources?.limits }).some(isPodLevelResource);
}

function says({ resources }: V1Container, name: string): boolean {
  return computeUsage(resources?.requests ?? {}, resources?.limits ?? {})[name] !== undefined;
}

/** Finished pods use nothing any more, nor do those that should have gone by now. */
function isAlive({ metadata, status }: V1Pod, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowMs <= Date.parse(String(deletionTimestamp)) + deletionGracePeriodSeconds * 1_000;
}

function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Amounts = { pods: '1' };
  for (const [name, amount] of Object.entries(requests)) {
    if (compute.includes(name) || isHugePages(name)) usage[name] = amount;
    if (compute.includes(name) || isHugePages(name) || isDevices(name) || isExtendedResource(name)) usage[`requests.${name}`] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) if (compute.includes(name)) usage[`limits.${name}`] = amount;
  return usage;
}

function isInScope(scope: Scope, pod: V1Pod): boolean {
  const { spec } = pod;
  if (spec === undefined) return false;
  switch (scope.scopeName) {
    case 'Terminating':
      return isTerminating(pod);
    case 'NotTerminating':
      return !isTerminating(pod);
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort';
    case 'PriorityClass':
      return hasPriorityClass(scope, spec.priorityClassName ?? '');
    case 'CrossNamespacePodAffinity':
      return looksElsewhere(spec.affinity);
    default:
      return false;
  }
}

const selectorOperators: Readonly<Record<string, SelectorOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

function hasPriorityClass({ scopeName, operator, values = [] }: Scope, className: string): boolean {
  const known = selectorOperators[operator];
  if (known === undefined) return false;
  return compileRequirement(requirement(scopeName, known, values))(className === '' ? {} : { [scopeName]: className });
}

function looksElsewhere(affinity: V1Affinity | undefined): boolean {
  const terms: V1PodAffinityTerm[] = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((one) => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some(({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined);
}
