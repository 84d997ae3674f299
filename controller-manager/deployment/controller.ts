import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { objectHash } from '#api/meta/hash.ts';
import { labelSelectorOf } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerReference, findController } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import { again, controllerOf, defineController, done, on, type Outcome, type ReconcileContext } from '#client/controller/define.ts';
import deepEqual from 'fast-deep-equal';
import { adoptPatch, planClaims, releasePatch } from '../pods/claim.ts';
import { type DeploymentStep, planDeployment } from './plan.ts';
import { newSetAnnotations, revisionAnnotation, sizeAnnotations } from './revisions.ts';
import { deploymentStatus, type Happened } from './status.ts';
import { hashLabel, sameTemplate, sizeOf, viewOf } from './view.ts';

/** Upstream's deployment-controller: rolls ReplicaSets from one template to the next. */
export const deploymentController = defineController<Deployment>({
  name: 'deployment-controller',
  reconciles: deployment,
  reads: [replicaSet as never, pod as never],
  writes: [deployment as never, replicaSet as never],
  wakes: [
    on<ReplicaSet>(replicaSet, (object, previous, cache) => {
      const owners = [object, ...(previous === undefined ? [] : [previous])].flatMap((one) => controllerOf(deployment)(one));
      if (findController(object) !== undefined) return owners;
      const matching = cache
        .list<Deployment>(deployment, object.metadata.namespace)
        .filter(({ spec }) => labelSelectorOf(spec.selector).matches(object.metadata.labels ?? {}));
      return [...owners, ...matching.map((one) => keyOf(one))];
    }),
    // Recreate waits for the end of the last old pod.
    on<Pod>(pod, (object, _previous, cache) => {
      const set = findController(object);
      if (set?.kind !== 'ReplicaSet' || cache.get(pod, keyOf(object)) !== undefined) return [];
      const owner = cache.get<ReplicaSet>(replicaSet, { namespace: object.metadata.namespace, name: set.name });
      return owner === undefined ? [] : controllerOf(deployment)(owner);
    }),
  ],
  reconcile: async (context) => {
    const found = context.cache.get<Deployment>(deployment, context.key);
    return found === undefined ? done : await reconcile(found, context);
  },
});

