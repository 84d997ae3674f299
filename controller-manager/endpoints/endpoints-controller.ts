import { type Endpoints, endpoints } from '#api/core/endpoints.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { defineController, done, on } from '#client/controller/define.ts';
import { planEndpoints } from './endpoints-plan.ts';
import { hasSelector, selectedPods, servicesOfPod } from './service-pods.ts';

/** Upstream's endpoints-controller: keeps the Endpoints object of Services with a selector, for those who do not read slices. */
export const endpointsController = defineController<Service>({
  name: 'endpoints-controller',
  reconciles: service,
  reads: [pod as never, endpoints as never],
  writes: [endpoints as never],
  wakes: [on<Pod>(pod, servicesOfPod), on<Endpoints>(endpoints, (object) => [keyOf(object)])],
  async reconcile({ key, cache, client, signal }) {
    const owner = cache.get<Service>(service, key);
    const existing = cache.get<Endpoints>(endpoints, key);
    if (owner === undefined) {
      // Only what was made for a Service goes with it: others (leader records of old clients) have no Service to lose.
      if (existing?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== 'endpoint-controller') return done;
      try {
        await client.delete(endpoints, key, { uid: existing.metadata.uid }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return done;
    }
    if (!hasSelector(owner) || owner.metadata.deletionTimestamp !== undefined) return done;
    const next = planEndpoints(owner, selectedPods(owner, cache.list<Pod>(pod, key.namespace)), existing);
    if (next === undefined) return done;
    try {
      if (existing === undefined) await client.create<Endpoints>(endpoints, next, {}, signal);
      else await client.update<Endpoints>(endpoints, next, {}, signal);
    } catch (error) {
      const isGoing =
        hasReason(error, 'Forbidden') && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
      if (!isGoing) throw error;
    }
    return done;
  },
});
