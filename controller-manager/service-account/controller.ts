import { type Namespace, namespace } from '#api/core/namespace.ts';
import { type ServiceAccount, serviceAccount } from '#api/core/service-account.ts';
import { hasReason } from '#api/meta/status.ts';
import { defineController, done, on } from '#client/controller/define.ts';
import { isNamespaceGoing } from '../namespace/going.ts';

const defaultName = 'default';

/** Upstream's serviceaccount-controller: every active namespace has a service account named `default`. */
export const serviceAccountController = defineController<Namespace>({
  name: 'serviceaccount-controller',
  reconciles: namespace,
  reads: [serviceAccount],
  writes: [serviceAccount],
  wakes: [
    on<ServiceAccount>(serviceAccount, ({ metadata }) => (metadata.name === defaultName ? [{ name: metadata.namespace ?? '' }] : [])),
  ],
  async reconcile({ key, cache, client, signal }) {
    const found = cache.get<Namespace>(namespace, key);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return done;
    if (cache.get(serviceAccount, { namespace: key.name, name: defaultName }) !== undefined) return done;
    try {
      await client.create<ServiceAccount>(serviceAccount, { metadata: { name: defaultName, namespace: key.name } }, {}, signal);
    } catch (error) {
      // Created concurrently, or the namespace is being deleted: the cache will show either.
      if (!hasReason(error, 'AlreadyExists', 'NotFound') && !isNamespaceGoing(error)) throw error;
    }
    return done;
  },
});
