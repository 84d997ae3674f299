// Defaults of pods and pod templates (pkg/apis/core/v1/defaults.go). Each rule changes its argument and may run twice.
import type { V1Container, V1ObjectMeta, V1PodSpec, V1PodStatus, V1PodTemplateSpec } from '#api/generated/types.ts';
import { defaultContainer, defaultEphemeralContainer, defaultResources, isUnset, roundAmounts } from './container-defaults.ts';
import type { Pod } from './pod.ts';
import { defaultPodResources } from './pod-resources.ts';
import { defaultVolume } from './volume-defaults.ts';

/** Defaults of a whole pod. */
export function defaultPod(pod: Pod): void {
  // A body without a spec reaches validation, which names what is missing.
  pod.spec ??= {} as V1PodSpec;
  pod.status ??= {};
  alignPodIps(pod.status);
  dropInitAnnotations(pod.metadata);
  defaultPodSpec(pod.spec);
  // In a pod, but not in a template.
  if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
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
  dropInitAnnotations(template.metadata);
  defaultPodSpec(template.spec);
}

/** `podIP` and the first of `podIPs` say the same; where they differ, the old field is right. */
function alignPodIps(status: V1PodStatus): void {
  const first = status.podIPs?.[0]?.ip;
  if (!status.podIP) {
    if (first !== undefined) status.podIP = first;
  } else if (status.podIP !== first) {
    status.podIPs = [{ ip: status.podIP }];
  }
}

/** Init containers were once annotations, which mean nothing any more. */
const initAnnotations = ['alpha', 'beta'].flatMap((stage) =>
  ['init-containers', 'init-container-statuses'].map((name) => `pod.${stage}.kubernetes.io/${name}`),
);

function dropInitAnnotations({ annotations }: V1ObjectMeta): void {
  if (annotations === undefined) return;
  for (const name of initAnnotations) if (Object.hasOwn(annotations, name)) delete annotations[name];
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
