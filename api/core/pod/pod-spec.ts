// Validation of a pod's spec, alone or in a template (pkg/apis/core/validation/validation.go).
import type { V1PodSpec } from '#api/generated/types.ts';
import { dnsLabel, invalidEach, oneOf, oneOfIfSet, qualifiedName } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { dnsSubdomainProblems, inclusiveRangeText } from '../../meta/names.ts';
import { validateLabels } from '../../meta/object-meta.ts';
import { amountOf, compareQuantities } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateAffinity } from './affinity.ts';
import { type ContainerContext, validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts';
import { validateDnsConfig, validateHostNames } from './names-and-dns.ts';
import { aggregateContainers } from './pod-resources.ts';
import { validateContainerResources, validatePodLevelResources } from './resources.ts';
import { validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurity } from './security.ts';
import { validateVolumes, type VolumeOwner } from './volumes.ts';

type Spec = Unchecked<V1PodSpec>;

const maxInt32 = 2 ** 31 - 1;

/** For templates some rules are looser. */
export function validatePodSpec(spec: Spec, path: string, owner: VolumeOwner): FieldProblem[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const problems: FieldProblem[] = [];
  if (spec.terminationGracePeriodSeconds === undefined) problems.push(required(`${path}.terminationGracePeriodSeconds`));
  const volumes = validateVolumes(spec.volumes ?? [], owner, `${path}.volumes`);
  problems.push(...volumes.problems, ...validateClaims(spec, `${path}.resourceClaims`));
  const context: ContainerContext = {
    volumes: volumes.names,
    claimNames: new Set((spec.resourceClaims ?? []).map(({ name = '' }) => name).filter((name) => name !== '')),
    graceSeconds: spec.terminationGracePeriodSeconds,
    restartPolicy: spec.restartPolicy ?? '',
    hostUsers: spec.hostUsers !== false,
  };
  problems.push(...validateContainers(containers, context, `${path}.containers`));
  problems.push(...validateInitContainers(initContainers, containers, context, `${path}.initContainers`));
  const others = [...containers, ...initContainers];
  problems.push(...validateEphemeralContainers(ephemeralContainers, others, context, `${path}.ephemeralContainers`));
  problems.push(...validatePodResources(spec, `${path}.resources`), ...validateHostPorts(spec, path, owner !== 'template'));
  problems.push(...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']));
  const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
  problems.push(...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies));
  problems.push(...validateLabels(spec.nodeSelector as Record<string, string> | undefined, `${path}.nodeSelector`));
  problems.push(...validatePodSecurity(spec, path), ...validateAffinity(spec.affinity, `${path}.affinity`));
  problems.push(...validateDnsConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`));
  problems.push(...validateGates(spec, path));
  problems.push(...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`));
  return [...problems, ...validateHostUsers(spec, path), ...validateReferences(spec, path), ...validateRest(spec, path)];
}

/** Names of other objects that the pod belongs to or asks for. */
function validateReferences(spec: Spec, path: string): FieldProblem[] {
  const { serviceAccountName, nodeName, priorityClassName, runtimeClassName } = spec;
  return Object.entries({ serviceAccountName, nodeName, priorityClassName, runtimeClassName }).flatMap(([field, name]) =>
    name ? invalidEach(`${path}.${field}`, name, dnsSubdomainProblems(name)) : [],
  );
}

