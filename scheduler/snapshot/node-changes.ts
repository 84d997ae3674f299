import equal from 'fast-deep-equal';
import type { Node } from '#api/core/node/node.ts';
import type { ClusterEvent } from '../framework/plugin.ts';

/** What changed on a node that scheduling cares about; nothing for a heartbeat. */
export function nodeChanges(previous: Node, next: Node): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  if (!equal(previous.status?.allocatable, next.status?.allocatable)) events.push('node-allocatable-changed');
  if (!equal(previous.metadata.labels, next.metadata.labels)) events.push('node-labels-changed');
  const taintsChanged = !equal(previous.spec?.taints ?? [], next.spec?.taints ?? []);
  if (taintsChanged || (previous.spec?.unschedulable ?? false) !== (next.spec?.unschedulable ?? false)) events.push('node-taints-changed');
  return events;
}
