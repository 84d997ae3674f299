import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { mapSelectorOf } from '#api/meta/label-selector.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { type CacheReader, type ControllerDefinition, defineController, done, type EventRecorder, on } from '#client/controller/define.ts';
import { Expectations } from '#client/expectations.ts';
import { byNode, byService } from '../cache-indexes.ts';
import { oncePerVersion } from '../pods/selectors.ts';
import { podWakes, servicesOf } from './pod-wakes.ts';
import { hasSelector, selectedPods } from './service-pods.ts';
import { managedByLabel, managerName, noNode, planSlices } from './slices-plan.ts';
import { wantsShares } from './traffic-distribution.ts';
import { TriggerTimes } from './trigger-times.ts';
import { sliceWakes, writeSlices } from './write-slices.ts';
import { sharedParts, zoneShares, type ZoneShares } from './zone-shares.ts';
import deepEqual from 'fast-deep-equal';

const zoneLabel = 'topology.kubernetes.io/zone';

/** Upstream's endpointslice-controller: keeps the slices of Services with a selector. */
export function endpointSliceController(clock: Clock): ControllerDefinition {
  const expectations = new Expectations(clock);
  const triggerTimes = new TriggerTimes();
  /** Of the nodes as they are; undefined after a change. */
  let byShares: { readonly shares: ZoneShares } | undefined;
  /** Keys of Services whose endpoints got hints by the zones' parts, which is said once. */
  const hinting = new Set<string>();
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
      on<Node>(node, (object, previous, cache) => {
        if (previous !== undefined && deepEqual(sharedParts(object), sharedParts(previous))) return [];
        byShares = undefined;
        return cache.list<Service>(service).filter(wantsShares).map(keyOf);
      }),
    ],
    async reconcile(context) {
      const { key, cache } = context;
      const owner = cache.get<Service>(service, key);
      if (owner === undefined) {
        expectations.forget(keyText(key));
        triggerTimes.forget(keyText(key));
        hinting.delete(keyText(key));
        return done;
      }
      if (!hasSelector(owner) || !expectations.isSatisfied(keyText(key))) return done;
      const existing = cache.byIndex<EndpointSlice>(endpointSlice, byService, keyText(key)).filter(isManaged);
      const pods = selectedPods(selectorOf(owner), cache.list<Pod>(pod, key.namespace));
      const wantsHints = wantsShares(owner);
      if (wantsHints) byShares ??= { shares: zoneShares(cache.list<Node>(node)) };
      const plan = planSlices({
        service: owner,
        pods,
        existing,
        zoneOf: (name) => zoneOfNode(name, cache),
        byShares: wantsHints ? byShares : undefined,
      });
      tellHints(owner, { wantsHints, refusal: plan.refusal, hinting }, context.events);
      await writeSlices({ plan, owner, triggerTime: triggerTimes.next(keyText(key), owner, pods) }, expectations, context);
      return done;
    },
  });
}

/** Says when hints by the zones' parts begin and end, and why they cannot be had. */
function tellHints(
  owner: Service,
  { wantsHints, refusal, hinting }: { readonly wantsHints: boolean; readonly refusal: string | undefined; readonly hinting: Set<string> },
  events: EventRecorder,
): void {
  const key = keyText(keyOf(owner));
  const had = hinting.delete(key);
  const why = wantsHints ? refusal : had ? 'Topology Aware Hints has been disabled' : undefined;
  if (why !== undefined) events.event(owner, 'Warning', 'TopologyAwareHintsDisabled', `${why}, addressType: IPv4`);
  if (!wantsHints || refusal !== undefined) return;
  hinting.add(key);
  if (!had) events.event(owner, 'Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled, addressType: IPv4');
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
