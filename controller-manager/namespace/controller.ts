// Empties a namespace that is being deleted, pods first, and then lets it go. It looks again as soon as something in the namespace is
// seen to be gone, so that a namespace goes as fast as what it holds; the wait is only for what no cache shows.
import { type Namespace, namespace, namespaceFinalizer } from '#api/core/namespace.ts';
import { pod } from '#api/core/pod/pod.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { AnyKind, TypedResource } from '#client/client.ts';
import { again, type ControllerDefinition, defineController, done, on, type ReconcileContext } from '#client/controller/define.ts';
import deepEqual from 'fast-deep-equal';
import { isEvent } from '../kinds.ts';
import { isEmptied, nextLookMs, type Remainder, terminatingConditions } from './plan.ts';

/** Upstream's namespace-controller. @param contents kinds that live in namespaces and can be deleted; but for events they must be cached. */
export function namespaceController(contents: readonly KindDefinition[]): ControllerDefinition {
  const others = contents.filter(({ names, group }) => names.plural !== pod.names.plural || group !== pod.group);
  return defineController<Namespace>({
    name: 'namespace-controller',
    reconciles: namespace,
    reads: [],
    writes: [namespace, ...(contents as unknown as AnyKind[])],
    wakes: contents
      .filter((kind) => !isEvent(kind))
      .map((kind) =>
        on<KubeObject>(kind as unknown as TypedResource<KubeObject>, ({ metadata }, _previous, cache, type) => {
          if (type !== 'removed' || metadata.namespace === undefined) return [];
          const key = { name: metadata.namespace };
          return cache.get<Namespace>(namespace, key)?.metadata.deletionTimestamp === undefined ? [] : [key];
        }),
      ),
    workers: 10,
    async reconcile(context) {
      const { key, cache } = context;
      const found = cache.get<Namespace>(namespace, key);
      if (found?.metadata.deletionTimestamp === undefined) return done;
      if (!(found.spec?.finalizers ?? []).includes(namespaceFinalizer)) return done;
      // Pods first: what they need (secrets, service accounts) stays until the last has ended.
      const ofPods = await empty(pod as unknown as KindDefinition, key.name, context);
      const ofOthers = ofPods.count > 0 ? [] : await Promise.all(others.map((kind) => empty(kind, key.name, context)));
      return await conclude(found, [ofPods, ...ofOthers], context);
    },
  });
}

/** Says what is left, or lets the namespace go. */
async function conclude(found: Namespace, left: readonly Remainder[], { client, clock, signal }: ReconcileContext) {
  const conditions = terminatingConditions(found, left, clock.nowMs());
  let current = found;
  try {
    if (!deepEqual(conditions, found.status?.conditions ?? [])) {
      const status = { ...found.status, phase: 'Terminating', conditions };
      current = await client.update<Namespace>(namespace, { ...found, status }, { subresource: 'status' }, signal);
    }
    if (!isEmptied(left)) return again(nextLookMs(left));
    const finalizers = (current.spec?.finalizers ?? []).filter((name) => name !== namespaceFinalizer);
    await client.update<Namespace>(namespace, { ...current, spec: { ...current.spec, finalizers } }, { subresource: 'finalize' }, signal);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
  return done;
}

/** Deletes what there is of one kind and says what is left. */
async function empty(kind: KindDefinition, inNamespace: string, { client, signal }: ReconcileContext): Promise<Remainder> {
  const resource = `${kind.names.plural}.${kind.group}`;
  const options = { namespace: inNamespace };
  let { items } = await client.list(kind, options, signal);
  let failure: string | undefined;
  if (items.some(({ metadata }) => metadata.deletionTimestamp === undefined)) {
    try {
      await client.deleteCollection(kind, { ...options, propagation: 'Background' }, signal);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    items = (await client.list(kind, options, signal)).items;
  }
  const finalizers: Record<string, number> = {};
  for (const { metadata } of items) for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1;
  const graceSeconds = Math.max(0, ...items.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? 0));
  return { resource, count: items.length, finalizers, graceSeconds, failure };
}
