// When a pod may be evicted (pkg/registry/core/pod/storage/eviction.go). Deciding only; apiserver/subresources/eviction.ts does it.
import type { V1Condition, V1PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import type { Pod } from '../core/pod/pod.ts';
import { isConditionTrue, withCondition } from '../meta/conditions.ts';
import { SelectorError } from '../meta/label-requirement.ts';
import { labelSelectorOf } from '../meta/label-selector.ts';
import { ApiError, forbidden } from '../meta/status.ts';
import type { PodDisruptionBudget } from './pod-disruption-budget.ts';

/** More evictions than this may not wait for the controller to see them. */
const maxDisruptedPods = 2_000;
const refusalText = "Cannot evict pod as it would violate the pod's disruption budget.";
/** The answer where budgets contradict each other. */
export const severalBudgetsText = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

/**
 * Whether budgets have no say: `gone` pods have ended or are going, `pending` ones do not serve yet, which may change at any
 * moment.
 */
export function freedomOf({ status, metadata }: Pod): 'gone' | 'pending' | 'budgeted' {
  const { phase } = status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed' || metadata.deletionTimestamp !== undefined) return 'gone';
  return phase === 'Pending' ? 'pending' : 'budgeted';
}

/** The budgets that the pod counts in; a selector that cannot be read selects nothing. */
export function budgetsOf({ metadata }: Pod, budgets: readonly PodDisruptionBudget[]): PodDisruptionBudget[] {
  return budgets.filter(({ spec }) => {
    try {
      return labelSelectorOf(spec.selector).matches(metadata.labels);
    } catch (error) {
      if (error instanceof SelectorError) return false;
      throw error;
    }
  });
}

/** A pod that is not ready does not count, and may go where the budget allows that, as long as it stays so. */
export function goesUncounted({ status: pod }: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isConditionTrue(pod?.conditions, 'Ready')) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** The budget's status after one more eviction. Throws TooManyRequests or Forbidden where it allows none. */
export function countEviction({ metadata, status }: PodDisruptionBudget, podName: string, time: string): V1PodDisruptionBudgetStatus {
  const { name = '', generation = 0 } = metadata;
  const before = status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {}, conditions } = before;
  if (observedGeneration < generation) throw stillCounting(name);
  if (disruptionsAllowed < 0) {
    throw broken(name, 'pdb disruptions allowed is negative', 'pdb disruptions allowed is negative');
  }
  if (Object.keys(disruptedPods).length > maxDisruptedPods) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    throw broken(name, why, 'too many pending evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) throw tooManyRequests(usedUpText(name, before));
  const next = { ...before, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods: { ...disruptedPods, [podName]: time } };
  if (next.disruptionsAllowed > 0) return next;
  const none: V1Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    observedGeneration,
    lastTransitionTime: time,
    reason: 'InsufficientPods',
    message: '',
  };
  return { ...next, conditions: withCondition(conditions, none) };
}

function usedUpText(name: string, { conditions = [], desiredHealthy, currentHealthy }: V1PodDisruptionBudgetStatus): string {
  const failed = conditions.find(
    ({ type, status, reason }) => type === 'DisruptionAllowed' && status === 'False' && reason === 'SyncFailed',
  );
  const start = `The disruption budget ${name}`;
  if (failed !== undefined) return `${start} does not allow evicting pods currently because it failed sync: ${failed.message}`;
  return `${start} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
}

/** The refusal while the controller has not seen the newest budget, or the pod has changed meanwhile: worth another try soon. */
export function stillCounting(name: string): ApiError {
  return tooManyRequests(`The disruption budget ${name} is still being processed by the server.`, 10);
}

function tooManyRequests(cause: string, retryAfterSeconds?: number): ApiError {
  const causes = [{ reason: 'DisruptionBudget', message: cause }];
  const details = { causes, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  return new ApiError({ reason: 'TooManyRequests', message: refusalText, details });
}

function broken(name: string, why: string, cause: string): ApiError {
  const plain = forbidden({ group: 'policy', plural: 'poddisruptionbudget' }, name, why);
  const message = `The disruption budget ${name} does not allow evicting pods currently: ${cause}`;
  const details = { ...plain.details, causes: [{ reason: 'DisruptionBudget', message }] };
  return new ApiError({ reason: plain.reason, message: plain.message, details });
}
