// What must become of mirror pods: the objects by which the API shows what this node runs by itself. Pure.
// (pkg/kubelet/kubelet.go: tryReconcileMirrorPods; pkg/kubelet/kubelet_pods.go: deleteOrphanedMirrorPods)
import { configHashAnnotation, mirrorAnnotation } from '#api/core/pod/mirror.ts';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { fullNameOf } from '../pods/full-name.ts';

export type MirrorStep =
  | { readonly do: 'create'; readonly mirror: Pod }
  /** At once: what it shows ends by other means. */
  | { readonly do: 'delete'; readonly mirror: Pod };

export interface MirrorView {
  /** Static pods that are served here, none that waits for another one of its name to end. */
  readonly statics: readonly Pod[];
  /** Full names of pods that the node runs by itself, also those that are on their way out. */
  readonly kept: ReadonlySet<string>;
  readonly mirrors: readonly Pod[];
  /** Our own node; undefined while it is not known. */
  readonly node: Node | undefined;
  /** True once everything that should run is known. */
  readonly hasSynced: boolean;
}

/** Mirrors that are wrong or show nothing go; where one is missing, it is made. */
export function planMirrors({ statics, kept, mirrors, node, hasSynced }: MirrorView): readonly MirrorStep[] {
  const known = new Map(mirrors.map((mirror) => [fullNameOf(mirror), mirror]));
  const owner = node?.metadata.deletionTimestamp === undefined ? node?.metadata.uid : undefined;
  const steps = statics.flatMap((pod): MirrorStep[] => {
    const mirror = known.get(fullNameOf(pod));
    // Its successor follows when it is seen to be gone.
    if (mirror !== undefined) return isMirrorOf(mirror, pod) ? [] : [{ do: 'delete', mirror }];
    return owner === undefined ? [] : [{ do: 'create', mirror: mirrorOf(pod, node?.metadata.name ?? '', owner) }];
  });
  const orphans = hasSynced ? mirrors.filter((mirror) => !kept.has(fullNameOf(mirror))) : [];
  return [...orphans.map((mirror): MirrorStep => ({ do: 'delete', mirror })), ...steps];
}

function isMirrorOf({ metadata }: Pod, pod: Pod): boolean {
  return metadata.deletionTimestamp === undefined && metadata.annotations?.[mirrorAnnotation] === hashOf(pod);
}

/** The object as it is sent: the pod as it runs, owned by its node. */
function mirrorOf(pod: Pod, nodeName: string, nodeUid: string): Pod {
  const { name = '', namespace = '', labels, annotations } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [mirrorAnnotation]: hashOf(pod) },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeUid, controller: true }],
    },
    spec: pod.spec,
  };
}

function hashOf({ metadata }: Pod): string {
  return metadata.annotations?.[configHashAnnotation] ?? '';
}
