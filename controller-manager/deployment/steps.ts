// Carries out the steps of a rollout. No rules here but one: a name that another template took leads to another hash.
import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { objectHash } from '#api/meta/hash.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerReference, isControlledBy } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import type { ReconcileContext } from '#client/controller/define.ts';
import type { DeploymentStep } from './plan.ts';
import { newSetAnnotations, sizeAnnotations } from './revisions.ts';
import { hashLabel, sameTemplate, sizeOf } from './view.ts';

type StepOutcome =
  | { readonly kind: 'done' }
  /** A set of this name was made. */
  | { readonly kind: 'created'; readonly set: string }
  /** The name was taken: the collision count went up, so the next look leads to another one. */
  | { readonly kind: 'collision' };

type CreateStep = Extract<DeploymentStep, { do: 'create' }>;
type ScaleStep = Extract<DeploymentStep, { do: 'scale' }>;

const done: StepOutcome = { kind: 'done' };
const maxNameLength = 253;

/** Does one step. Throws Conflict when a set changed since the plan was made. */
export async function performStep(step: DeploymentStep, object: Deployment, context: ReconcileContext): Promise<StepOutcome> {
  const { client, signal } = context;
  switch (step.do) {
    case 'create':
      return await create(step, object, context);
    case 'scale':
      return await scale(step, object, context);
    case 'sync': {
      const { set, annotations } = step;
      const spec = { ...set.spec, minReadySeconds: object.spec.minReadySeconds ?? 0 };
      await client.update<ReplicaSet>(replicaSet, { ...set, metadata: { ...set.metadata, annotations }, spec }, {}, signal);
      return done;
    }
    case 'delete':
      try {
        await client.delete(replicaSet, keyOf(step.set), { uid: step.set.metadata.uid }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return done;
  }
}

/** The name of the set for the Deployment's template as it is now. */
export function setNameOf(object: Deployment): string {
  const hash = hashOf(object);
  return `${(object.metadata.name ?? '').slice(0, maxNameLength - 1 - hash.length)}-${hash}`;
}

function hashOf({ spec, status }: Deployment): string {
  return objectHash(spec.template, status?.collisionCount);
}

async function scale({ set, size }: ScaleStep, object: Deployment, { client, events, signal }: ReconcileContext): Promise<StepOutcome> {
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(object) };
  const next = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: size } };
  await client.update<ReplicaSet>(replicaSet, next, {}, signal);
  const before = sizeOf(set);
  if (size === before) return done;
  const direction = size > before ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${size}`;
  events.event(object, 'Normal', 'ScalingReplicaSet', message);
  return done;
}

async function create({ size, revision }: CreateStep, object: Deployment, context: ReconcileContext): Promise<StepOutcome> {
  const { client, events, signal } = context;
  const set = setFor(object, size, revision);
  const { name = '' } = set.metadata;
  try {
    await client.create<ReplicaSet>(replicaSet, set, {}, signal);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    return await resolveTakenName(object, name, context);
  }
  if (size > 0) events.event(object, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${size}`);
  return { kind: 'created', set: name };
}

function setFor(object: Deployment, size: number, revision: bigint): ReplicaSet {
  const hash = hashOf(object);
  const { template, selector, minReadySeconds = 0 } = object.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    metadata: {
      name: setNameOf(object),
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
  };
}

async function resolveTakenName(object: Deployment, name: string, { client, signal }: ReconcileContext): Promise<StepOutcome> {
  const taken = await client.get<ReplicaSet>(replicaSet, { ...keyOf(object), name }, signal);
  // The cache was behind: it is the set that was to be made.
  if (isControlledBy(taken, object) && sameTemplate(taken.spec.template, object.spec.template)) return done;
  const collisionCount = (object.status?.collisionCount ?? 0) + 1;
  const status = { ...object.status, collisionCount };
  await client.update<Deployment>(deployment, { ...object, status }, { subresource: 'status' }, signal);
  return { kind: 'collision' };
}
