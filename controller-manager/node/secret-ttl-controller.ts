import { type Node, node } from '#api/core/node/node.ts';
import { type ControllerDefinition, defineController, done, type ReconcileContext } from '#client/controller/define.ts';
import { wantedTtl } from './secret-ttl.ts';

const annotation = 'node.alpha.kubernetes.io/ttl';

/**
 * Upstream's ttl-controller: every node says how long its agent may keep Secrets and ConfigMaps. As there, a cluster that grows or shrinks
 * changes a node when that node changes anyway, not all of them at once.
 */
export function secretTtlController(): ControllerDefinition {
  return defineController<Node>({
    name: 'ttl-controller',
    reconciles: node,
    reads: [],
    writes: [node],
    async reconcile({ key, cache, client, signal }: ReconcileContext) {
      const found = cache.get<Node>(node, key);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) return done;
      const current = found.metadata.annotations?.[annotation];
      const wanted = wantedTtl(current, cache.list<Node>(node).length);
      if (wanted === current) return done;
      const change = { metadata: { uid: found.metadata.uid, annotations: { [annotation]: wanted } } };
      await client.patch<Node>(node, key, change, { type: 'strategic' }, signal);
      return done;
    },
  });
}
