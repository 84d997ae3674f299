import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import {
  type CacheReader,
  type ControllerDefinition,
  defineController,
  done,
  on,
  type Outcome,
  type ReconcileContext,
} from '#client/controller/define.ts';
import { Expectations } from '#client/expectations.ts';
import { hasSelector, selectedPods, servicesOfPod } from './service-pods.ts';
import { managedByLabel, managerName, planSlices, serviceNameLabel } from './slices-plan.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

/** Upstream's endpoint-slice-controller: keeps the slices of Services with a selector. */
export function endpointSliceController(clock: Clock): ControllerDefinition {
  const expectations = new Expectations(clock);
  return defineController<Service>({
    name: 'endpoint-slice-controller',
    reconciles: service,
    reads: [pod as never, endpointSlice as never, node as never],
    writes: [endpointSlice as never],
    wakes: [
      on<Pod>(pod, servicesOfPod),
      on<EndpointSlice>(endpointSlice, (object, previous, cache) => {
        const name = object.metadata.labels?.[serviceNameLabel];
        if (name === undefined || object.metadata.labels?.[managedByLabel] !== managerName) return [];
        const key = { namespace: object.metadata.namespace, name };
        noteSlice(expectations, keyText(key), object, previous, cache);
        return [key];
      }),
    ],
    reconcile: (context) => reconcile(expectations, context),
  });
}

function noteSlice(
  expectations: Expectations,
  parent: string,
  object: EndpointSlice,
  previous: EndpointSlice | undefined,
  cache: CacheReader,
): void {
  if (previous !== undefined) return;
  if (cache.get(endpointSlice, keyOf(object)) === undefined) expectations.deletionSeen(parent, object.metadata.uid ?? '');
  else expectations.creationSeen(parent);
}

async function reconcile(expectations: Expectations, { key, cache, client, signal }: ReconcileContext): Promise<Outcome> {
  const parent = keyText(key);
  const owner = cache.get<Service>(service, key);
  if (owner === undefined) {
    expectations.forget(parent);
    return done;
  }
  if (!hasSelector(owner) || owner.metadata.deletionTimestamp !== undefined || !expectations.isSatisfied(parent)) return done;
  const existing = cache
    .ownedBy<EndpointSlice>(endpointSlice, owner.metadata.uid ?? '')
    .filter(({ metadata }) => metadata.labels?.[managedByLabel] === managerName);
  const zoneOf = (name: string): string | undefined => cache.get<Node>(node, { name })?.metadata.labels?.[zoneLabel];
  const plan = planSlices({ service: owner, pods: selectedPods(owner, cache.list<Pod>(pod, key.namespace)), existing, zoneOf });

  for (const slice of plan.update) await client.update<EndpointSlice>(endpointSlice, slice, {}, signal);
  if (plan.create.length > 0) expectations.expectCreations(parent, plan.create.length);
  let made = 0;
  try {
    for (const slice of plan.create) {
      await client.create<EndpointSlice>(endpointSlice, slice, {}, signal);
      made++;
    }
  } catch (error) {
    for (let missing = made; missing < plan.create.length; missing++) expectations.creationSeen(parent);
    if (hasReason(error, 'Forbidden') && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true)
      return done;
    throw error;
  }
  for (const slice of plan.remove) {
    try {
      await client.delete(
        endpointSlice,
        keyOf(slice),
        { uid: slice.metadata.uid, resourceVersion: slice.metadata.resourceVersion },
        signal,
      );
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
  return done;
}