async function reconcile(object: Deployment, context: ReconcileContext): Promise<Outcome> {
  const { cache, clock } = context;
  const sets = await claim(object, context);
  const view = viewOf(object, sets, clock.nowMs());
  const oldPodsRun = view.old.some(({ metadata }) =>
    cache.ownedBy<Pod>(pod, metadata.uid ?? '').some(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed'),
  );
  const plan = planDeployment(view, oldPodsRun);
  let happened: Happened = { kind: 'nothing' };
  let failure: unknown;
  for (const step of plan.steps) {
    try {
      if ((await perform(step, object, sets, context)) === 'collision') return done;
      if (step.do === 'create') happened = { kind: 'created', set: setName(object) };
    } catch (error) {
      if (step.do === 'create') happened = { kind: 'create-failed', message: error instanceof Error ? error.message : String(error) };
      failure = error;
      break;
    }
  }
  const shown = plan.revision === undefined ? object : await showRevision(object, plan.revision, context);
  const { status, deadlineInMs } = deploymentStatus({ ...view, deployment: shown }, happened);
  if (!deepEqual(status, shown.status ?? {})) await writeStatus(shown, status, context);
  if (failure !== undefined && !hasReason(failure, 'Conflict')) throw failure;
  return deadlineInMs === undefined ? done : again(deadlineInMs);
}

async function claim(object: Deployment, { cache, client, signal }: ReconcileContext): Promise<ReplicaSet[]> {
  const selector = labelSelectorOf(object.spec.selector);
  const candidates = cache.list<ReplicaSet>(replicaSet, object.metadata.namespace);
  const plan = planClaims({ owner: object, candidates, matches: (labels) => selector.matches(labels) });
  const mine = [...plan.mine];
  if (plan.adopt.length > 0) {
    const fresh = await client.get<Deployment>(deployment, keyOf(object), signal);
    if (fresh.metadata.uid !== object.metadata.uid || fresh.metadata.deletionTimestamp !== undefined) return mine;
  }
  for (const set of plan.adopt)
    mine.push(await client.patch<ReplicaSet>(replicaSet, keyOf(set), adoptPatch(deployment, object, set), { type: 'strategic' }, signal));
  for (const set of plan.release) {
    try {
      await client.patch<ReplicaSet>(replicaSet, keyOf(set), releasePatch(object, set), { type: 'strategic' }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Invalid', 'Conflict')) throw error;
    }
  }
  return mine;
}

async function perform(
  step: DeploymentStep,
  object: Deployment,
  sets: readonly ReplicaSet[],
  context: ReconcileContext,
): Promise<'done' | 'collision'> {
  const { client, events, signal } = context;
  switch (step.do) {
    case 'create':
      return await create(step, object, sets, context);
    case 'scale': {
      const { set, size } = step;
      const before = sizeOf(set);
      const annotations = { ...set.metadata.annotations, ...sizeAnnotations(object) };
      await client.update<ReplicaSet>(
        replicaSet,
        { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: size } },
        {},
        signal,
      );
      if (size !== before) scaled(events, object, set.metadata.name ?? '', before, size);
      return 'done';
    }
    case 'sync': {
      const { set, annotations } = step;
      const spec = { ...set.spec, minReadySeconds: object.spec.minReadySeconds ?? 0 };
      await client.update<ReplicaSet>(replicaSet, { ...set, metadata: { ...set.metadata, annotations }, spec }, {}, signal);
      return 'done';
    }
    case 'delete':
      try {
        await client.delete(replicaSet, keyOf(step.set), { uid: step.set.metadata.uid }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return 'done';
  }
}

/** Makes the set for the current template. A name that another template took leads to another hash: the collision count goes up. */
async function create(
  { size, revision }: Extract<DeploymentStep, { do: 'create' }>,
  object: Deployment,
  sets: readonly ReplicaSet[],
  { client, events, signal }: ReconcileContext,
): Promise<'done' | 'collision'> {
  const hash = templateHash(object);
  const { template, selector, minReadySeconds = 0 } = object.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const name = setName(object);
  try {
    await client.create<ReplicaSet>(
      replicaSet,
      {
        metadata: {
          name,
          ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
          labels,
          annotations: newSetAnnotations(object, revision),
          ownerReferences: [controllerReference(deployment, object)],
        },
        spec: {
          replicas: size,
          minReadySeconds,
          selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
          template: { ...template, metadata: { ...template.metadata, labels } },
        },
      },
      {},
      signal,
    );
    scaled(events, object, name, 0, size);
    return 'done';
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    const taken =
      sets.find(({ metadata }) => metadata.name === name) ?? (await client.get<ReplicaSet>(replicaSet, { ...keyOf(object), name }, signal));
    // The cache was behind: it is the set that we wanted to make.
    if (findController(taken)?.uid === object.metadata.uid && sameTemplate(taken.spec.template, template)) return 'done';
    const collisionCount = (object.status?.collisionCount ?? 0) + 1;
    await client.update<Deployment>(
      deployment,
      { ...object, status: { ...object.status, collisionCount } },
      { subresource: 'status' },
      signal,
    );
    return 'collision';
  }
}

function scaled(events: ReconcileContext['events'], object: Deployment, set: string, from: number, to: number): void {
  events.event(object, 'Normal', 'ScalingReplicaSet', `Scaled ${to > from ? 'up' : 'down'} replica set ${set} from ${from} to ${to}`);
}

async function showRevision(object: Deployment, revision: number, { client, signal }: ReconcileContext): Promise<Deployment> {
  const text = String(revision);
  if (object.metadata.annotations?.[revisionAnnotation] === text) return object;
  const body = { metadata: { uid: object.metadata.uid, annotations: { [revisionAnnotation]: text } } };
  return await client.patch<Deployment>(deployment, keyOf(object), body, { type: 'merge' }, signal);
}

async function writeStatus(object: Deployment, status: Deployment['status'], { client, signal }: ReconcileContext): Promise<void> {
  const next = { ...object, ...(status === undefined ? {} : { status }) };
  try {
    await client.update<Deployment>(deployment, next, { subresource: 'status' }, signal);
  } catch (error) {
    // It changed or went meanwhile: its new state wakes this loop by itself.
    if (!hasReason(error, 'Conflict', 'NotFound')) throw error;
  }
}

function templateHash({ spec, status }: Deployment): string {
  return objectHash(spec.template, status?.collisionCount);
}

function setName(object: Deployment): string {
  return `${object.metadata.name}-${templateHash(object)}`;
}
