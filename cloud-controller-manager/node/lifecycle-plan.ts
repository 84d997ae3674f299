// What becomes of nodes that are not ready (upstream's cloud-provider/controllers/nodelifecycle).
import type { Node } from '#api/core/node/node.ts';
import type { V1Taint } from '#api/generated/types.ts';
import type { Machine } from '../cloud/contract.ts';
import { isUninitialized } from './plan.ts';

export const shutdownTaint = 'node.cloudprovider.kubernetes.io/shutdown';
/** Grace period for uninitialised nodes. */
const uninitializedDelayMs = 60_000;

export type LifecyclePlan =
  /** Nothing until the node changes. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'wait'; readonly ms: number }
  /** What its machine is must be asked. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'taint'; readonly taints: readonly V1Taint[] };

/** What can be said without asking for the machine. */
export function planLifecycle(node: Node, nowMs: number): LifecyclePlan {
  const taints = node.spec?.taints ?? [];
  if (isReady(node)) {
    const rest = taints.filter((taint) => !isShutdown(taint));
    return rest.length === taints.length ? { kind: 'keep' } : { kind: 'taint', taints: rest };
  }
  const ageMs = nowMs - Date.parse(node.metadata.creationTimestamp ?? '');
  const isFresh = (node.spec?.providerID ?? '') === '' && isUninitialized(node) && ageMs < uninitializedDelayMs;
  return isFresh ? { kind: 'wait', ms: uninitializedDelayMs - ageMs } : { kind: 'ask' };
}

/** What follows for a node that is not ready. @param machine undefined where there is none (any more). */
export function planUnready(node: Node, machine: Machine | undefined, askAgainMs: number): LifecyclePlan {
  if (node.metadata.deletionTimestamp !== undefined) return { kind: 'keep' };
  if (machine === undefined) return { kind: 'delete' };
  const taints = node.spec?.taints ?? [];
  if (machine.state === 'running' || taints.some(isShutdown)) return { kind: 'wait', ms: askAgainMs };
  return { kind: 'taint', taints: [...taints, { key: shutdownTaint, effect: 'NoSchedule' }] };
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

function isShutdown({ key, effect }: V1Taint): boolean {
  return key === shutdownTaint && effect === 'NoSchedule';
}
