import { type Pod, pod } from '#api/core/pod/pod.ts';
import { SelectorError } from '#api/meta/label-requirement.ts';
import { type LabelSelector, labelSelectorOf, selectNothing } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import { findController } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import { type PodDisruptionBudget, podDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import type { V1PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import { again, type ControllerDefinition, defineController, done, on, type ReconcileContext } from '#client/controller/define.ts';
import { isReady } from '../pods/pod-state.ts';
import { oncePerVersion } from '../pods/selectors.ts';
import { NoScaleError, ownerScales, scaledKinds } from './owner-scales.ts';
import { countHealthy, expectedOf, failedStatus, needsScales, nextStatus, pendingEvictions } from './plan.ts';

/** Upstream's disruption-controller: says in every budget how many of its pods may be evicted now. */
export function disruptionController(): ControllerDefinition {
  const selectorOf = oncePerVersion<PodDisruptionBudget>(readSelector);
  return defineController<PodDisruptionBudget>({
    name: 'disruption-controller',
    reconciles: podDisruptionBudget,
    reads: [pod, ...scaledKinds] as never,
    writes: [podDisruptionBudget],
    wakes: [
      on<Pod>(pod, (object, previous, cache, type) => {
        if (type === 'updated' && previous !== undefined && countsTheSame(object, previous)) return [];
        const budgets = cache.list<PodDisruptionBudget>(podDisruptionBudget, object.metadata.namespace);
        return budgets.filter((budget) => concerns(selectorOf(budget), object, previous)).map(keyOf);
      }),
    ],
    async reconcile(context) {
      const { key, cache, clock } = context;
      const budget = cache.get<PodDisruptionBudget>(podDisruptionBudget, key);
      if (budget === undefined) return done;
      const selector = selectorOf(budget);
      const pods = cache.list<Pod>(pod, key.namespace).filter(({ metadata }) => selector.matches(metadata.labels ?? {}));
      if (pods.length === 0) context.events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
      try {
        return await count(budget, pods, context);
      } catch (error) {
        if (!(error instanceof NoScaleError)) throw error;
        context.events.event(
          budget,
          'Warning',
          'CalculateExpectedPodCountFailed',
          `Failed to calculate the number of expected pods: ${error.message}`,
        );
        await write(budget, failedStatus(budget, error.message, clock.nowMs()), context);
        return done;
      }
    },
  });
}

async function count(budget: PodDisruptionBudget, pods: readonly Pod[], context: ReconcileContext) {
  const { events, clock, key } = context;
  const { size, unmanaged } = needsScales(budget) ? await ownerScales(pods, context) : { size: 0, unmanaged: [] };
  if (unmanaged.length > 0) events.event(budget, 'Warning', 'UnmanagedPods', unmanagedText(budget));
  const nowMs = clock.nowMs();
  const evictions = pendingEvictions(pods, budget, nowMs);
  for (const one of evictions.overdue) {
    events.event(one, 'Warning', 'NotDeleted', `Pod was expected by PDB ${key.namespace}/${key.name} to be deleted but it wasn't`);
  }
  const expected = expectedOf(budget, pods.length, size);
  const status = nextStatus(budget, { expected, currentHealthy: countHealthy(pods, evictions), evictions }, nowMs);
  if (status !== undefined) await write(budget, status, context);
  return evictions.recheckMs === undefined ? done : again(evictions.recheckMs + 1);
}

/** Conditional: after a concurrent eviction the changed budget enqueues itself again. */
async function write(
  budget: PodDisruptionBudget,
  status: V1PodDisruptionBudgetStatus,
  { client, signal }: ReconcileContext,
): Promise<void> {
  try {
    await client.update<PodDisruptionBudget>(podDisruptionBudget, { ...budget, status }, { subresource: 'status' }, signal);
  } catch (error) {
    if (!hasReason(error, 'Conflict', 'NotFound')) throw error;
  }
}

/** A selector that cannot be read selects nothing. */
function readSelector({ spec }: PodDisruptionBudget): LabelSelector {
  try {
    return labelSelectorOf(spec.selector);
  } catch (error) {
    if (error instanceof SelectorError) return selectNothing;
    throw error;
  }
}

function concerns(selector: LabelSelector, { metadata }: Pod, previous: Pod | undefined): boolean {
  return selector.matches(metadata.labels ?? {}) || (previous !== undefined && selector.matches(previous.metadata.labels ?? {}));
}

function countsTheSame(next: Pod, previous: Pod): boolean {
  const labels = (one: Pod): string => JSON.stringify(one.metadata.labels ?? {});
  return (
    isReady(next) === isReady(previous) &&
    next.metadata.deletionTimestamp === previous.metadata.deletionTimestamp &&
    findController(next)?.uid === findController(previous)?.uid &&
    labels(next) === labels(previous)
  );
}

/** In upstream's words, with the selector as Go prints it. */
function unmanagedText({ spec }: PodDisruptionBudget): string {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {};
  const labels = Object.keys(matchLabels).toSorted();
  const pairs = labels.map((label) => `${label}: ${matchLabels[label]},`).join('');
  const demands = matchExpressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const selector = `&LabelSelector{MatchLabels:map[string]string{${pairs}},MatchExpressions:[]LabelSelectorRequirement{${demands.join('')}},}`;
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB ` +
    'cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" ' +
    'field of the PDB to an integer value.'
  );
}
