import { type Node, node } from '#api/core/node/node.ts';
import {
  again,
  type ControllerDefinition,
  defineController,
  done,
  type Outcome,
  type ReconcileContext,
} from '#client/controller/define.ts';
import type { Cloud } from '../cloud/contract.ts';
import { type LifecyclePlan, planLifecycle, planUnready } from './lifecycle-plan.ts';

interface CloudLifecycleOptions {
  readonly cloud: Cloud;
  /** How often the machine of a node that is not ready is asked for. */
  readonly periodMs: number;
}

/** Deletes nodes whose machine is gone, and keeps pods off those whose machine is shut down. */
export function cloudNodeLifecycleController({ cloud, periodMs }: CloudLifecycleOptions): ControllerDefinition {
  return defineController<Node>({
    name: 'cloud-node-lifecycle-controller',
    reconciles: node,
    reads: [],
    writes: [node],
    async reconcile(context) {
      const { key, cache, clock, signal } = context;
      const found = cache.get<Node>(node, key);
      if (found === undefined) return done;
      const first = planLifecycle(found, clock.nowMs());
      const plan = first.kind === 'ask' ? planUnready(found, await cloud.findMachine(found, signal), periodMs) : first;
      return await carryOut(plan, found, context, periodMs);
    },
  });
}

async function carryOut(
  plan: LifecyclePlan,
  found: Node,
  { key, client, events, signal }: ReconcileContext,
  periodMs: number,
): Promise<Outcome> {
  const { uid, resourceVersion } = found.metadata;
  if (plan.kind === 'wait') return again(plan.ms);
  if (plan.kind === 'taint') {
    const body = { metadata: { uid, resourceVersion }, spec: { taints: plan.taints } };
    await client.patch<Node>(node, key, body, { type: 'merge' }, signal);
    return again(periodMs);
  }
  if (plan.kind === 'delete') {
    events.event(found, 'Normal', 'DeletingNode', `Deleting node ${key.name} because it does not exist in the cloud provider`);
    try {
      await client.delete(node, key, { uid }, signal);
    } catch (error) {
      events.event(
        found,
        'Warning',
        'DeletingNodeFailed',
        `Failed deleting node ${key.name}: ${error instanceof Error ? error.message : String(error)}`,
      );
      throw error;
    }
  }
  return done;
}
