import { type Namespace, namespace, namespaceFinalizer } from '#api/core/namespace.ts';
import { pod } from '#api/core/pod/pod.ts';
import type { KindDefinition } from '#api/kind.ts';
import { hasReason, resourceText } from '#api/meta/status.ts';
import type { AnyKind } from '#client/client.ts';
import { again, defineController, done, type ReconcileContext } from '#client/controller/define.ts';
import deepEqual from 'fast-deep-equal';
import { kindsWith } from '../kinds.ts';
import { nextLookMs, type Remainder, terminatingConditions } from './plan.ts';

const contents = kindsWith('list', 'delete').filter(({ scope }) => scope === 'namespaced');

/** Upstream's namespace-controller: empties a namespace that is being deleted, pods first, and then lets it go. */
export const namespaceController = defineController<Namespace>({
  name: 'namespace-controller',
  reconciles: namespace,
  reads: [],
  writes: [namespace as never, ...(contents as unknown as AnyKind[])] as never,
  workers: 10,
  async reconcile(context) {
    const { key, cache, client, clock, signal } = context;
    const found = cache.get<Namespace>(namespace, key);
    if (found?.metadata.deletionTimestamp === undefined) return done;
    if (!(found.spec?.finalizers ?? []).includes(namespaceFinalizer)) return done;

    // Pods first: what they need (secrets, service accounts) stays until the last has ended.
    const ofPods = await empty(pod as unknown as KindDefinition, key.name, context);
    const others = contents.filter(({ names, group }) => group !== '' || names.plural !== 'pods');
    const left = ofPods.count > 0 ? [ofPods] : [ofPods, ...(await Promise.all(others.map((kind) => empty(kind, key.name, context))))];

    const conditions = terminatingConditions(found, left, clock.nowMs());
    let current = found;
    try {
      if (!deepEqual(conditions, found.status?.conditions ?? [])) {
        const status = { ...found.status, phase: 'Terminating', conditions };
        current = await client.update<Namespace>(namespace, { ...found, status }, { subresource: 'status' }, signal);
      }
      if (left.some(({ count, failure }) => count > 0 || failure !== undefined)) return again(nextLookMs(left));
      const finalizers = (current.spec?.finalizers ?? []).filter((name) => name !== namespaceFinalizer);
      await client.update<Namespace>(namespace, { ...current, spec: { ...current.spec, finalizers } }, { subresource: 'finalize' }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    return done;
  },
});

/** Deletes what there is of one kind and says what is left. */
async function empty(kind: KindDefinition, inNamespace: string, { client, signal }: ReconcileContext): Promise<Remainder> {
  const resource = resourceText({ group: kind.group, plural: kind.names.plural });
  const options = { namespace: inNamespace };
  let failure: string | undefined;
  try {
    await client.deleteCollection(kind, { ...options, propagation: 'Background' }, signal);
  } catch (error) {
    failure = `${resource}: ${error instanceof Error ? error.message : String(error)}`;
  }
  const { items } = await client.list(kind, options, signal);
  const finalizers: Record<string, number> = {};
  for (const { metadata } of items) for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1;
  const graceSeconds = Math.max(0, ...items.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? 0));
  return { resource, count: items.length, finalizers, graceSeconds, failure };
}
