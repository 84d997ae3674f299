// How endpoints that share their ports are spread over slices. Each changed slice is sent to every node, so as few as possible change:
// an endpoint stays where it is; new ones fill slices that change anyway, the fullest first; what is left goes into the one unchanged
// slice that it fills best, or into new ones (upstream's staging/src/k8s.io/endpointslice/reconciler.go).
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { V1Endpoint } from '#api/generated/types.ts';
import deepEqual from 'fast-deep-equal';

interface Packing {
  /** Slices that get other endpoints, never none. */
  readonly update: readonly { readonly slice: EndpointSlice; readonly endpoints: readonly V1Endpoint[] }[];
  readonly keep: readonly EndpointSlice[];
  /** The endpoints of each new slice. */
  readonly create: readonly (readonly V1Endpoint[])[];
  /** Slices that are left without endpoints. */
  readonly remove: readonly EndpointSlice[];
}

interface Draft {
  readonly slice: EndpointSlice;
  readonly endpoints: V1Endpoint[];
  isChanged: boolean;
}

/** Spreads these endpoints over slices of at most `max`, starting from the slices that are there. */
export function packSlices(existing: readonly EndpointSlice[], wanted: readonly V1Endpoint[], max: number): Packing {
  const waiting = new Map(wanted.map((endpoint) => [endpointId(endpoint), endpoint]));
  const drafts = existing.map((slice) => draftOf(slice, waiting, max));
  const rest = [...waiting.values()];

  const changing = drafts.filter(({ isChanged, endpoints }) => isChanged && endpoints.length > 0);
  for (const draft of changing.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) fill(draft, rest, max);

  const create: V1Endpoint[][] = [];
  while (rest.length > 0) {
    const home = rest.length < max ? bestFit(drafts, rest.length, max) : undefined;
    if (home === undefined) create.push(rest.splice(0, max));
    else fill(home, rest, max);
  }
  const filled = drafts.filter(({ endpoints }) => endpoints.length > 0);
  return {
    update: filled.filter(({ isChanged }) => isChanged),
    keep: filled.filter(({ isChanged }) => !isChanged).map(({ slice }) => slice),
    create,
    remove: drafts.filter(({ endpoints }) => endpoints.length === 0).map(({ slice }) => slice),
  };
}

/** What stays in a slice, in its newest form; takes it out of `waiting`. */
function draftOf(slice: EndpointSlice, waiting: Map<string, V1Endpoint>, max: number): Draft {
  const endpoints: V1Endpoint[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    const id = endpointId(endpoint);
    const wanted = waiting.get(id);
    if (wanted === undefined || endpoints.length >= max) continue;
    waiting.delete(id);
    endpoints.push(wanted);
  }
  return { slice, endpoints, isChanged: !deepEqual(endpoints, slice.endpoints ?? []) };
}

function fill(draft: Draft, rest: V1Endpoint[], max: number): void {
  const taken = rest.splice(0, max - draft.endpoints.length);
  if (taken.length === 0) return;
  draft.endpoints.push(...taken);
  draft.isChanged = true;
}

/** The unchanged slice that is closest to full with `count` more; undefined where none has the room. */
function bestFit(drafts: readonly Draft[], count: number, max: number): Draft | undefined {
  const fitting = drafts.filter(({ isChanged, endpoints }) => !isChanged && endpoints.length + count <= max);
  return fitting.toSorted((a, b) => b.endpoints.length - a.endpoints.length)[0];
}

/** Stays the same while readiness and node come and go. */
export function endpointId({ targetRef, addresses }: V1Endpoint): string {
  return `${targetRef?.namespace ?? ''}/${targetRef?.name ?? ''} ${targetRef?.uid ?? ''} ${addresses.join(',')}`;
}
