// LimitRanges applied to pods and claims: defaults that containers get, and what is wrong with what is asked for.
import type { V1Container, V1LimitRangeItem, V1PersistentVolumeClaim, V1Pod, V1PodSpec } from '#api/generated/types.ts';
import { aggregateContainers, type Amounts, isPodLevelResource } from '#api/core/pod/pod-resources.ts';
import { type Asked, type Bound, maximumProblem, maximumRequestProblem, minimumProblem, ratioProblem } from './bounds.ts';

const limitRangerAnnotation = 'kubernetes.io/limit-ranger';

type Items = readonly V1LimitRangeItem[];

/** Fills in what containers do not say; changes the pod. An annotation lists what was set. */
export function applyDefaults(pod: V1Pod, items: Items): void {
  const { spec } = pod;
  const containers = items.filter(({ type }) => type === 'Container');
  if (spec === undefined || containers.length === 0) return;
  const requests = Object.assign({}, ...containers.map(({ defaultRequest }) => defaultRequest)) as Amounts;
  const limits = Object.assign({}, ...containers.map((item) => item.default)) as Amounts;
  const notes = [
    ...spec.containers.flatMap((container) => fill(container, 'container', requests, limits)),
    ...(spec.initContainers ?? []).flatMap((container) => fill(container, 'init container', requests, limits)),
  ];
  if (notes.length === 0) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [limitRangerAnnotation]: `LimitRanger plugin set: ${notes.join('; ')}` };
}

function fill(container: V1Container, what: string, requests: Amounts, limits: Amounts): string[] {
  const notes: string[] = [];
  const missing = (given: Amounts | undefined, defaults: Amounts): string[] =>
    Object.keys(defaults)
      .filter((name) => given?.[name] === undefined)
      .sort();
  const lacksRequests = missing(container.resources?.requests, requests);
  const lacksLimits = missing(container.resources?.limits, limits);
  if (lacksRequests.length > 0) notes.push(`${lacksRequests.join(', ')} request for ${what} ${container.name}`);
  if (lacksLimits.length > 0) notes.push(`${lacksLimits.join(', ')} limit for ${what} ${container.name}`);
  if (notes.length > 0) {
    const { resources } = container;
    container.resources = {
      ...resources,
      ...(lacksLimits.length > 0 ? { limits: { ...limits, ...resources?.limits } } : {}),
      ...(lacksRequests.length > 0 ? { requests: { ...requests, ...resources?.requests } } : {}),
    };
  }
  return notes;
}

/** What is wrong with a pod, in upstream's words. */
export function podProblems({ spec }: V1Pod, items: Items): string[] {
  if (spec === undefined) return [];
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return items.flatMap((item) => {
    if (item.type === 'Container') return containers.flatMap(({ resources }) => problems(item, askedBy(resources)));
    if (item.type === 'Pod') return problems(item, { requests: podAmounts(spec, 'requests'), limits: podAmounts(spec, 'limits') });
    return [];
  });
}

/** Claims ask for storage only; limits are none of theirs. */
export function claimProblems(claim: V1PersistentVolumeClaim, items: Items): string[] {
  const { requests } = askedBy(claim.spec?.resources);
  return items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => [
      ...each(type, min, (bound) => minimumProblem(bound, { requests, limits: {} })),
      ...each(type, max, (bound) => maximumRequestProblem(bound, requests)),
    ]);
}

function problems({ type, min, max, maxLimitRequestRatio }: V1LimitRangeItem, asked: Asked): string[] {
  return [
    ...each(type, min, (bound) => minimumProblem(bound, asked)),
    ...each(type, max, (bound) => maximumProblem(bound, asked)),
    ...each(type, maxLimitRequestRatio, (bound) => ratioProblem(bound, asked)),
  ];
}

function each(type: string, amounts: Amounts | undefined, problem: (bound: Bound) => string | undefined): string[] {
  return Object.entries(amounts ?? {}).flatMap(([resource, bound]) => problem({ type, resource, bound }) ?? []);
}

function askedBy(resources: { readonly requests?: Amounts; readonly limits?: Amounts } | undefined): Asked {
  return { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} };
}

/** What all containers ask for, or the pod itself where it says so; overhead is not the user's to limit. */
function podAmounts(spec: V1PodSpec, which: 'requests' | 'limits'): Amounts {
  const own = Object.entries(spec.resources?.[which] ?? {}).filter(([name]) => isPodLevelResource(name));
  return { ...aggregateContainers(spec, which), ...Object.fromEntries(own) };
}
