import type { Pod } from '#api/core/pod/pod.ts';
import { deletionOrder } from '../pods/deletion-order.ts';

type ReplicaPlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'create'; readonly count: number }
  | { readonly kind: 'delete'; readonly pods: readonly Pod[] };

/** At most so many pods are made or deleted in one step. */
export const burst = 500;

interface ReplicaView {
  readonly wanted: number;
  /** The owner's pods that are neither finished nor going. */
  readonly active: readonly Pod[];
  /** Pods that count when crowded nodes are found: the owner's and its siblings'. */
  readonly related: () => readonly Pod[];
  readonly nowMs: number;
}

/** How to get from what there is to the wanted number. */
export function planReplicas({ wanted, active, related, nowMs }: ReplicaView): ReplicaPlan {
  const missing = wanted - active.length;
  if (missing > 0) return { kind: 'create', count: Math.min(missing, burst) };
  if (missing === 0) return { kind: 'keep' };
  const count = Math.min(-missing, burst);
  // Where all go there is nothing to choose.
  return { kind: 'delete', pods: count === active.length ? active : deletionOrder(active, related(), nowMs).slice(0, count) };
}
