import { type Endpoints, endpoints } from '#api/core/endpoints.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { Expectations } from '#client/expectations.ts';
import { byService } from '../cache-indexes.ts';
import { countSkipped, maxPerSubset, mirrorName, planMirror, shouldMirror } from './mirroring-plan.ts';
import { managedByLabel } from './slices-plan.ts';
import { sliceWakes, writeSlices } from './write-slices.ts';

/** Upstream's endpointslice-mirroring-controller: slices for the Endpoints of Services without selector. */
export function endpointSliceMirroringController(clock: Clock): ControllerDefinition {
  const expectations = new Expectations(clock);
  return defineController<Endpoints>({
    name: 'endpointslice-mirroring-controller',
    reconciles: endpoints,
    reads: [service, endpointSlice],
    writes: [endpointSlice],
    wakes: [on<Service>(service, (object) => [keyOf(object)]), sliceWakes(expectations, isManaged)],
    async reconcile(context) {
      const { key, cache, events } = context;
      const source = cache.get<Endpoints>(endpoints, key);
      // Slices go with the Endpoints that own them.
      if (source === undefined) {
        expectations.forget(keyText(key));
        return done;
      }
      if (!expectations.isSatisfied(keyText(key))) return done;
      const existing = cache.byIndex<EndpointSlice>(endpointSlice, byService, keyText(key)).filter(isManaged);
      const owner = cache.get<Service>(service, key);
      const isMirrored = owner !== undefined && Object.keys(owner.spec.selector ?? {}).length === 0 && shouldMirror(source);
      const plan = isMirrored ? planMirror(source, existing) : { create: [], update: [], remove: existing };
      const skipped = isMirrored ? countSkipped(source) : 0;
      if (skipped > 0) {
        const most = `A max of ${maxPerSubset} addresses can be mirrored to EndpointSlices per Endpoints subset.`;
        events.event(source, 'Warning', 'TooManyAddressesToMirror', `${most} ${skipped} addresses were skipped`);
      }
      await writeSlices({ plan, owner: source }, expectations, context);
      return done;
    },
  });
}

function isManaged({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[managedByLabel] === mirrorName;
}
