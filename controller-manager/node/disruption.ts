// How fast pods may be driven off lost nodes. Many lost nodes at once look more like a broken network than like broken machines, and a
// cluster without any ready node like this process being cut off (upstream's pkg/controller/nodelifecycle, handleDisruption).
import type { Node } from '#api/core/node/node.ts';
import { isReady } from './lifecycle-plan.ts';

export interface EvictionRates {
  /** Nodes a second in a healthy zone; upstream's --node-eviction-rate. */
  readonly perSecond: number;
  /** In an unhealthy zone of a large cluster; upstream's --secondary-node-eviction-rate. */
  readonly secondaryPerSecond: number;
  /** Share of lost nodes from which a zone is unhealthy; upstream's --unhealthy-zone-threshold. */
  readonly unhealthyThreshold: number;
  /** Nodes of a zone above which it counts as large; upstream's --large-cluster-size-threshold. */
  readonly largeClusterSize: number;
}

export const upstreamRates: EvictionRates = { perSecond: 0.1, secondaryPerSecond: 0.01, unhealthyThreshold: 0.55, largeClusterSize: 50 };

/** Fewer lost nodes than this never make a zone unhealthy. */
const minLost = 3;

/** The zone that a node is in, region first. */
export function zoneOf({ metadata }: Node): string {
  const { 'topology.kubernetes.io/region': region = '', 'topology.kubernetes.io/zone': zone = '' } = metadata.labels ?? {};
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`;
}

/** Nodes of this zone a second; 0 for now none; 'stop' where even earlier evictions are called off, since no node at all is ready. */
export function evictionRate(zone: string, nodes: readonly Node[], rates: EvictionRates): number | 'stop' {
  if (!nodes.some(isReady)) return 'stop';
  const inZone = nodes.filter((node) => zoneOf(node) === zone);
  const lost = inZone.filter((node) => !isReady(node)).length;
  const isFullyLost = lost === inZone.length;
  const isUnhealthy = !isFullyLost && lost >= minLost && lost / inZone.length >= rates.unhealthyThreshold;
  if (!isUnhealthy) return rates.perSecond;
  return inZone.length > rates.largeClusterSize ? rates.secondaryPerSecond : 0;
}
