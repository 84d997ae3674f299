import type { Namespace } from '#api/core/namespace.ts';
import type { V1NamespaceCondition } from '#api/generated/types.ts';
import { withCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';

/** What is left of one kind in a namespace that goes. */
export interface Remainder {
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly count: number;
  /** Finalizers on what is left, with how many objects each holds. */
  readonly finalizers: Readonly<Record<string, number>>;
  /** The longest grace period among what is left, in seconds. */
  readonly graceSeconds: number;
  /** Why its deletion failed; undefined where it did not. */
  readonly failure: string | undefined;
}

/** How long to wait before the next look: half the longest grace period, as upstream estimates, and never less than a moment. */
export function nextLookMs(left: readonly Remainder[]): number {
  const graceSeconds = Math.max(0, ...left.map((one) => one.graceSeconds));
  return Math.max(250, Math.min(15_000, (graceSeconds * 1_000) / 2));
}

/** The conditions that say why a namespace is still there (upstream's pkg/controller/namespace/deletion/status_condition_utils.go). */
export function terminatingConditions(object: Namespace, left: readonly Remainder[], nowMs: number): V1NamespaceCondition[] {
  const failures = left.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const held = left.filter(({ count }) => count > 0);
  const finalizers = new Map<string, number>();
  for (const one of held)
    for (const [name, count] of Object.entries(one.finalizers)) finalizers.set(name, (finalizers.get(name) ?? 0) + count);
  const say = (
    type: string,
    isSo: boolean,
    [reasonSo, messageSo]: readonly [string, string],
    [reason, message]: readonly [string, string],
  ): V1NamespaceCondition => ({
    type,
    status: isSo ? 'True' : 'False',
    reason: isSo ? reasonSo : reason,
    message: isSo ? messageSo : message,
    lastTransitionTime: timeText(nowMs),
  });
  const discovered = ['ResourcesDiscovered', 'All resources successfully discovered'] as const;
  const parsed = ['ParsedGroupVersions', 'All legacy kube types successfully parsed'] as const;
  const remaining = held.map(({ resource, count }) => `${resource} has ${count} resource instances`).toSorted();
  const holding = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).toSorted();
  return [
    say('NamespaceDeletionDiscoveryFailure', false, ['', ''], discovered),
    say('NamespaceDeletionGroupVersionParsingFailure', false, ['', ''], parsed),
    say(
      'NamespaceDeletionContentFailure',
      failures.length > 0,
      ['ContentDeletionFailed', `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    say(
      'NamespaceContentRemaining',
      held.length > 0,
      ['SomeResourcesRemain', `Some resources are remaining: ${remaining.join(', ')}`],
      ['ContentRemoved', 'All content successfully removed'],
    ),
    say(
      'NamespaceFinalizersRemaining',
      holding.length > 0,
      ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${holding.join(', ')}`],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ].reduce((conditions, next) => withCondition(conditions, next), object.status?.conditions ?? []);
}
