import type { Node } from '#api/core/node/node.ts';
import { type CounterCell, CounterCells, type Sample, SampledFamily } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import { zoneOf } from './disruption.ts';
import { isReady } from './lifecycle-plan.ts';

/** What the node life cycle counts, under upstream's names. */
export interface NodeMetrics {
  /** Pods begin to be driven off a node of this zone. */
  evicted(zone: string): void;
  /** The nodes by zone. */
  watching(nodes: () => readonly Node[]): void;
}

interface Zone {
  size: number;
  ready: number;
}

export function nodeMetrics(metrics: Metrics): NodeMetrics {
  let list: () => readonly Node[] = () => [];
  const evictions = metrics.add(
    new CounterCells(
      'node_collector_evictions_total',
      '[STABLE] Number of Node evictions that happened since current instance of NodeController started.',
      ['zone'],
    ),
  );
  const add = (name: string, help: string, figure: (zone: Zone) => number): void => {
    const read = (): Sample[] => Array.from(zonesOf(list()), ([zone, found]) => [[zone], figure(found)]);
    metrics.add(new SampledFamily(`node_collector_${name}`, `[ALPHA] ${help}`, ['zone'], 'gauge', read));
  };
  add('unhealthy_nodes_in_zone', 'Gauge measuring number of not Ready Nodes per zones.', ({ size, ready }) => size - ready);
  add('zone_health', 'Gauge measuring percentage of healthy nodes per zone.', ({ size, ready }) => (100 * ready) / size);
  add('zone_size', 'Gauge measuring number of registered Nodes per zones.', ({ size }) => size);
  const cells = new Map<string, CounterCell>();
  return {
    evicted: (zone) => {
      let cell = cells.get(zone);
      if (cell === undefined) cells.set(zone, (cell = evictions.cell([zone])));
      cell.value++;
    },
    watching: (nodes) => void (list = nodes),
  };
}

function zonesOf(nodes: readonly Node[]): ReadonlyMap<string, Zone> {
  const zones = new Map<string, Zone>();
  for (const node of nodes) {
    const name = zoneOf(node);
    const zone = zones.get(name) ?? { size: 0, ready: 0 };
    zones.set(name, zone);
    zone.size++;
    if (isReady(node)) zone.ready++;
  }
  return zones;
}
