// What the resize endpoint may change: CPU and memory of containers and of the pod as a whole, without changing the pod's QoS class.
import type { V1Container, V1PodSpec, V1ResourceRequirements } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid } from '../../meta/field-problem.ts';
import type { Pod } from './pod.ts';
import { isMirrorPod } from './mirror.ts';
import { isSidecar } from './pod-resources.ts';
import { qosClassOf } from './qos.ts';

const onlyCpuAndMemory = 'only cpu and memory resources are mutable';

export function validateResize(next: Pod, prev: Pod): FieldProblem[] {
  if (isMirrorPod(prev)) return [forbiddenField('[]', 'static pods cannot be resized')];
  if (prev.spec.os?.name === 'windows') return [forbiddenField('[]', 'windows pods cannot be resized')];
  const problems: FieldProblem[] = [];
  if (qosClassOf(next.spec) !== (prev.status?.qosClass || qosClassOf(prev.spec))) {
    problems.push(invalid('spec', next.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'));
  }
  if (!isNodeAble(prev)) problems.push(forbiddenField('spec', 'Pod running on node without support for resize'));
  if (isGiven(next.spec.resources) || isGiven(prev.spec.resources)) problems.push(...validatePodLevel(next.spec, prev.spec));
  if ((prev.status?.nodeAllocatableResourceClaimStatuses ?? []).length > 0) {
    problems.push(forbiddenField('spec', 'pods with node allocatable resource claims cannot be resized'));
  }
  const disorder = [
    ...validateSameContainers(next.spec, prev.spec, 'containers'),
    ...validateSameContainers(next.spec, prev.spec, 'initContainers'),
  ];
  if (disorder.length > 0) return [...problems, ...disorder];
  problems.push(...validateContainers(next.spec, prev.spec));
  if (problems.length > 0) return problems;
  return equalValues(withoutResize(next.spec, prev.spec), prev.spec) ? [] : [forbiddenField('spec', onlyCpuAndMemory)];
}

/** A node that can resize says what its running containers have. */
function isNodeAble({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function isGiven(resources: V1ResourceRequirements | undefined): boolean {
  return Object.keys(resources?.requests ?? {}).length + Object.keys(resources?.limits ?? {}).length > 0;
}

function validatePodLevel(next: V1PodSpec, prev: V1PodSpec): FieldProblem[] {
  const { resources } = next;
  if (prev.resources !== undefined && resources === undefined) {
    return [forbiddenField('spec.resources', 'pod-level resources cannot be removed')];
  }
  const problems = validateKept(resources, prev.resources, 'pod-level resource', 'spec.resources');
  const isAllowed = equalValues(keepCpuAndMemory(resources, prev.resources), prev.resources);
  return isAllowed ? problems : [...problems, forbiddenField('spec', `${onlyCpuAndMemory} at pod-level`)];
}

type List = 'containers' | 'initContainers';

function validateSameContainers(next: V1PodSpec, prev: V1PodSpec, list: List): FieldProblem[] {
  const [now, before] = [next[list] ?? [], prev[list] ?? []];
  if (now.length !== before.length) return [forbiddenField(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return now.flatMap(({ name }, at) => {
    const text = `${list} may not be renamed or reordered on resize`;
    return name === before[at]?.name ? [] : [forbiddenField(`spec.${list}[${at}].name`, text)];
  });
}

function validateContainers(next: V1PodSpec, prev: V1PodSpec): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const list of ['initContainers', 'containers'] as const) {
    prev[list]?.forEach(({ resources }, at) => {
      problems.push(...validateKept(next[list]?.[at]?.resources, resources, 'resource', `spec.${list}[${at}].resources`));
    });
  }
  prev.containers.forEach((before, at) => {
    const now = next.containers[at];
    if (now !== undefined && !isResizeOnly(now, before)) problems.push(forbiddenField('spec', onlyCpuAndMemory));
  });
  prev.initContainers?.forEach((before, at) => {
    const now = next.initContainers?.[at];
    if (now === undefined || equalValues(now, before)) return;
    const field = `spec.initContainers[${at}]`;
    if (!isResizeOnly(now, before)) {
      problems.push(forbiddenField(field, 'only cpu and memory resources for init or sidecar containers are mutable'));
    }
    // It runs once: there is nothing to restart.
    const restarts = now.resizePolicy?.some(({ restartPolicy }) => restartPolicy === 'RestartContainer') === true;
    if (!isSidecar(now) && restarts) {
      const text = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized';
      problems.push(forbiddenField(field, text));
    }
  });
  return problems;
}

function isResizeOnly(next: V1Container, prev: V1Container): boolean {
  return equalValues(withOldAmounts(next, prev), prev);
}

/** What was asked for and limited may become more or less, but not nothing. */
function validateKept(
  next: V1ResourceRequirements | undefined,
  prev: V1ResourceRequirements | undefined,
  what: string,
  path: string,
): FieldProblem[] {
  return (['requests', 'limits'] as const).flatMap((which) => {
    const isKept = Object.keys(prev?.[which] ?? {}).every((name) => next?.[which]?.[name] !== undefined);
    return isKept ? [] : [forbiddenField(`${path}.${which}`, `${what} ${which} cannot be removed`)];
  });
}

/** The new spec with CPU and memory as they were. */
function withoutResize(next: V1PodSpec, prev: V1PodSpec): V1PodSpec {
  const old = (list: List): V1Container[] => (next[list] ?? []).map((container, at) => withOldAmounts(container, prev[list]?.[at]));
  const { resources: _resources, ...rest } = next;
  const resources = keepCpuAndMemory(next.resources, prev.resources);
  return {
    ...rest,
    containers: old('containers'),
    initContainers: old('initContainers'),
    ...(resources === undefined ? {} : { resources }),
  };
}

function withOldAmounts(next: V1Container, prev: V1Container | undefined): V1Container {
  const { resources: _resources, ...rest } = next;
  const resources = keepCpuAndMemory(next.resources, prev?.resources);
  return resources === undefined ? rest : { ...rest, resources };
}

function keepCpuAndMemory(
  next: V1ResourceRequirements | undefined,
  prev: V1ResourceRequirements | undefined,
): V1ResourceRequirements | undefined {
  if (next === undefined) return prev;
  const { requests: _requests, limits: _limits, ...rest } = next;
  return { ...rest, ...kept('requests', next, prev), ...kept('limits', next, prev) };
}

/** Nothing where none are left, as decoded objects have it. */
function kept(which: 'requests' | 'limits', next: V1ResourceRequirements, prev: V1ResourceRequirements | undefined) {
  const { cpu: _cpu, memory: _memory, ...others } = next[which] ?? {};
  const old = Object.entries(prev?.[which] ?? {}).filter(([name]) => name === 'cpu' || name === 'memory');
  const amounts: Record<string, string> = { ...others, ...Object.fromEntries(old) };
  return Object.keys(amounts).length === 0 ? {} : { [which]: amounts };
}
