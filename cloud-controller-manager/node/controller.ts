import { type Node, node } from '#api/core/node/node.ts';
import { again, type ControllerDefinition, defineController, done, type ReconcileContext } from '#client/controller/define.ts';
import type { Cloud } from '../cloud/contract.ts';
import { isUninitialized, type NodePlan, planLabels, planNode } from './plan.ts';

interface CloudNodeOptions {
  readonly cloud: Cloud;
  /** How often the machines of initialised nodes are looked at. */
  readonly updateMs: number;
  readonly workers: number;
}

/** Initialises new nodes from their machines, which makes them schedulable, and keeps addresses and labels current. */
export function cloudNodeController({ cloud, updateMs, workers }: CloudNodeOptions): ControllerDefinition {
  /** When the provider was last asked about a node; heartbeats must not ask again. */
  const askedAtMs = new Map<string, number>();
  return defineController<Node>({
    name: 'cloud-node-controller',
    reconciles: node,
    reads: [],
    writes: [node],
    workers,
    async reconcile(context) {
      const { key, cache, clock, events, signal } = context;
      const found = cache.get<Node>(node, key);
      if (found === undefined) {
        askedAtMs.delete(key.name);
        return done;
      }
      const isNew = isUninitialized(found);
      const leftMs = (askedAtMs.get(key.name) ?? Number.NEGATIVE_INFINITY) + updateMs - clock.monotonicMs();
      if (!isNew && leftMs > 0) {
        const labels = planLabels(found);
        if (Object.keys(labels).length > 0)
          await patchNode(found, { labels, addresses: undefined, providerId: undefined, taints: undefined }, context);
        return again(leftMs);
      }
      const machine = await cloud.findMachine(found, signal);
      if (machine === undefined) {
        if (isNew) throw new Error(`failed to get instance metadata for node ${key.name}: instance not found`);
        // cloud-node-lifecycle-controller deletes it, once it is not ready.
        askedAtMs.set(key.name, clock.monotonicMs());
        return again(updateMs);
      }
      await patchNode(found, planNode(found, machine), context);
      askedAtMs.set(key.name, clock.monotonicMs());
      if (isNew) events.event(found, 'Normal', 'Synced', 'Node synced successfully');
      return again(updateMs);
    },
  });
}

/** Addresses first: who sees the taint gone sees them, too. Taints are a list, so their write is guarded. */
async function patchNode(found: Node, plan: NodePlan, { key, client, signal }: ReconcileContext): Promise<void> {
  const { addresses, labels, providerId, taints } = plan;
  let { uid, resourceVersion } = found.metadata;
  if (addresses !== undefined) {
    const body = { metadata: { uid, resourceVersion }, status: { addresses } };
    ({ uid, resourceVersion } = (await client.patch<Node>(node, key, body, { type: 'merge', subresource: 'status' }, signal)).metadata);
  }
  if (providerId === undefined && taints === undefined && Object.keys(labels).length === 0) return;
  const spec = { ...(providerId === undefined ? {} : { providerID: providerId }), ...(taints === undefined ? {} : { taints }) };
  await client.patch<Node>(node, key, { metadata: { uid, resourceVersion, labels }, spec }, { type: 'merge' }, signal);
}
