// How many pods the owners of some pods ask for together: what percentages of budgets are of.
import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type StatefulSet, statefulSet } from '#api/apps/stateful-set.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { type ReplicationController, replicationController } from '#api/core/replication-controller.ts';
import type { V1OwnerReference } from '#api/generated/types.ts';
import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { findController } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import type { TypedResource } from '#client/client.ts';
import type { ReconcileContext } from '#client/controller/define.ts';

/** The owners' own caches; others are asked for their scale. */
export const scaledKinds = [deployment, replicaSet, replicationController, statefulSet] as const;

interface OwnerScales {
  readonly size: number;
  /** Names of pods without a controller. */
  readonly unmanaged: readonly string[];
}

/** An owner cannot be asked for its size: percentages cannot be counted. */
export class NoScaleError extends Error {
  override readonly name = 'NoScaleError';
}

interface Scale {
  readonly uid: string;
  readonly replicas: number;
}
type Sized = KubeObject & { spec?: { replicas?: number } };

/** Throws NoScaleError where a pod's owner is gone or has no scale. */
export async function ownerScales(pods: readonly Pod[], context: ReconcileContext): Promise<OwnerScales> {
  const scales = new Map<string, number>();
  const asked = new Set<string>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const owner = findController(pod);
    if (owner === undefined) {
      unmanaged.push(pod.metadata.name ?? '');
      continue;
    }
    if (asked.has(owner.uid)) continue;
    asked.add(owner.uid);
    const scale = scaleInCache(owner, context) ?? (await scaleOnServer(owner, context));
    if (scale === undefined) throw new NoScaleError(`found no controllers for pod "${pod.metadata.name}"`);
    scales.set(scale.uid, scale.replicas);
  }
  return { size: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}

function scaleInCache(owner: V1OwnerReference, context: ReconcileContext): Scale | undefined {
  if (isOf(owner, replicaSet)) {
    const set = found<ReplicaSet>(replicaSet, owner, context);
    const parent = set === undefined ? undefined : findController(set);
    if (parent !== undefined && isOf(parent, deployment)) return scaleOf(found<Deployment>(deployment, parent, context));
    return scaleOf(set);
  }
  if (isOf(owner, replicationController)) return scaleOf(found<ReplicationController>(replicationController, owner, context));
  if (isOf(owner, statefulSet)) return scaleOf(found<StatefulSet>(statefulSet, owner, context));
  return undefined;
}

function isOf(owner: V1OwnerReference, { group, kind }: Resource): boolean {
  return owner.kind === kind && owner.apiVersion.split('/').slice(0, -1).join('/') === group;
}

/** What has the name, if it is the one that is meant. */
function found<T extends KubeObject>(kind: TypedResource<T>, owner: V1OwnerReference, { cache, key }: ReconcileContext): T | undefined {
  const object = cache.get(kind, { namespace: key.namespace, name: owner.name });
  return object?.metadata.uid === owner.uid ? object : undefined;
}

function scaleOf(object: Sized | undefined): Scale | undefined {
  return object === undefined ? undefined : { uid: object.metadata.uid ?? '', replicas: object.spec?.replicas ?? 1 };
}

/** Any other kind, by its scale sub-resource. */
async function scaleOnServer(owner: V1OwnerReference, { client, key, signal }: ReconcileContext): Promise<Scale | undefined> {
  const root = owner.apiVersion.includes('/') ? `/apis/${owner.apiVersion}` : `/api/${owner.apiVersion}`;
  try {
    const { resources = [] } = (await client.raw('GET', root, undefined, signal)) as { resources?: { name: string; kind: string }[] };
    const plural = resources.find(({ name, kind }) => kind === owner.kind && !name.includes('/'))?.name;
    if (plural === undefined) return undefined;
    if (!resources.some(({ name }) => name === `${plural}/scale`)) {
      const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
      throw new NoScaleError(`${plural}${group} does not implement the scale subresource`);
    }
    const path = `${root}/namespaces/${key.namespace}/${plural}/${encodeURIComponent(owner.name)}/scale`;
    const scale = (await client.raw('GET', path, undefined, signal)) as unknown as Sized;
    return scale.metadata.uid === owner.uid ? { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 } : undefined;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
