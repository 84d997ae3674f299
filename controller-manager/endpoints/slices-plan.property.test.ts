import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { aPod, aService } from '../builders.ts';
import { planSlices, type SlicesView } from './slices-plan.ts';

const max = 5;

/** Which pods there are, whether they are ready and which of two ports they have. */
const pods = fc.uniqueArray(fc.record({ at: fc.nat(40), isReady: fc.boolean(), port: fc.constantFrom(80, 81) }), {
  selector: ({ at }) => at,
  maxLength: 40,
});

test('through any changes, every endpoint is in one slice, no slice is too full, and a second plan is empty', () => {
  fc.assert(
    fc.property(fc.array(pods, { minLength: 1, maxLength: 6 }), (rounds) => {
      let slices: EndpointSlice[] = [];
      let count = 0;
      for (const round of rounds) {
        const view: SlicesView = {
          service: aService({ ports: [{ port: 80, targetPort: 'web' }] }),
          pods: round.map(({ at, isReady, port }) =>
            aPod({
              name: `p${at}`,
              ip: `10.0.0.${at}`,
              ...(isReady ? { readySeconds: 1 } : {}),
              spec: { containers: [{ name: 'a', ports: [{ name: 'web', containerPort: port }] }] },
            }),
          ),
          existing: slices,
          zoneOf: () => undefined,
          maxPerSlice: max,
        };
        const { create, update, remove } = planSlices(view);
        const changed = new Map(update.map((slice) => [slice.metadata.name, slice]));
        expect(changed.size).toBe(update.length);
        slices = [
          ...slices.filter((slice) => !remove.includes(slice)).map((slice) => changed.get(slice.metadata.name) ?? slice),
          ...create.map((slice) => ({ ...slice, metadata: { ...slice.metadata, name: `s${count++}` } })),
        ];
        const placed = slices.flatMap(({ endpoints = [], ports = [] }) =>
          endpoints.map(({ targetRef, conditions }) => `${targetRef?.name} ${conditions?.ready} ${ports[0]?.port}`),
        );
        expect(placed.toSorted()).toEqual(round.map(({ at, isReady, port }) => `p${at} ${isReady} ${port}`).toSorted());
        expect(slices.length).toBeGreaterThan(0);
        for (const { endpoints = [] } of slices) expect(endpoints.length).toBeLessThanOrEqual(max);
        expect(planSlices({ ...view, existing: slices })).toEqual({ create: [], update: [], remove: [] });
      }
    }),
    { numRuns: 150 },
  );
});
