// What the server does to a pod before it judges it (pkg/registry/core/pod/strategy.go).
import type { V1Container, V1PodAffinityTerm, V1PodCondition } from '#api/generated/types.ts';
import type { WriteContext } from '../../kind.ts';
import type { Labels } from '../../meta/label-requirement.ts';
import { adoptAppArmorAnnotations } from './annotations.ts';
import type { Pod } from './pod.ts';
import { copyServiceAccount } from './pod-defaults.ts';
import { qosClassOf } from './qos.ts';

/** A new pod is pending, whatever its maker says. */
export function preparePod(pod: Pod): void {
  copyServiceAccount(pod.spec);
  pod.status = { phase: 'Pending', qosClass: qosClassOf(pod.spec) };
  if ((pod.spec.schedulingGates?.length ?? 0) > 0) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  mergeLabelKeys(pod);
  adoptAppArmorAnnotations(pod.spec, pod.metadata.annotations);
}

/** Each endpoint may change its own part of a pod. */
export function preparePodUpdate(next: Pod, prev: Pod, { subresource }: WriteContext): void {
  if (subresource === 'ephemeralcontainers') keepAllButEphemeral(next, prev);
  else if (subresource === 'resize') keepAllButResources(next, prev);
  else if (subresource === 'status') keepForStatus(next, prev);
  else copyServiceAccount(next.spec);
}

function keepAllButEphemeral(next: Pod, prev: Pod): void {
  const { ephemeralContainers } = next.spec;
  keepMetaAndStatus(next, prev);
  next.spec = { ...prev.spec };
  if (ephemeralContainers === undefined) delete next.spec.ephemeralContainers;
  else next.spec.ephemeralContainers = ephemeralContainers;
}

function keepMetaAndStatus(next: Pod, prev: Pod): void {
  const { resourceVersion, managedFields } = next.metadata;
  next.metadata = { ...prev.metadata };
  if (resourceVersion !== undefined) next.metadata.resourceVersion = resourceVersion;
  if (managedFields !== undefined) next.metadata.managedFields = managedFields;
  next.status = { ...prev.status };
}

/** Containers that were added, removed or renamed stay as they came: validation refuses them. */
function keepAllButResources(next: Pod, prev: Pod): void {
  const containers = withResourcesOf(next.spec.containers, prev.spec.containers);
  const initContainers = withResourcesOf(next.spec.initContainers ?? [], prev.spec.initContainers ?? []);
  if (containers === undefined || initContainers === undefined) return;
  keepMetaAndStatus(next, prev);
  const { resources } = next.spec;
  next.spec = { ...prev.spec, containers };
  if (resources === undefined) delete next.spec.resources;
  else next.spec.resources = resources;
  if (prev.spec.initContainers !== undefined) next.spec.initContainers = initContainers;
}

function withResourcesOf(next: readonly V1Container[], prev: readonly V1Container[]): V1Container[] | undefined {
  if (next.length !== prev.length || next.some(({ name }, at) => name !== prev[at]?.name)) return undefined;
  return prev.map((before, at) => {
    const { resources, resizePolicy } = next[at] ?? {};
    return { ...before, ...(resources === undefined ? {} : { resources }), ...(resizePolicy === undefined ? {} : { resizePolicy }) };
  });
}

/** Old kubelets drop what they do not know, owner references included. */
function keepForStatus(next: Pod, prev: Pod): void {
  if (prev.metadata.ownerReferences === undefined) delete next.metadata.ownerReferences;
  else next.metadata.ownerReferences = prev.metadata.ownerReferences;
  const status = (next.status ??= {});
  const before = prev.status ?? {};
  // Upstream's gate DRANodeAllocatableResources is off by default.
  if (before.nodeAllocatableResourceClaimStatuses === undefined) delete status.nodeAllocatableResourceClaimStatuses;
  if ((status.qosClass ?? '') === '' && before.qosClass !== undefined) status.qosClass = before.qosClass;
  if ((status.observedGeneration ?? 0) === 0 && before.observedGeneration !== undefined) {
    status.observedGeneration = before.observedGeneration;
  }
  const seen: V1PodCondition[] = [...(before.conditions ?? [])];
  for (const condition of status.conditions ?? []) {
    const at = seen.findIndex(({ type }) => type === condition.type);
    const [old] = at < 0 ? [] : seen.splice(at, 1);
    if ((condition.observedGeneration ?? 0) === 0 && old?.observedGeneration !== undefined) {
      condition.observedGeneration = old.observedGeneration;
    }
  }
}

/** matchLabelKeys and mismatchLabelKeys stand for the new pod's own labels; from here on the selectors say so. */
function mergeLabelKeys({ spec, metadata }: Pod): void {
  const labels = metadata.labels ?? {};
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term) => mergeTerm(term, labels));
    affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ podAffinityTerm }) => mergeTerm(podAffinityTerm, labels));
  }
  for (const constraint of spec.topologySpreadConstraints ?? []) {
    const { labelSelector, matchLabelKeys } = constraint;
    if (labelSelector !== undefined) constraint.labelSelector = withLabels(labelSelector, matchLabelKeys, 'In', labels);
  }
}

function mergeTerm(term: V1PodAffinityTerm | undefined, labels: Labels): void {
  if (term?.labelSelector === undefined) return;
  const matched = withLabels(term.labelSelector, term.matchLabelKeys, 'In', labels);
  term.labelSelector = withLabels(matched, term.mismatchLabelKeys, 'NotIn', labels);
}

type Selector = NonNullable<V1PodAffinityTerm['labelSelector']>;

function withLabels(selector: Selector, keys: readonly string[] | undefined, operator: 'In' | 'NotIn', labels: Labels): Selector {
  const added = (keys ?? []).flatMap((key) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
  return added.length === 0 ? selector : { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] };
}

/** How long a pod being deleted may take: what was asked for, else what it says; none where nothing of it can run. */
export function podGraceSeconds({ spec, status }: Pod, requestedSeconds: number | undefined): number {
  if ((spec.nodeName ?? '') === '') return 0;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  const seconds = requestedSeconds ?? spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}
