// Which node answers for a load-balancer address on its network. Every node works the order of all candidates out by itself, from the
// address and their names: each is first for its share of the addresses, and when one goes only its own addresses move. A node holds an
// address while all before it in the order are known to be dead, so in steady state one does; it asks the one before it whether it
// lives, and those before that only when it does not.
import type { Node } from '#api/core/node/node.ts';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { ipFamilyOf } from '#api/meta/ip.ts';
import { type AddressRange, holdsAddress, parseRange } from '#client/load-balancer/pool.ts';
import { isServed, loadBalancerAddresses } from '../model/wanted.ts';

/** Put on nodes that no load balancer should send traffic to. */
export const excludedLabel = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** An address that some node should answer for. */
export interface Front {
  readonly address: string;
  /** The nodes that can serve it; undefined for all. */
  readonly nodes: ReadonlySet<string> | undefined;
}

export interface Candidate {
  readonly name: string;
  readonly address: string;
}

export type PeerState = 'alive' | 'dead' | 'unknown';

interface Turn {
  readonly hold: boolean;
  /** Who must be asked whether it lives. */
  readonly ask: readonly string[];
}

/** The addresses of one Service that lie in the ranges. Policy Local keeps them to nodes with an endpoint that takes traffic. */
export function frontsOf(service: Service, slices: readonly EndpointSlice[], ranges: readonly AddressRange[]): readonly Front[] {
  if (!isServed(service)) return [];
  const addresses = loadBalancerAddresses(service).filter((address) => holdsAddress(ranges, address));
  if (addresses.length === 0) return [];
  const nodes = service.spec.externalTrafficPolicy === 'Local' ? nodesWithEndpoints(slices) : undefined;
  return addresses.map((address) => ({ address, nodes }));
}

function nodesWithEndpoints(slices: readonly EndpointSlice[]): ReadonlySet<string> {
  const endpoints = slices.filter(({ addressType }) => addressType === 'IPv4').flatMap(({ endpoints: list }) => list ?? []);
  const ready = endpoints.filter(({ conditions }) => conditions?.ready ?? true);
  const ending = endpoints.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
  return new Set((ready.length > 0 ? ready : ending).flatMap(({ nodeName }) => nodeName ?? []));
}

/**
 * Nodes of one network that may answer. Whether they are Ready does not matter, as to upstream's service controller: a node that cannot
 * report to the API but whose proxy works would go on answering, and so would the next.
 */
export function candidatesOf(nodes: readonly Node[], network: string): readonly Candidate[] {
  return nodes.flatMap((node) => {
    const { name = '', labels, deletionTimestamp } = node.metadata;
    const address = internalAddress(node);
    const isOut = labels?.[excludedLabel] !== undefined || deletionTimestamp !== undefined;
    return isOut || address === undefined || !isOnNetwork(network, address) ? [] : [{ name, address }];
  });
}

/** All of a node that candidates are made of, to compare. */
export function candidacyOf(node: Node): string {
  const { labels, deletionTimestamp } = node.metadata;
  return `${internalAddress(node)} ${labels?.[excludedLabel] !== undefined} ${deletionTimestamp !== undefined}`;
}

/** The node's IPv4 address in the cluster. */
export function internalAddress({ status }: Node): string | undefined {
  return status?.addresses?.find(({ type, address }) => type === 'InternalIP' && ipFamilyOf(address) === 4)?.address;
}

/** Whether the network of an interface (`192.168.77.0/24`) has the address. */
export function isOnNetwork(network: string, address: string): boolean {
  return holdsAddress([parseRange(network)], address);
}

/** Who answers for the address, in this order; the same on every node that sees the same candidates. */
export function orderFor({ address, nodes }: Front, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates
    .filter(({ name }) => nodes === undefined || nodes.has(name))
    .map((candidate) => ({ candidate, weight: weightOf(`${candidate.name}#${address}`) }))
    .toSorted((a, b) => b.weight - a.weight || (a.candidate.name < b.candidate.name ? -1 : 1))
    .map(({ candidate }) => candidate);
}

/** What a node does about one address. A peer not probed yet counts as alive: an early takeover would duplicate answers. */
export function turnOf(order: readonly Candidate[], self: string, stateOf: (name: string) => PeerState): Turn {
  const ask: string[] = [];
  for (let at = order.findIndex(({ name }) => name === self) - 1; at >= 0; at--) {
    const { name } = order[at] ?? { name: '' };
    ask.push(name);
    if (stateOf(name) !== 'dead') return { hold: false, ask };
  }
  return { hold: order.some(({ name }) => name === self), ask };
}

/** FNV-1a with a final mix, so that texts which differ at their end differ everywhere. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
