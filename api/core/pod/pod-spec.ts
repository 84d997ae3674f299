// Validation of a pod's spec, alone or in a template (pkg/apis/core/validation/validation.go).
import type { V1PodSpec } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField } from '../../meta/field-problem.ts';
import { inclusiveRangeText } from '../../meta/names.ts';
import { validateLabels } from '../../meta/object-meta.ts';
import { Problems } from '../../meta/problems.ts';
import { amountOf, compareQuantities } from '../../meta/quantity.ts';
import { Seen } from '../../meta/seen.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { shownClaim } from '../shown.ts';
import { validateAffinity } from './affinity.ts';
import { type AnyContainer, checkContainers, type ContainerContext } from './containers.ts';
import { checkFileKeyVolumes } from './env.ts';
import { checkHostAlias, checkHostnameOverride, validateDnsConfig } from './names-and-dns.ts';
import { aggregateContainers } from './pod-resources.ts';
import { checkPodLevelResources, validateOverhead } from './resources.ts';
import { checkToleration, checkTopologySpread } from './scheduling.ts';
import { checkPodSecurity } from './security.ts';
import type { VolumeNames } from './volume-mounts.ts';
import { checkVolumes, type VolumeOwner } from './volumes.ts';
import { checkHostProcess, checkSystem } from './windows.ts';

type Spec = Unchecked<V1PodSpec>;

const maxInt32 = 2 ** 31 - 1;

/** For templates some rules are looser. */
export function validatePodSpec(spec: Spec, path: string, owner: VolumeOwner): FieldProblem[] {
  return Problems.of(path, spec, checkPodSpec, owner);
}

function checkPodSpec(spec: Spec, at: Problems, owner: VolumeOwner): void {
  const { containers, nodeSelector, affinity, dnsConfig, topologySpreadConstraints = [] } = spec;
  if (spec.terminationGracePeriodSeconds === undefined) at.required('terminationGracePeriodSeconds');
  const volumes = checkVolumes(spec.volumes ?? [], at, owner);
  checkClaims(spec, at, owner);
  checkContainers(spec, at, contextOf(spec, volumes));
  if (spec.resources !== undefined) checkPodResources(spec, at, spec.resources);
  if (spec.hostNetwork === true) at.each('containers', containers, checkHostNetworkPorts, owner);
  at.oneOf('restartPolicy', spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  at.oneOf('dnsPolicy', spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']);
  if (nodeSelector !== undefined) at.addAll(validateLabels(nodeSelector as Record<string, string>, at.path('nodeSelector')));
  at.member('securityContext', spec.securityContext, checkPodSecurity, spec);
  if (affinity !== undefined) at.addAll(validateAffinity(affinity, at.path('affinity')));
  if (dnsConfig !== undefined || spec.dnsPolicy === 'None') {
    at.addAll(validateDnsConfig(dnsConfig, spec.dnsPolicy, at.path('dnsConfig')));
  }
  checkGates(spec, at);
  at.each('topologySpreadConstraints', topologySpreadConstraints, checkTopologySpread, topologySpreadConstraints);
  checkHostProcess(spec, at);
  if (spec.hostUsers === false) checkHostUsers(spec, at);
  checkHostnameOverride(spec, at);
  checkRest(spec, at);
  checkSystem(spec, at);
  checkFileKeyVolumes(spec, at);
}

const noNames: ReadonlySet<string> = new Set();

function contextOf(spec: Spec, volumes: VolumeNames): ContainerContext {
  const { resourceClaims } = spec;
  return {
    volumes,
    claimNames: resourceClaims === undefined ? noNames : new Set(resourceClaims.map(({ name = '' }) => name).filter((name) => name !== '')),
    graceSeconds: spec.terminationGracePeriodSeconds,
    restartPolicy: spec.restartPolicy ?? '',
    hostUsers: spec.hostUsers !== false,
    names: new Seen(),
  };
}

function checkRest(spec: Spec, at: Problems): void {
  const { activeDeadlineSeconds, hostname, subdomain, overhead, preemptionPolicy } = spec;
  for (const field of ['serviceAccountName', 'nodeName'] as const) if (spec[field]) at.dnsSubdomain(field, spec[field]);
  if (activeDeadlineSeconds !== undefined && (activeDeadlineSeconds < 1 || activeDeadlineSeconds > maxInt32)) {
    at.invalid('activeDeadlineSeconds', activeDeadlineSeconds, inclusiveRangeText(1, maxInt32));
  }
  if (hostname) at.dnsLabel('hostname', hostname);
  if (subdomain) at.dnsLabel('subdomain', subdomain);
  at.each('tolerations', spec.tolerations, checkToleration);
  at.each('hostAliases', spec.hostAliases, checkHostAlias);
  if (spec.priorityClassName) at.dnsSubdomain('priorityClassName', spec.priorityClassName);
  if (spec.runtimeClassName !== undefined) at.dnsSubdomain('runtimeClassName', spec.runtimeClassName);
  if (preemptionPolicy !== undefined) at.oneOf('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  if (overhead !== undefined) at.addAll(validateOverhead(overhead as Record<string, string>, at.path('overhead')));
}

function checkGates({ readinessGates, schedulingGates }: Spec, at: Problems): void {
  at.each('readinessGates', readinessGates, ({ conditionType = '' }, gate) => gate.qualifiedName('conditionType', conditionType));
  at.each('schedulingGates', schedulingGates, checkSchedulingGate, new Seen());
}

function checkSchedulingGate({ name = '' }: { readonly name?: string | undefined }, at: Problems, seen: Seen): void {
  at.qualifiedName('', name);
  if (!seen.add(name)) at.duplicate('', name);
}

/** On the host's network a container port is the host's port; templates may leave that to the pod's defaults. */
function checkHostNetworkPorts({ ports }: AnyContainer, at: Problems, owner: VolumeOwner): void {
  at.each('ports', ports, ({ hostPort = 0, containerPort = 0 }, port) => {
    if (hostPort === containerPort || (owner === 'template' && hostPort === 0)) return;
    port.invalid('hostPort', hostPort, 'must match `containerPort` when `hostNetwork` is true');
  });
}

/** The odd capitals are upstream's. */
function checkHostUsers(spec: Spec, at: Problems): void {
  const text = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) at.forbidden('hostNetwork', text);
  if (spec.hostPID === true) at.forbidden('HostPID', text);
  if (spec.hostIPC === true) at.forbidden('HostIPC', text);
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    at.each(list, spec[list] as readonly AnyContainer[] | undefined, ({ volumeDevices = [] }, own) => {
      if (volumeDevices.length > 0) own.forbidden('volumeDevices', text);
    });
  }
}

function checkPodResources(spec: Spec, at: Problems, resources: NonNullable<Spec['resources']>): void {
  if (spec.os?.name === 'windows') {
    at.forbidden('resources', 'may not be set for a windows pod');
    return;
  }
  at.member('resources', resources, checkPodLevelResources);
  checkAggregate(spec, at, 'requests');
  checkAggregate(spec, at, 'limits');
  const limits = (resources.limits ?? {}) as Record<string, string>;
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, amount] of Object.entries((container.resources?.limits ?? {}) as Record<string, string>)) {
      const limit = amountOf(limits, name);
      if (limit === undefined || compareQuantities(amount, limit) <= 0) continue;
      at.invalid(`resources.containers[${index}][${name}].limits`, amount, `must be less than or equal to pod limits of ${limit}`);
    }
  }
}

