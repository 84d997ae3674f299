import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { labelSelectorOf } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import { findController } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import {
  again,
  type CacheReader,
  type ControllerDefinition,
  controllerOf,
  defineController,
  done,
  on,
  type Outcome,
  type ReconcileContext,
} from '#client/controller/define.ts';
import deepEqual from 'fast-deep-equal';
import { isNamespaceGoing } from '../namespace/going.ts';
import { claimChildren } from '../pods/claim-children.ts';
import { isFinished } from '../pods/pod-state.ts';
import { oncePerVersion } from '../pods/selectors.ts';
import { planDeployment } from './plan.ts';
import type { RolloutEvent } from './progress.ts';
import { revisionAnnotation } from './revisions.ts';
import { deploymentStatus } from './status.ts';
import { performStep, setNameOf } from './steps.ts';
import { type DeploymentView, viewOf } from './view.ts';

/** Upstream's deployment-controller: rolls ReplicaSets from one template to the next. */
export function deploymentController(): ControllerDefinition {
  const selectorOf = oncePerVersion<Deployment>(({ spec }) => labelSelectorOf(spec.selector));
  return defineController<Deployment>({
    name: 'deployment-controller',
    reconciles: deployment,
    reads: [replicaSet, pod],
    writes: [deployment, replicaSet],
    wakes: [
      on<ReplicaSet>(replicaSet, (object, previous, cache, type) => {
        const owners = [object, ...(previous === undefined ? [] : [previous])].flatMap((one) => controllerOf(deployment)(one));
        if (findController(object) !== undefined || type === 'removed') return owners;
        const candidates = cache.list<Deployment>(deployment, object.metadata.namespace);
        return [...owners, ...candidates.filter((one) => selectorOf(one).matches(object.metadata.labels)).map((one) => keyOf(one))];
      }),
      // Recreate waits until the last old pod is gone.
      on<Pod>(pod, (object, _previous, cache, type) => (type === 'removed' ? deploymentsToRecreate(object, cache) : [])),
    ],
    async reconcile(context) {
      const object = context.cache.get<Deployment>(deployment, context.key);
      if (object === undefined) return done;
      const claim = { ownerKind: deployment, owner: object, childKind: replicaSet, selector: selectorOf(object) };
      return await reconcile(object, await claimChildren<Deployment, ReplicaSet>(claim, context), context);
    },
  });
}

async function reconcile(object: Deployment, sets: readonly ReplicaSet[], context: ReconcileContext): Promise<Outcome> {
  const { cache, clock, events } = context;
  const view = viewOf(object, sets, clock.nowMs());
  const plan = planDeployment(view, () => oldPodsRun(view, cache));
  let event: RolloutEvent = { kind: 'nothing' };
  let failure: unknown;
  for (const step of plan.steps) {
    try {
      const outcome = await performStep(step, object, context);
      if (outcome.kind === 'collision') return done;
      if (outcome.kind === 'created') event = outcome;
    } catch (error) {
      if (isNamespaceGoing(error)) return done;
      failure = error;
      if (step.do === 'create' && error instanceof Error) {
        const message = `Failed to create new replica set "${setNameOf(object)}": ${error.message}`;
        event = { kind: 'create-failed', message };
        events.event(object, 'Warning', 'ReplicaSetCreateError', message);
      }
      break;
    }
  }
  const { status, deadlineInMs } = deploymentStatus(view, event);
  await writeStatus(object, { status, revision: event.kind === 'create-failed' ? undefined : plan.revision }, context);
  // A conflict means that the ReplicaSet changed, which has enqueued the Deployment again.
  if (failure !== undefined && !hasReason(failure, 'Conflict')) throw failure;
  return deadlineInMs === undefined ? done : again(deadlineInMs);
}

/** Writes the status and the revision annotation in one request, which does not increase the generation. */
async function writeStatus(
  object: Deployment,
  { status, revision }: { status: NonNullable<Deployment['status']>; revision: bigint | undefined },
  { client, signal }: ReconcileContext,
): Promise<void> {
  const before = object.metadata.annotations;
  const annotations = revision === undefined ? before : { ...before, [revisionAnnotation]: String(revision) };
  if (deepEqual(status, object.status ?? {}) && deepEqual(annotations, before)) return;
  const metadata = annotations === undefined ? object.metadata : { ...object.metadata, annotations };
  try {
    await client.update<Deployment>(deployment, { ...object, metadata, status }, { subresource: 'status' }, signal);
  } catch (error) {
    // It changed or was deleted meanwhile, which has enqueued it again.
    if (!hasReason(error, 'Conflict', 'NotFound')) throw error;
  }
}

function oldPodsRun({ old }: DeploymentView, cache: CacheReader): boolean {
  return old.some(
    ({ metadata, status }) => (status?.replicas ?? 0) > 0 || cache.ownedBy<Pod>(pod, metadata.uid ?? '').some((one) => !isFinished(one)),
  );
}

function deploymentsToRecreate(object: Pod, cache: CacheReader): ReturnType<typeof keyOf>[] {
  const reference = findController(object);
  if (reference?.kind !== replicaSet.kind) return [];
  const set = cache.get<ReplicaSet>(replicaSet, { namespace: object.metadata.namespace, name: reference.name });
  const keys = set === undefined ? [] : controllerOf(deployment)(set);
  return keys.filter((key) => cache.get<Deployment>(deployment, key)?.spec.strategy?.type === 'Recreate');
}
