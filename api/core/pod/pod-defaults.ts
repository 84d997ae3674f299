// Defaults of pods and pod templates (pkg/apis/core/v1/defaults.go). Each rule changes its argument and may run twice.
import type { V1Container, V1PodSpec, V1PodTemplateSpec } from '#api/generated/types.ts';
import { defaultContainer, defaultEphemeralContainer, defaultResources, isUnset, roundAmounts } from './container-defaults.ts';
import type { Pod } from './pod.ts';
import { defaultPodResources } from './pod-resources.ts';
import { defaultVolume } from './volume-defaults.ts';

/** Defaults of a whole pod. */
export function defaultPod(pod: Pod): void {
  // A body without a spec reaches validation, which names what is missing.
  pod.spec ??= {} as V1PodSpec;
  pod.status ??= {};
  defaultPodSpec(pod.spec);
  for (const container of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
    requestLimits(container);
    if (pod.spec.hostNetwork === true) defaultHostPorts(container);
  }
  defaultPodResources(pod.spec);
  pod.spec.enableServiceLinks ??= true;
}

/** Defaults of a template in a Deployment and the like. */
export function defaultPodTemplate(template: V1PodTemplateSpec | undefined): void {
  if (template === undefined) return;
  template.metadata ??= {};
  template.spec ??= {} as V1PodSpec;
  defaultPodSpec(template.spec);
}

function defaultPodSpec(spec: V1PodSpec): void {
  spec.volumes?.forEach(defaultVolume);
  spec.initContainers?.forEach(defaultContainer);
  spec.containers?.forEach(defaultContainer);
  spec.ephemeralContainers?.forEach(defaultEphemeralContainer);
  if (isUnset(spec.restartPolicy)) spec.restartPolicy = 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  if (isUnset(spec.dnsPolicy)) spec.dnsPolicy = 'ClusterFirst';
  copyServiceAccount(spec);
  spec.securityContext ??= {};
  if (isUnset(spec.schedulerName)) spec.schedulerName = 'default-scheduler';
  // Behind a gate that is off by default: upstream drops it without a word.
  delete spec.schedulingGroup;
  roundAmounts(spec.overhead);
  if (spec.resources !== undefined) spec.resources = defaultResources(spec.resources);
}

/** The old field and the new one always say the same; the new one wins. */
export function copyServiceAccount(spec: V1PodSpec): void {
  if (isUnset(spec.serviceAccountName) && !isUnset(spec.serviceAccount)) spec.serviceAccountName = spec.serviceAccount;
  if (isUnset(spec.serviceAccountName)) delete spec.serviceAccount;
  else spec.serviceAccount = spec.serviceAccountName;
}

/** In a pod, but not in a template, limits without requests are requested too. */
function requestLimits(container: V1Container): void {
  const { limits } = container.resources ?? {};
  if (limits === undefined) return;
  container.resources = { ...container.resources, requests: { ...limits, ...container.resources?.requests } };
}

function defaultHostPorts(container: V1Container): void {
  for (const port of container.ports ?? []) port.hostPort = port.hostPort || port.containerPort;
}
