import { type Node, node } from '#api/core/node/node.ts';
import type { ControllerDefinition, ReconcileContext } from '#client/controller/define.ts';
import { defineController, done } from '#client/controller/define.ts';
import { nextPodCidr } from './pod-cidr.ts';

/**
 * Upstream's node-ipam-controller (range allocator): gives every node a network for its pods out of `clusterCidr`.
 * One worker, and a set of what was handed out: a network is never given twice, however stale the cache.
 */
export function nodeIpamController(clusterCidr: string, nodeBits: number): ControllerDefinition {
  const given = new Map<string, string>();
  return defineController<Node>({
    name: 'node-ipam-controller',
    reconciles: node,
    reads: [],
    writes: [node],
    workers: 1,
    async reconcile(context: ReconcileContext) {
      const { key, cache, client, events, signal } = context;
      const found = cache.get<Node>(node, key);
      if (found === undefined) {
        given.delete(key.name);
        return done;
      }
      if (found.spec?.podCIDR !== undefined && found.spec.podCIDR !== '') return done;
      const used = new Set([...given.values(), ...cache.list<Node>(node).flatMap(({ spec }) => spec?.podCIDRs ?? [])]);
      const podCIDR = given.get(key.name) ?? nextPodCidr(clusterCidr, nodeBits, used);
      if (podCIDR === undefined) {
        events.event(found, 'Normal', 'CIDRNotAvailable', `Node ${key.name} status is now: CIDRNotAvailable`);
        throw new Error(`no network of /${nodeBits} is left in ${clusterCidr}`);
      }
      given.set(key.name, podCIDR);
      await client.patch<Node>(
        node,
        key,
        { metadata: { uid: found.metadata.uid }, spec: { podCIDR, podCIDRs: [podCIDR] } },
        { type: 'strategic' },
        signal,
      );
      return done;
    },
  });
}
