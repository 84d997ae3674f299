import { type Endpoints, endpoints } from '#api/core/endpoints.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { mapSelectorOf } from '#api/meta/label-selector.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { type ControllerDefinition, defineController, done, on, type Outcome, type ReconcileContext } from '#client/controller/define.ts';
import { isNamespaceGoing } from '../namespace/going.ts';
import { oncePerVersion } from '../pods/selectors.ts';
import { managedByLabel, managerName, planEndpoints } from './endpoints-plan.ts';
import { podWakes } from './pod-wakes.ts';
import { hasSelector, selectedPods } from './service-pods.ts';
import { TriggerTimes } from './trigger-times.ts';

/** Upstream's endpoints-controller: keeps the Endpoints object of Services with a selector, for those who do not read slices. */
export function endpointsController(): ControllerDefinition {
  const triggerTimes = new TriggerTimes();
  const selectorOf = oncePerVersion<Service>(({ spec }) => mapSelectorOf(spec.selector));
  return defineController<Service>({
    name: 'endpoints-controller',
    reconciles: service,
    reads: [pod, endpoints],
    writes: [endpoints],
    wakes: [podWakes(selectorOf), on<Endpoints>(endpoints, (object) => [keyOf(object)])],
    async reconcile(context) {
      const { key, cache } = context;
      const owner = cache.get<Service>(service, key);
      const existing = cache.get<Endpoints>(endpoints, key);
      if (owner === undefined) {
        triggerTimes.forget(keyText(key));
        return await removeLeftover(existing, context);
      }
      if (!hasSelector(owner) || owner.metadata.deletionTimestamp !== undefined) return done;
      const pods = selectedPods(selectorOf(owner), cache.list<Pod>(pod, key.namespace));
      const triggerTime = triggerTimes.next(keyText(key), owner, pods);
      const next = planEndpoints({ service: owner, pods, existing, triggerTime });
      return next === undefined ? done : await write(owner, existing, next, context);
    },
  });
}

async function write(
  owner: Service,
  existing: Endpoints | undefined,
  next: Endpoints,
  { key, client, events, signal }: ReconcileContext,
): Promise<Outcome> {
  try {
    if (existing === undefined) await client.create<Endpoints>(endpoints, next, {}, signal);
    else await client.update<Endpoints>(endpoints, next, {}, signal);
  } catch (error) {
    if (isNamespaceGoing(error)) return done;
    // A lost race is no failure: the next look has the newer object.
    if (hasReason(error, 'Conflict', 'AlreadyExists')) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const where = `${key.namespace}/${key.name}`;
    if (existing === undefined)
      events.event(owner, 'Warning', 'FailedToCreateEndpoint', `Failed to create endpoint for service ${where}: ${message}`);
    else events.event(existing, 'Warning', 'FailedToUpdateEndpoint', `Failed to update endpoint ${where}: ${message}`);
    throw error;
  }
  return done;
}

/** Only what was made for a Service goes with it: others, such as leader records of old clients, have no Service to lose. */
async function removeLeftover(existing: Endpoints | undefined, { key, client, signal }: ReconcileContext): Promise<Outcome> {
  if (existing?.metadata.labels?.[managedByLabel] !== managerName) return done;
  try {
    await client.delete(endpoints, key, { uid: existing.metadata.uid }, signal);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
  return done;
}
