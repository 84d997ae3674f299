import type { Namespace } from '#api/core/namespace.ts';
import type { V1NamespaceCondition } from '#api/generated/types.ts';
import { findCondition, withCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';

/** What is left of one kind in a namespace that goes. */
export interface Remainder {
  /** `pods.`, `deployments.apps`: as upstream's conditions name it. */
  readonly resource: string;
  readonly count: number;
  /** Finalizers on what is left, with how many objects each holds. */
  readonly finalizers: Readonly<Record<string, number>>;
  /** The longest grace period among what is left, in seconds. */
  readonly graceSeconds: number;
  /** Why its deletion failed; undefined where it did not. */
  readonly failure: string | undefined;
}

/** True when nothing is left, as far as is known. */
export function isEmptied(left: readonly Remainder[]): boolean {
  return left.every(({ count, failure }) => count === 0 && failure === undefined);
}

/** When to look again although nothing was seen to go: upstream's half of the longest grace period and a second. */
export function nextLookMs(left: readonly Remainder[]): number {
  const graceSeconds = Math.max(0, ...left.map((one) => one.graceSeconds));
  return (Math.floor(graceSeconds / 2) + 1) * 1_000;
}

type Saying = readonly [reason: string, message: string];

/** What each condition says while it has nothing to complain of, in upstream's order. */
const calm: Readonly<Record<string, Saying>> = {
  NamespaceDeletionDiscoveryFailure: ['ResourcesDiscovered', 'All resources successfully discovered'],
  NamespaceDeletionGroupVersionParsingFailure: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  NamespaceDeletionContentFailure: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  NamespaceContentRemaining: ['ContentRemoved', 'All content successfully removed'],
  NamespaceFinalizersRemaining: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
};

/** The conditions that say why a namespace is still there (upstream's pkg/controller/namespace/deletion/status_condition_utils.go). */
export function terminatingConditions(object: Namespace, left: readonly Remainder[], nowMs: number): V1NamespaceCondition[] {
  const complaints = complaintsOf(left);
  let conditions: V1NamespaceCondition[] = object.status?.conditions ?? [];
  for (const [type, saying] of Object.entries(calm)) {
    const complaint = complaints[type];
    const [reason, message] = complaint ?? saying;
    const status = complaint === undefined ? 'False' : 'True';
    const before = findCondition(conditions, type);
    if (before?.status === status && before.reason === reason && before.message === message) continue;
    conditions = withCondition(conditions, { type, status, reason, message, lastTransitionTime: timeText(nowMs) });
  }
  return conditions;
}

function complaintsOf(left: readonly Remainder[]): Readonly<Record<string, Saying>> {
  const failures = left.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const held = left.filter(({ count }) => count > 0);
  const finalizers = new Map<string, number>();
  for (const one of held)
    for (const [name, count] of Object.entries(one.finalizers)) finalizers.set(name, (finalizers.get(name) ?? 0) + count);
  const remaining = held.map(({ resource, count }) => `${resource} has ${count} resource instances`).toSorted();
  const holding = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).toSorted();
  const failed = `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(', ')}`;
  return {
    ...(failures.length > 0 ? { NamespaceDeletionContentFailure: ['ContentDeletionFailed', failed] } : {}),
    ...(held.length > 0
      ? { NamespaceContentRemaining: ['SomeResourcesRemain', `Some resources are remaining: ${remaining.join(', ')}`] }
      : {}),
    ...(holding.length > 0
      ? {
          NamespaceFinalizersRemaining: [
            'SomeFinalizersRemain',
            `Some content in the namespace has finalizers remaining: ${holding.join(', ')}`,
          ],
        }
      : {}),
  };
}
