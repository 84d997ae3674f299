// What a write of a pod's status may say (pkg/apis/core/validation/validation.go: ValidatePodStatusUpdate).
import { addAll } from '../../meta/add-all.ts';
import type {
  V1Container,
  V1ContainerStatus,
  V1PodExtendedResourceClaimStatus,
  V1PodResourceClaimStatus,
  V1ResourceStatus,
} from '#api/generated/types.ts';
import { dnsLabel, invalidEach, qualifiedName } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, notSupported, required, tooLong } from '../../meta/field-problem.ts';
import { ipFamilyOf, validateIp } from '../../meta/ip.ts';
import { byteLength, dnsSubdomainProblems, idProblems } from '../../meta/names.ts';
import { validateImmutable } from '../../meta/object-meta.ts';
import { formatQuantity, parseQuantity, signOfQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { isNativeResource } from '../resource-names.ts';
import type { Pod } from './pod.ts';
import { restartsAll, shouldRestart } from './restart.ts';

const systemConditions: ReadonlySet<string> = new Set(['PodScheduled', 'Ready', 'Initialized']);
const countText = 'must be a non-negative integer';
const healthValues = ['Healthy', 'Unhealthy', 'Unknown'];
const maxMessageBytes = 1_024;
const claimText =
  "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";

export function validateStatusUpdate(next: Pod, prev: Pod): FieldProblem[] {
  const status = next.status ?? {};
  const problems = validateConditions(next);
  if (next.spec.nodeName !== prev.spec.nodeName) problems.push(forbiddenField('status.nodeName', 'may not be changed directly'));
  addAll(problems, validateNomination(next, prev));
  const { observedGeneration = 0 } = status;
  if (observedGeneration < 0) problems.push(invalid('status.observedGeneration', observedGeneration, countText));
  addAll(problems, validateImmutable(status.qosClass ?? '', prev.status?.qosClass ?? '', 'status.qosClass'));
  addAll(problems, validateTransitions(next, prev));
  if (status.resourceClaimStatuses !== undefined) addAll(problems, validateClaimStatuses(status.resourceClaimStatuses, next));
  if (status.extendedResourceClaimStatus !== undefined) addAll(problems, validateExtended(status.extendedResourceClaimStatus, next));
  addAll(problems, validateNodeAllocatable(next));
  addAll(problems, validateAddresses(next, prev));
  return [...problems, ...validateContainerStatuses(next)];
}

function validateConditions({ status }: Pod): FieldProblem[] {
  return (status?.conditions ?? []).flatMap(({ type, observedGeneration = 0 }, at) => {
    const field = `status.conditions[${at}]`;
    return [
      ...(observedGeneration < 0 ? [invalid(`${field}.observedGeneration`, observedGeneration, countText)] : []),
      ...(systemConditions.has(type) ? [] : qualifiedName(`${field}.Type`, type)),
    ];
  });
}

/** A bound pod has no nominated node. */
function validateNomination(next: Pod, prev: Pod): FieldProblem[] {
  const nominated = next.status?.nominatedNodeName ?? '';
  if (nominated === '' || nominated === prev.status?.nominatedNodeName) return [];
  const field = 'status.nominatedNodeName';
  return [
    ...invalidEach(field, nominated, dnsSubdomainProblems(nominated)),
    ...(prev.spec.nodeName ? [forbiddenField(field, 'may not be set on pods that are already bound to a node')] : []),
  ];
}

type StatusList = 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses';

/** A container that ended for good does not come back. */
function validateTransitions({ status }: Pod, { spec, status: before }: Pod): FieldProblem[] {
  const check = (list: StatusList, mayReturn: (name: string, exitCode: number) => boolean): FieldProblem[] =>
    (before?.[list] ?? []).flatMap(({ name, state }, at) => {
      if (state?.terminated === undefined) return [];
      const now = status?.[list]?.find((one) => one.name === name && one.state?.terminated === undefined);
      if (now === undefined || mayReturn(name, state.terminated.exitCode)) return [];
      return [forbiddenField(`status.${list}[${at}].state`, 'may not be transitioned to non-terminated state')];
    });
  const mayReturn =
    (containers: readonly V1Container[]) =>
    (name: string, exitCode: number): boolean => {
      const container = containers.find((one) => one.name === name);
      return container !== undefined && shouldRestart(container, spec.restartPolicy, exitCode);
    };
  const { containers, initContainers = [] } = spec;
  const ephemeral = check('ephemeralContainerStatuses', () => false);
  if ([...containers, ...initContainers].some(restartsAll)) return ephemeral;
  return [...check('containerStatuses', mayReturn(containers)), ...check('initContainerStatuses', mayReturn(initContainers)), ...ephemeral];
}

function validateClaimStatuses(statuses: readonly V1PodResourceClaimStatus[], { spec }: Pod): FieldProblem[] {
  const known = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  return statuses.flatMap(({ name, resourceClaimName }, at) => {
    const field = `status.resourceClaimStatuses[${at}]`;
    const problems: FieldProblem[] = [];
    if (!known.has(name)) problems.push(invalid(`${field}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'));
    if (seen.has(name)) problems.push(duplicate(`${field}.name`, name));
    seen.add(name);
    if (resourceClaimName === undefined) return problems;
    return [...problems, ...invalidEach(`${field}.resourceClaimName`, resourceClaimName, dnsSubdomainProblems(resourceClaimName))];
  });
}

/** The claim that was made for extended resources. Paths of request names are upstream's. */
function validateExtended(status: Unchecked<V1PodExtendedResourceClaimStatus>, { spec }: Pod): FieldProblem[] {
  const path = 'status.extendedResourceClaimStatus';
  const { requestMappings = [], resourceClaimName: claim = '' } = status;
  const containers = new Map([...(spec.initContainers ?? []), ...spec.containers].map((one) => [one.name, one]));
  const problems = requestMappings.length === 0 ? [required(`${path}.requestMappings`, 'at least one request mapping is required')] : [];
  const seen = new Set<string>();
  requestMappings.forEach(({ containerName = '', resourceName = '', requestName = '' }, at) => {
    const field = `${path}.requestMappings[${at}]`;
    const container = containers.get(containerName);
    if (container === undefined) {
      const text = 'must match the name of an entry in spec.initContainers.name or spec.containers.name';
      problems.push(invalid(`${field}.containerName`, containerName, text));
    } else if (container.resources?.requests?.[resourceName] === undefined) {
      const entry = 'spec.initContainers.resources.requests or spec.containers.resources.requests';
      problems.push(invalid(`${field}.resourceName`, resourceName, `must match the extended resource name of an entry in ${entry}`));
    }
    addAll(problems, dnsLabel(`${path}.requestName`, requestName));
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) {
      problems.push(duplicate(`${field}.containerName`, containerName), duplicate(`${field}.resourceName`, resourceName));
      problems.push(duplicate(`${field}.requestName`, requestName));
    }
    seen.add(key);
  });
  const field = `${path}.resourceClaimName`;
  return [...problems, ...(claim === '' ? [required(field)] : invalidEach(field, claim, dnsSubdomainProblems(claim)))];
}

/** Resources of the node's own that claims gave. */
function validateNodeAllocatable({ spec, status }: Pod): FieldProblem[] {
  if (status?.nodeAllocatableResourceClaimStatuses === undefined) return [];
  const claims = new Set([...(spec.resourceClaims ?? []), ...(status.resourceClaimStatuses ?? [])].map((one) => one.resourceClaimName));
  return status.nodeAllocatableResourceClaimStatuses.flatMap(({ resourceClaimName: claim, containers, resources }, at) => {
    const field = `status.nodeAllocatableResourceClaimStatuses[${at}]`;
    const amounts = Object.entries(resources ?? {});
    return [
      ...(claim === '' ? [required(`${field}.resourceClaimName`, 'must not be empty')] : []),
      ...(claims.has(claim) ? [] : [invalid(`${field}.resourceClaimName`, claim, 'no mapping found in pod reference')]),
      ...((containers?.length ?? 0) === 0 ? [required(`${field}.containers`, 'must not be empty')] : []),
      ...(amounts.length === 0 ? [required(`${field}.resources`, 'must not be empty')] : []),
      ...amounts.flatMap(([name, amount]) => validateAllocated(name, amount, `${field}.resources[${name}]`)),
    ];
  });
}

function validateAllocated(name: string, amount: string, field: string): FieldProblem[] {
  return [
    ...(isNativeResource(name) ? [] : [invalid(field, name, 'must be a node allocatable resource name')]),
    ...(signOfQuantity(amount) < 0 ? [invalid(field, formatQuantity(parseQuantity(amount)), 'must be non-negative')] : []),
  ];
}

function validateAddresses({ status = {} }: Pod, { status: before = {} }: Pod): FieldProblem[] {
  const podIps = (status.podIPs ?? []).map(({ ip }) => ip);
  const hostIps = (status.hostIPs ?? []).map(({ ip }) => ip);
  const problems = validateIps(podIps, before.podIPs ?? [], 'status.podIPs');
  if (hostIps.length > 0 && (status.hostIP ?? '') !== hostIps[0]) {
    problems.push(invalid('status.hostIPs[0].ip', hostIps[0], 'must be equal to `hostIP`'));
  }
  return [...problems, ...validateIps(hostIps, before.hostIPs ?? [], 'status.hostIPs')];
}

function validateIps(ips: readonly (string | undefined)[], before: readonly { readonly ip?: string }[], path: string): FieldProblem[] {
  const known = before.map(({ ip = '' }) => ip);
  const texts = ips.map((ip) => ip ?? '');
  const problems = texts.flatMap((ip, at) => validateIp(`${path}[${at}]`, ip, known));
  const families = new Set(texts.map(ipFamilyOf));
  if (texts.length > 2 || families.size < texts.length) {
    // As Go prints it.
    const list = texts.map((ip) => ({ IP: ip }));
    problems.push(invalid(path, list, 'may specify no more than one IP for each IP family'));
  }
  return problems;
}

const statusLists = {
  containerStatuses: 'containers',
  initContainerStatuses: 'initContainers',
  ephemeralContainerStatuses: undefined,
} as const;

/** Whom containers run as, and what became of the devices that they were given. */
function validateContainerStatuses({ spec, status }: Pod): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [list, own] of Object.entries(statusLists) as [StatusList, 'containers' | 'initContainers' | undefined][]) {
    status?.[list]?.forEach((one, at) => {
      const field = `status.${list}[${at}]`;
      addAll(problems, validateUser(one, spec.os?.name ?? 'linux', `${field}.user.linux`));
      if (own !== undefined) {
        const container = spec[own]?.find(({ name }) => name === one.name);
        one.allocatedResourcesStatus?.forEach((resource, index) => {
          addAll(problems, validateDevices(resource, container, `${field}.allocatedResourcesStatus[${index}]`));
        });
      } else if ((one.allocatedResourcesStatus?.length ?? 0) > 0) {
        problems.push(forbiddenField(`${field}.allocatedResourcesStatus`, 'must not be specified in container status'));
      }
    });
  }
  return problems;
}

function validateUser({ user }: V1ContainerStatus, system: string, field: string): FieldProblem[] {
  if (user?.linux === undefined) return [];
  if (system === 'windows') return [forbiddenField(field, 'cannot be set for a windows pod')];
  if (system !== 'linux') return [];
  const { uid, gid, supplementalGroups = [] } = user.linux;
  return [
    ...invalidEach(`${field}.uid`, uid, idProblems(uid)),
    ...invalidEach(`${field}.gid`, gid, idProblems(gid)),
    ...supplementalGroups.flatMap((group, at) => invalidEach(`${field}.supplementalGroups[${at}]`, group, idProblems(group))),
  ];
}

function validateDevices(status: V1ResourceStatus, container: V1Container | undefined, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (container !== undefined && !isGiven(status.name, container)) {
    const text = status.name.startsWith('claim:') ? claimText : "must match one of the container's resource requests";
    problems.push(invalid(`${path}.name`, status.name, text));
  }
  const seen = new Set<string>();
  status.resources?.forEach(({ resourceID, health = '', message }, at) => {
    const field = `${path}.resources[${at}]`;
    if (!healthValues.includes(health)) problems.push(notSupported(`${field}.health`, health, healthValues));
    if (message === '') problems.push(required(`${field}.message`, 'must be non-empty if specified'));
    if (message !== undefined && byteLength(message) > maxMessageBytes) problems.push(tooLong(`${field}.message`, maxMessageBytes));
    if (seen.has(resourceID)) problems.push(duplicate(`${field}.resourceID`, resourceID));
    seen.add(resourceID);
  });
  return problems;
}

function isGiven(name: string, { resources }: V1Container): boolean {
  if (!name.startsWith('claim:')) return resources?.requests?.[name] !== undefined;
  return (resources?.claims ?? []).some((claim) => name === `claim:${claim.name}${claim.request ? `/${claim.request}` : ''}`);
}
