// Hints by the zones' parts of the cluster's CPUs, for Services that ask for it by annotation (upstream's
// staging/src/k8s.io/endpointslice/topologycache): each zone is to be served by as many endpoints as its part is, first by its own; zones
// with too many lend theirs to those with too few. Where that is impossible within a fifth, no endpoint gets hints.
import type { Node } from '#api/core/node/node.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { V1Endpoint } from '#api/generated/types.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import { cpuMillis } from '#api/meta/quantity.ts';

const zoneLabel = 'topology.kubernetes.io/zone';
/** Nodes that run the cluster itself do not count. */
const excludingLabels: readonly string[] = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
/** By how much more than its part an endpoint may get. */
const overload = 0.2;

/** By zone, in the order of their names: its part of all CPUs. Undefined where nodes say too little, or there are not two zones. */
export type ZoneShares = ReadonlyMap<string, number> | undefined;

/** What of a node the parts depend on. */
export function sharedParts({ metadata: { labels = {} }, status }: Node): readonly unknown[] {
  const counts = isConditionTrue(status?.conditions, 'Ready') && !excludingLabels.some((label) => label in labels);
  return counts ? [labels[zoneLabel] ?? '', status?.allocatable?.['cpu']] : [];
}

/** The parts of the zones in which nodes are ready. */
export function zoneShares(nodes: readonly Node[]): ZoneShares {
  const byZone = new Map<string, number>();
  let all = 0;
  for (const node of nodes) {
    if (sharedParts(node).length === 0) continue;
    const zone = node.metadata.labels?.[zoneLabel] ?? '';
    const millis = cpuMillis(node.status?.allocatable?.['cpu']);
    if (zone === '' || millis === 0) return undefined;
    all += millis;
    byZone.set(zone, (byZone.get(zone) ?? 0) + millis);
  }
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([zone, millis]) => [zone, millis / all]));
}

interface Hinted {
  /** With the endpoints as they are to be; those that need no change are not among them. */
  readonly changed: ReadonlyMap<EndpointSlice, readonly V1Endpoint[]>;
  /** Why no endpoint gets hints. */
  readonly refusal: string | undefined;
}

/** Hints for all endpoints of a Service: `changing` slices are written anyway, `kept` ones only where their hints do not do any more. */
export function hintByShares(changing: readonly EndpointSlice[], kept: readonly EndpointSlice[], shares: ZoneShares): Hinted {
  const ready = [...changing, ...kept].flatMap(endpointsOf).filter(isReady);
  const allocations = allocate(shares, ready.length);
  if (typeof allocations === 'string') return withoutHints(changing, kept, allocations);
  const counts = new Map<string, number>();
  const open = [...changing, ...kept.filter((slice) => !stays(slice, counts, allocations))];
  for (const { zone = '' } of open.flatMap(endpointsOf).filter(isReady)) {
    if (zone === '') return withoutHints(changing, kept, 'One or more endpoints do not have a zone specified');
    add(counts, zone, 1);
  }
  const { giving, receiving } = exchange(allocations, counts);
  const hint = (endpoint: V1Endpoint): V1Endpoint => {
    const { zone = '' } = endpoint;
    if (!isReady(endpoint)) return bare(endpoint);
    const receiver = (giving.get(zone) ?? 0) > 0 ? [...receiving].find(([, count]) => count > 0)?.[0] : undefined;
    if (receiver === undefined) return { ...endpoint, hints: { forZones: [{ name: zone }] } };
    add(giving, zone, -1);
    add(receiving, receiver, -1);
    return { ...endpoint, hints: { forZones: [{ name: receiver }] } };
  };
  return { changed: new Map(open.map((slice) => [slice, endpointsOf(slice).map(hint)])), refusal: undefined };
}

interface Allocation {
  readonly desired: number;
  readonly maximum: number;
}
type Allocations = ReadonlyMap<string, Allocation>;

/** How many endpoints each zone is to have; a text where that cannot be. */
function allocate(shares: ZoneShares, count: number): Allocations | string {
  if (shares === undefined) return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  const where = `(${count} endpoints, ${shares.size} zones)`;
  if (shares.size > count) return `Insufficient number of endpoints ${where}`;
  const wanted = [...shares].map(([zone, share]) => ({
    zone,
    desired: share * count,
    minimum: Math.ceil(share * count * (1 / (1 + overload))),
  }));
  const spare = wanted.reduce((left, { minimum }) => left - minimum, count);
  if (spare < 0) return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${where}`;
  return new Map(wanted.map(({ zone, desired, minimum }) => [zone, { desired: Math.max(desired, minimum), maximum: minimum + spare }]));
}

/** Whether a slice may stay as it is; if so its hints are counted. */
function stays(slice: EndpointSlice, counts: Map<string, number>, allocations: Allocations): boolean {
  const own = new Map<string, number>();
  for (const { hints } of endpointsOf(slice).filter(isReady)) {
    const zones = hints?.forZones ?? [];
    if (zones.length === 0) return false;
    for (const { name } of zones) add(own, name, 1);
  }
  const fits = [...own].every(([zone, count]) => count + (counts.get(zone) ?? 0) <= (allocations.get(zone)?.maximum ?? -1));
  if (fits) for (const [zone, count] of own) add(counts, zone, count);
  return fits;
}

/** How many endpoints each zone gives to others, and how many it gets from them: whole ones, as long as both sides are near one. */
function exchange(allocations: Allocations, counts: ReadonlyMap<string, number>): Record<'giving' | 'receiving', Map<string, number>> {
  const surplus = new Map([...allocations].map(([zone, { desired }]) => [zone, (counts.get(zone) ?? 0) - desired]));
  const lack = new Map([...surplus].map(([zone, count]) => [zone, -count]));
  const [giving, receiving] = [new Map<string, number>(), new Map<string, number>()];
  for (;;) {
    const [from, spare] = most(surplus);
    const [to, missing] = most(lack);
    if ((spare < 1 && missing < 1) || spare < 0.5 || missing < 0.5) return { giving, receiving };
    add(giving, from, 1);
    add(surplus, from, -1);
    add(receiving, to, 1);
    add(lack, to, -1);
  }
}

function most(zones: ReadonlyMap<string, number>): readonly [zone: string, count: number] {
  return [...zones].reduce<readonly [string, number]>((best, one) => (one[1] > best[1] ? one : best), ['', 0]);
}

function withoutHints(changing: readonly EndpointSlice[], kept: readonly EndpointSlice[], refusal: string): Hinted {
  const hinting = kept.filter((slice) => endpointsOf(slice).some(({ hints }) => hints !== undefined));
  return { changed: new Map([...changing, ...hinting].map((slice) => [slice, endpointsOf(slice).map(bare)])), refusal };
}

function bare({ hints: _hints, ...endpoint }: V1Endpoint): V1Endpoint {
  return endpoint;
}

function isReady({ conditions }: V1Endpoint): boolean {
  return conditions?.ready === true;
}

function endpointsOf({ endpoints }: EndpointSlice): readonly V1Endpoint[] {
  return endpoints ?? [];
}

function add(counts: Map<string, number>, zone: string, count: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + count);
}
