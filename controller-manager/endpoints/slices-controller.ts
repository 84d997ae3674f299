import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { mapSelectorOf } from '#api/meta/label-selector.ts';
import { keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { type CacheReader, type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { Expectations } from '#client/expectations.ts';
import { byNode, byService } from '../cache-indexes.ts';
import { oncePerVersion } from '../pods/selectors.ts';
import { podWakes, servicesOf } from './pod-wakes.ts';
import { hasSelector, selectedPods } from './service-pods.ts';
import { managedByLabel, managerName, noNode, planSlices } from './slices-plan.ts';
import { TriggerTimes } from './trigger-times.ts';
import { sliceWakes, writeSlices } from './write-slices.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

/** Upstream's endpointslice-controller: keeps the slices of Services with a selector. */
export function endpointSliceController(clock: Clock): ControllerDefinition {
  const expectations = new Expectations(clock);
  const triggerTimes = new TriggerTimes();
  const selectorOf = oncePerVersion<Service>(({ spec }) => mapSelectorOf(spec.selector));
  return defineController<Service>({
    name: 'endpointslice-controller',
    reconciles: service,
    reads: [pod, endpointSlice, node],
    writes: [endpointSlice],
    wakes: [
      podWakes(selectorOf),
      sliceWakes(expectations, isManaged),
      // Pods count only once their node is there, and endpoints show its zone.
      on<Node>(node, (object, previous, cache) => {
        if (previous !== undefined && zone(previous) === zone(object)) return [];
        const pods = cache.byIndex<Pod>(pod, byNode, object.metadata.name ?? '');
        return pods.flatMap((one) => servicesOf([one], selectorOf, cache));
      }),
    ],
    async reconcile(context) {
      const { key, cache } = context;
      const owner = cache.get<Service>(service, key);
      if (owner === undefined) {
        expectations.forget(keyText(key));
        triggerTimes.forget(keyText(key));
        return done;
      }
      if (!hasSelector(owner) || !expectations.isSatisfied(keyText(key))) return done;
      const existing = cache.byIndex<EndpointSlice>(endpointSlice, byService, keyText(key)).filter(isManaged);
      const pods = selectedPods(selectorOf(owner), cache.list<Pod>(pod, key.namespace));
      const plan = planSlices({ service: owner, pods, existing, zoneOf: (name) => zoneOfNode(name, cache) });
      await writeSlices({ plan, owner, triggerTime: triggerTimes.next(keyText(key), owner, pods) }, expectations, context);
      return done;
    },
  });
}

function isManaged({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[managedByLabel] === managerName;
}

function zone({ metadata }: Node): string | undefined {
  return metadata.labels?.[zoneLabel];
}

function zoneOfNode(name: string, cache: CacheReader): string | undefined | typeof noNode {
  const found = cache.get<Node>(node, { name });
  return found === undefined ? noNode : zone(found);
}
