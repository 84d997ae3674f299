// Counts anew what quotas limit: when a quota or its limits are new, when something that counts has gone or changed, and every five
// minutes. In between the API server adds what is written; it never takes away.
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type CountView, type Measure, measureOf } from '#api/core/quota/measure.ts';
import { equalAmounts } from '#api/core/quota/amounts.ts';
import { type ResourceQuota, resourceQuota } from '#api/core/resource-quota.ts';
import { type DeviceClass, deviceClass } from '#api/resource/device-class.ts';
import type { KindDefinition } from '#api/kind.ts';
import { keyText, type KubeObject, type ObjectKey } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { AnyKind, Client, TypedResource } from '#client/client.ts';
import { again, type CacheReader, type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { isEvent } from '../kinds.ts';
import { type Counted, nextStatus, usageOf } from './plan.ts';

const recountMs = 300_000;

interface Countable {
  readonly kind: KindDefinition;
  readonly measure: Measure;
}

/** Upstream's resourcequota-controller. @param contents kinds that live in namespaces; but for events they must be cached. */
export function resourceQuotaController(contents: readonly KindDefinition[]): ControllerDefinition {
  const countable = contents.flatMap((kind): Countable[] => {
    const measure = measureOf(kind);
    return measure === undefined ? [] : [{ kind, measure }];
  });
  /** When each quota was last counted. Missing: it must be. */
  const countedAtMs = new Map<string, number>();
  const recount = (cache: CacheReader, namespace: string | undefined): ObjectKey[] => {
    if (namespace === undefined) return [];
    return cache.list<ResourceQuota>(resourceQuota, namespace).map(({ metadata }) => {
      const key = { namespace, name: metadata.name ?? '' };
      countedAtMs.delete(keyText(key));
      return key;
    });
  };
  return defineController<ResourceQuota>({
    name: 'resourcequota-controller',
    reconciles: resourceQuota,
    reads: [deviceClass],
    writes: [resourceQuota, ...(countable.map(({ kind }) => kind) as unknown as AnyKind[])],
    wakes: countable
      .filter(({ kind }) => !isEvent(kind))
      .map(({ kind, measure }) =>
        on<KubeObject>(kind as unknown as TypedResource<KubeObject>, (object, previous, cache, type) => {
          const changes = (): boolean =>
            isPod(kind) ? previous !== undefined && countsAnew(object as Pod, previous as Pod) : measure.isUniform !== true;
          const counts = type === 'removed' || (type === 'updated' && changes());
          return counts ? recount(cache, object.metadata.namespace) : [];
        }),
      ),
    async reconcile({ key, cache, client, clock, signal }) {
      const text = keyText(key);
      const found = cache.get<ResourceQuota>(resourceQuota, key);
      if (found === undefined) {
        countedAtMs.delete(text);
        return done;
      }
      const nowMs = clock.nowMs();
      const dueMs = (countedAtMs.get(text) ?? -Infinity) + recountMs;
      if (dueMs > nowMs && equalAmounts(found.spec.hard ?? {}, found.status?.hard ?? {})) return again(dueMs - nowMs);
      countedAtMs.set(text, nowMs);
      try {
        await count(key, countable, { client, view: viewOf(cache, nowMs), signal });
      } catch (error) {
        countedAtMs.delete(text);
        if (hasReason(error, 'NotFound')) return done;
        throw error;
      }
      return again(recountMs);
    },
  });
}

function viewOf(cache: CacheReader, nowMs: number): CountView {
  return {
    nowMs,
    extendedResourceOf: (name) => cache.get<DeviceClass>(deviceClass, { name })?.spec.extendedResourceName,
    podOf: (namespace, name) => cache.get<Pod>(pod, { namespace, name }),
  };
}

async function count(
  key: ObjectKey,
  countable: readonly Countable[],
  { client, view, signal }: { client: Client; view: CountView; signal: AbortSignal },
): Promise<void> {
  // Read before the count: whoever charges the quota meanwhile makes the write below fail, and it is counted again. Listed, since
  // upstream's role for this controller lets it read nothing by name.
  const itself = { namespace: key.namespace, fieldSelector: `metadata.name=${key.name}` };
  const [quota] = (await client.list<ResourceQuota>(resourceQuota, itself, signal)).items;
  if (quota === undefined) return;
  const limited = Object.keys(quota.spec.hard ?? {});
  const wanted = countable.filter(({ measure }) => limited.some(measure.counts));
  const counted = await Promise.all(
    wanted.map(async ({ kind, measure }): Promise<Counted> => {
      const options = { namespace: key.namespace };
      if (measure.isUniform !== true) return { measure, objects: (await client.list<KubeObject>(kind, options, signal)).items };
      const { items, metadata } = await client.list<KubeObject>(kind, { ...options, limit: 1 }, signal);
      return { measure, objects: items.length + (metadata.remainingItemCount ?? 0) };
    }),
  );
  const status = nextStatus(quota, usageOf(quota, counted, view));
  if (status !== undefined) await client.update<ResourceQuota>(resourceQuota, { ...quota, status }, { subresource: 'status' }, signal);
}

function isPod({ group, names }: KindDefinition): boolean {
  return group === pod.group && names.plural === pod.names.plural;
}

/** Whether an update may change what a pod counts for: it has ended, is in another scope, or a resize goes on. */
function countsAnew(next: Pod, previous: Pod): boolean {
  const hasEnded = (one: Pod): boolean => ['Succeeded', 'Failed'].includes(one.status?.phase ?? '');
  const resizes = ({ status }: Pod): string =>
    (status?.conditions ?? []).flatMap(({ type, reason }) => (type.startsWith('PodResize') ? [`${type} ${reason}`] : [])).join();
  return (
    (hasEnded(next) && !hasEnded(previous)) ||
    next.spec.activeDeadlineSeconds !== previous.spec.activeDeadlineSeconds ||
    resizes(next) !== resizes(previous)
  );
}
