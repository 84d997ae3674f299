import { type Node, node } from '#api/core/node/node.ts';
import { service } from '#api/core/service/service.ts';
import { endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { type CachedKind, cached } from '#client/cluster-cache.ts';
import { excludedLabel } from './announce/plan.ts';
import { zoneLabel } from './model/wanted.ts';
import { byServiceIndex, serviceOfSlice } from './proxier.ts';

/** What the proxy caches, without what it never looks at: on a large cluster every node keeps all endpoints. */
export function cachedKinds(nodeName: string, { allNodes }: { readonly allNodes: boolean }): readonly CachedKind[] {
  return [
    cached(service, {
      transform: (object) => {
        delete object.metadata.managedFields;
        delete object.metadata.annotations;
        delete object.spec.selector;
        return object;
      },
    }),
    cached(endpointSlice, {
      indexes: { [byServiceIndex]: serviceOfSlice },
      transform: (object) => {
        delete object.metadata.managedFields;
        delete object.metadata.annotations;
        delete object.metadata.ownerReferences;
        for (const endpoint of object.endpoints ?? []) {
          delete endpoint.targetRef;
          delete endpoint.deprecatedTopology;
        }
        return object;
      },
    }),
    cached<Node>(node, { ...(allNodes ? {} : { fieldSelector: `metadata.name=${nodeName}` }), transform: slimNode }),
  ];
}

function slimNode({ metadata: { name, uid, resourceVersion, deletionTimestamp, labels = {} }, spec, status }: Node): Node {
  const { taints, podCIDR, podCIDRs } = spec ?? {};
  const { addresses } = status ?? {};
  const kept = Object.entries(labels).filter(([label]) => label === excludedLabel || label === zoneLabel);
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(kept.length === 0 ? {} : { labels: Object.fromEntries(kept) }),
    },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(podCIDR === undefined ? {} : { podCIDR }),
      ...(podCIDRs === undefined ? {} : { podCIDRs }),
    },
    status: addresses === undefined ? {} : { addresses },
  } as Node;
}