/** Of what the pod says nothing, its containers may have any. Their limits may overlap, but not those of huge pages. */
function checkAggregate(spec: Spec, at: Problems, which: 'requests' | 'limits'): void {
  const amounts = (spec.resources?.[which] ?? {}) as Record<string, string>;
  for (const [name, amount] of Object.entries(aggregateContainers(spec as V1PodSpec, which))) {
    const own = which === 'requests' || name.startsWith('hugepages-') ? amountOf(amounts, name) : undefined;
    if (own === undefined || compareQuantities(amount, own) <= 0) continue;
    at.invalid(`resources.${which}[${name}]`, own, `must be greater than or equal to aggregate container ${which} of ${amount}`);
  }
}

/** Static pods cannot have any. */
function checkClaims({ resourceClaims }: Spec, at: Problems, owner: VolumeOwner): void {
  if (owner === 'template' || !owner.isMirror) at.each('resourceClaims', resourceClaims, checkClaim, new Seen());
  else for (const _claim of resourceClaims ?? []) at.add(forbiddenField('[]', 'static pods do not support resource claims'));
}

function checkClaim(claim: NonNullable<Spec['resourceClaims']>[number], at: Problems, seen: Seen): void {
  const { name = '', resourceClaimName, resourceClaimTemplateName } = claim;
  const isNew = seen.add(name);
  if (name === '') at.required('name');
  else if (!isNew) at.duplicate('name', name);
  else at.dnsLabel('name', name);
  if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
    at.invalid('', shownClaim(claim), 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified');
  }
  if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
    at.invalid('', shownClaim(claim), 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
  }
  if (resourceClaimName !== undefined) at.dnsSubdomain('resourceClaimName', resourceClaimName);
  if (resourceClaimTemplateName !== undefined) at.dnsSubdomain('resourceClaimTemplateName', resourceClaimTemplateName);
}
