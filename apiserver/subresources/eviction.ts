// `pods/NAME/eviction`: a graceful delete that disruption budgets may refuse.
import type { V1DeleteOptions } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { withCondition } from '#api/meta/conditions.ts';
import type { JsonObject, KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { badRequest, hasReason } from '#api/meta/status.ts';
import { timeText } from '#api/meta/time-text.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { budgetsOf, countEviction, freedomOf, goesUncounted, severalBudgetsText, stillCounting } from '#api/policy/eviction.ts';
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { parseDelete } from '../http/options.ts';
import { sendValue } from '../http/respond.ts';
import type { VerbDeps } from '../http/verbs/verb.ts';
import { internalContext } from '../internal-context.ts';
import type { DeleteRequest, RequestContext } from '../registry/contract.ts';
import { checkPreconditions } from '../registry/deleter.ts';
import { setNamespace } from '../registry/prepare.ts';
import { created } from './binding.ts';
import { actBody, member, text } from './body.ts';
import type { SubresourceHandler } from './contract.ts';

const evictionKind = {
  group: 'policy',
  version: 'v1',
  otherVersions: ['v1beta1'],
  kind: 'Eviction',
  schema: 'io.k8s.api.policy.v1.Eviction',
};
/** How often, and how far apart, an eviction starts again when the pod changes under it. */
const attempts = 20;
const waitMs = 500;

export const podEviction: SubresourceHandler = {
  verbs: ['create'],
  serve: async (exchange, pods, deps) => {
    const wanted = deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table');
    const act = await actBody(exchange, evictionKind, deps);
    const meta = member(act.body, 'metadata');
    const name = exchange.info.pathName;
    if (text(meta, 'name') !== name) throw badRequest('name in URL does not match name in Eviction object');
    setNamespace(pods, meta as JsonObject & ObjectMeta, act.context.namespace);
    const object = act.body as unknown as KubeObject;
    await deps.registry.admit({ kind: pods, operation: 'CREATE', name, context: act.context, object, previous: undefined });
    const { request, context } = parseDelete(exchange, member(act.body, 'deleteOptions') as V1DeleteOptions);
    const plain = { ...context, subresource: '', dryRun: act.context.dryRun || context.dryRun };
    const outcome = await evict({ pods, name, request, context: plain, deps });
    if (outcome === 'evicted') return sendValue(exchange, wanted, 201, created);
    const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: severalBudgetsText, code: 500 };
    return sendValue(exchange, wanted, 500, failure);
  },
};

interface Eviction {
  readonly pods: KindDefinition;
  readonly name: string;
  readonly request: DeleteRequest;
  readonly context: RequestContext;
  readonly deps: VerbDeps;
}

async function evict(eviction: Eviction): Promise<'evicted' | 'several-budgets'> {
  const pod = await evictFree(eviction);
  if (pod === undefined) return 'evicted';
  const { context, deps } = eviction;
  const kind = deps.registry.find('policy', 'v1', 'poddisruptionbudgets');
  const all = kind === undefined ? [] : await listBudgets(kind, context, deps);
  const [budget, another] = budgetsOf(pod, all);
  if (another !== undefined) return 'several-budgets';
  if (kind === undefined || budget === undefined) {
    await remove(eviction, eviction.request);
  } else if (goesUncounted(pod, budget)) {
    await removeUncounted(eviction, pod, budget);
  } else {
    await count(eviction, kind, budget);
    await remove(eviction, eviction.request);
  }
  return 'evicted';
}

/** Evicts a pod in which no budget has a say; otherwise answers the pod. A pending pod that changes is looked at again. */
async function evictFree(eviction: Eviction): Promise<Pod | undefined> {
  const { pods, name, request, context, deps } = eviction;
  for (let attempt = 1; ; attempt++) {
    const pod = (await deps.registry.get(pods, name, '', context)).object() as Pod;
    const freedom = freedomOf(pod);
    if (freedom === 'budgeted') return pod;
    const isGuarded = freedom === 'pending' && request.resourceVersion === undefined;
    try {
      await remove(eviction, isGuarded ? { ...request, resourceVersion: pod.metadata.resourceVersion } : request);
      return undefined;
    } catch (error) {
      if (!hasReason(error, 'Conflict') || request.resourceVersion !== undefined || attempt === attempts) throw error;
      await deps.clock.sleep(waitMs, context.signal);
    }
  }
}

async function listBudgets(
  kind: KindDefinition,
  { namespace, signal }: RequestContext,
  { registry }: VerbDeps,
): Promise<PodDisruptionBudget[]> {
  const everything = {
    labelSelector: '',
    fieldSelector: '',
    limit: undefined,
    continue: '',
    resourceVersion: '',
    resourceVersionMatch: '' as const,
  };
  const { items } = await registry.list(kind, everything, internalContext({ namespace }, signal));
  return [...items].map((item) => item.object() as PodDisruptionBudget);
}

/** Takes one eviction from the budget, of which every attempt sees the newest. */
async function count({ name, context, deps }: Eviction, kind: KindDefinition, budget: PodDisruptionBudget): Promise<void> {
  const time = timeText(deps.clock.nowMs());
  const budgetName = budget.metadata.name ?? '';
  const own = internalContext({ namespace: context.namespace, subresource: 'status', dryRun: context.dryRun }, context.signal);
  const change = (current: KubeObject): KubeObject =>
    ({ ...current, status: countEviction(current as PodDisruptionBudget, name, time) }) as KubeObject;
  await deps.registry.change(kind, budgetName, change, own);
}

/** The pod may go because it is not ready; were it ready meanwhile, it would have to be counted. */
async function removeUncounted(eviction: Eviction, pod: Pod, budget: PodDisruptionBudget): Promise<void> {
  const { request } = eviction;
  try {
    await remove(eviction, { ...request, resourceVersion: pod.metadata.resourceVersion });
  } catch (error) {
    if (hasReason(error, 'Conflict') && request.resourceVersion === undefined) throw stillCounting(budget.metadata.name ?? '');
    throw error;
  }
}

/** Says in the pod why it goes, then deletes it. */
async function remove({ pods, name, context, deps }: Eviction, request: DeleteRequest): Promise<void> {
  const { registry, clock } = deps;
  let { resourceVersion } = request;
  if (!context.dryRun) {
    const time = timeText(clock.nowMs());
    const own = internalContext({ namespace: context.namespace, subresource: 'status' }, context.signal);
    const mark = (current: KubeObject): KubeObject => {
      checkPreconditions(pods, current, request);
      return aboutToGo(current as Pod, time);
    };
    const marked = await registry.change(pods, name, mark, own);
    // The mark is a change of our own.
    if (resourceVersion !== undefined) ({ resourceVersion } = marked);
  }
  await registry.delete(pods, name, { ...request, resourceVersion }, context);
}

function aboutToGo({ metadata, status, ...rest }: Pod, lastTransitionTime: string): KubeObject {
  const target = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
  return { ...rest, metadata, status: { ...status, conditions: withCondition(status?.conditions, target) } } as KubeObject;
}