function validateRest(spec: Spec, path: string): FieldProblem[] {
  const { activeDeadlineSeconds, preemptionPolicy, overhead, os } = spec;
  const problems = validateHostNames(spec, path);
  if (activeDeadlineSeconds !== undefined && (activeDeadlineSeconds < 1 || activeDeadlineSeconds > maxInt32)) {
    problems.push(invalid(`${path}.activeDeadlineSeconds`, activeDeadlineSeconds, inclusiveRangeText(1, maxInt32)));
  }
  problems.push(...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`));
  problems.push(...oneOfIfSet(`${path}.preemptionPolicy`, preemptionPolicy, ['PreemptLowerPriority', 'Never']));
  if (overhead !== undefined) {
    const amounts = overhead as Record<string, string>;
    problems.push(...validateContainerResources({ limits: amounts }, new Set(), `${path}.overhead`));
  }
  return os === undefined ? problems : [...problems, ...validateOs(os.name ?? '', `${path}.os`)];
}

function validateOs(name: string, path: string): FieldProblem[] {
  if (name === '') return [required(`${path}.name`, 'cannot be empty')];
  return oneOf(path, name, ['linux', 'windows']);
}

function validateGates({ readinessGates = [], schedulingGates = [] }: Spec, path: string): FieldProblem[] {
  const seen = new Set<string>();
  return [
    ...readinessGates.flatMap(({ conditionType = '' }, at) => qualifiedName(`${path}.readinessGates[${at}].conditionType`, conditionType)),
    ...schedulingGates.flatMap(({ name = '' }, at) => {
      const field = `${path}.schedulingGates[${at}]`;
      const problems = qualifiedName(field, name);
      if (seen.has(name)) problems.push(duplicate(field, name));
      seen.add(name);
      return problems;
    }),
  ];
}

/** On the host's network a container port is the host's port; templates may leave that to the pod's defaults. */
function validateHostPorts({ hostNetwork, containers = [] }: Spec, path: string, isPod: boolean): FieldProblem[] {
  if (hostNetwork !== true) return [];
  return containers.flatMap(({ ports = [] }, at) =>
    ports.flatMap(({ hostPort = 0, containerPort = 0 }, index) => {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) return [];
      const field = `${path}.containers[${at}].ports[${index}].hostPort`;
      return [invalid(field, hostPort, 'must match `containerPort` when `hostNetwork` is true')];
    }),
  );
}

/** The odd capitals are upstream's. */
function validateHostUsers({ hostUsers, hostNetwork, hostPID, hostIPC }: Spec, path: string): FieldProblem[] {
  if (hostUsers !== false) return [];
  const text = 'when `pod.Spec.HostUsers` is false';
  return [
    ...(hostNetwork === true ? [forbiddenField(`${path}.hostNetwork`, text)] : []),
    ...(hostPID === true ? [forbiddenField(`${path}.HostPID`, text)] : []),
    ...(hostIPC === true ? [forbiddenField(`${path}.HostIPC`, text)] : []),
  ];
}

function validatePodResources(spec: Spec, path: string): FieldProblem[] {
  const { resources, containers = [] } = spec;
  if (resources === undefined) return [];
  const problems = validatePodLevelResources(resources, path);
  const requests = (resources.requests ?? {}) as Record<string, string>;
  for (const [name, amount] of Object.entries(aggregateContainers(spec as V1PodSpec, 'requests'))) {
    const own = amountOf(requests, name) ?? '0';
    if (compareQuantities(amount, own) <= 0) continue;
    const text = `must be greater than or equal to aggregate container requests of ${amount}`;
    problems.push(invalid(`${path}.requests[${name}]`, own, text));
  }
  const limits = (resources.limits ?? {}) as Record<string, string>;
  containers.forEach((container, at) => {
    for (const [name, amount] of Object.entries((container.resources?.limits ?? {}) as Record<string, string>)) {
      const limit = amountOf(limits, name);
      if (limit === undefined || compareQuantities(amount, limit) <= 0) continue;
      const field = `${path}.containers[${at}][${name}].limits`;
      problems.push(invalid(field, amount, `must be less than or equal to pod limits of ${limit}`));
    }
  });
  return problems;
}

function validateClaims({ resourceClaims = [] }: Spec, path: string): FieldProblem[] {
  const seen = new Set<string>();
  return resourceClaims.flatMap((claim, at) => {
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim;
    const own = `${path}[${at}]`;
    const problems: FieldProblem[] = [];
    if (name === '') problems.push(required(`${own}.name`));
    else if (seen.has(name)) problems.push(duplicate(`${own}.name`, name));
    else problems.push(...dnsLabel(`${own}.name`, name));
    seen.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const text = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      problems.push(invalid(own, claim, text));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      problems.push(invalid(own, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName })) {
      if (value !== undefined) problems.push(...invalidEach(`${own}.${field}`, value, dnsSubdomainProblems(value)));
    }
    return problems;
  });
}
