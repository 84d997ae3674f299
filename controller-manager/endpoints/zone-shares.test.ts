import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { V1Endpoint } from '#api/generated/types.ts';
import { aPod, aService } from '../builders.ts';
import { planSlices } from './slices-plan.ts';
import { hintByShares, zoneShares, type ZoneShares } from './zone-shares.ts';

/** `a` is ready in zone a, `a!` is not, `-` has no zone, `a>b` serves zone b. */
function anEndpoint(text: string, at: number): V1Endpoint {
  const [, zone = '', sign, hint] = /^([a-z-])(!)?(?:>(\w))?$/.exec(text) ?? [];
  return {
    addresses: [`10.0.0.${at}`],
    conditions: { ready: sign === undefined },
    ...(zone === '-' ? {} : { zone }),
    ...(hint === undefined ? {} : { hints: { forZones: [{ name: hint }] } }),
  };
}
const aSlice = (text: string): EndpointSlice => ({
  metadata: {},
  addressType: 'IPv4',
  endpoints: text.split(' ').filter(Boolean).map(anEndpoint),
});
const brief = (endpoints: readonly V1Endpoint[]): string =>
  endpoints
    .map(({ zone = '-', conditions, hints }) => {
      const own = `${zone}${conditions?.ready === true ? '' : '!'}`;
      return hints === undefined ? own : `${own}>${hints.forZones?.map(({ name }) => name).join()}`;
    })
    .join(' ');
const shares = (parts: Readonly<Record<string, number>>): ZoneShares => new Map(Object.entries(parts));
const hint = (changing: string[], kept: string[], parts: ZoneShares): readonly [texts: string[], refusal: string | undefined] => {
  const { changed, refusal } = hintByShares(changing.map(aSlice), kept.map(aSlice), parts);
  return [[...changed.values()].map(brief), refusal];
};

describe('hints', () => {
  const near = { a: 0.45, b: 0.55 };
  const third = { a: 1 / 3, b: 2 / 3 };
  const three = { a: 0.35, b: 0.35, c: 0.3 };
  test.each<[name: string, parts: Record<string, number>, changing: string[], kept: string[], expected: string[]]>([
    ['each zone its own', near, ['a b'], [], ['a>a b>b']],
    ['only for those that are ready', near, ['a b b! a!'], [], ['a>a b>b b! a!']],
    [
      'a zone with one too many lends it',
      three,
      ['a b', 'c c a', 'a a', 'b c a'],
      [],
      ['a>b b>b', 'c>c c>c a>a', 'a>a a>a', 'b>b c>c a>a'],
    ],
    ['what others have is counted', third, ['a'], ['a>b b>b'], ['a>a']],
    ['a kept slice without hints', near, [], ['a b'], ['a>a b>b']],
    ['a kept slice with hints of a zone that is no more', near, [], ['a>z b>b'], ['a>a b>b']],
    ['a kept slice that leaves too little to the others', third, [], ['a>a b>a', 'b>b'], ['a>a b>b']],
    ['kept slices that do', near, [], ['a>a b>b', 'b>b a>a'], []],
  ])('%s', (_, parts, changing, kept, expected) => expect(hint(changing, kept, shares(parts))).toEqual([expected, undefined]));

  const part = (a: number, b: number, c: number): ZoneShares => shares({ a: a / 16, b: b / 16, c: c / 16 });
  test.each<[name: string, parts: ZoneShares, zones: string, counts: Record<string, number>]>([
    ['its own zone first, where lending one more would be no better', part(5.1, 5.1, 5.8), 'a'.repeat(16), { a: 6, b: 5, c: 5 }],
    ['of two that lack less than one, the zone that lacks more', part(5, 5.6, 5.4), 'a'.repeat(16), { a: 5, b: 6, c: 5 }],
    ['of two that have too many, the zone that has more', part(5, 5.6, 5.4), 'b'.repeat(8) + 'c'.repeat(8), { a: 5, b: 6, c: 5 }],
  ])('%s', (_, parts, zones, counts) => {
    const [[text = '']] = hint([zones.split('').join(' ')], [], parts);
    const of = (zone: string): number => text.split(' ').filter((one) => one.endsWith(`>${zone}`)).length;
    expect({ a: of('a'), b: of('b'), c: of('c') }).toEqual(counts);
  });

  test.each<[name: string, parts: ZoneShares, changing: string[], kept: string[], expected: string[], refusal: string]>([
    [
      'nodes say too little',
      undefined,
      ['a>a'],
      ['a>a b>b', 'a'],
      ['a', 'a b'],
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    [
      'too few endpoints',
      shares({ a: 0.3, b: 0.4, c: 0.3 }),
      ['a b'],
      [],
      ['a b'],
      'Insufficient number of endpoints (2 endpoints, 3 zones)',
    ],
    [
      'too uneven zones',
      shares({ a: 0.1, b: 0.9 }),
      ['a b'],
      [],
      ['a b'],
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (2 endpoints, 2 zones)',
    ],
    ['an endpoint without a zone', shares(near), ['a b a -'], [], ['a b a -'], 'One or more endpoints do not have a zone specified'],
  ])('nobody has any: %s', (_, parts, changing, kept, expected, refusal) =>
    expect(hint(changing, kept, parts)).toEqual([expected, refusal]),
  );
});

describe('the parts of zones', () => {
  /** `a 1000m`: ready, in that zone, with that much. */
  const aNode = (text: string): Node => {
    const [zone = '', cpu = '', what = ''] = text.split(' ');
    const labels = {
      ...(zone === '-' ? {} : { 'topology.kubernetes.io/zone': zone }),
      ...(what === 'master' ? { 'node-role.kubernetes.io/master': '' } : {}),
    };
    const conditions = [{ type: 'Ready', status: what === 'down' ? 'False' : 'True' }];
    return { metadata: { name: text, labels }, status: { conditions, allocatable: cpu === '-' ? {} : { cpu } } };
  };
  test.each<[nodes: string[], parts: Record<string, number> | undefined]>([
    [[], undefined],
    [['a 1'], undefined],
    [['a 1', 'a 1000m'], undefined],
    [['b 1000m', 'a 1'], { a: 0.5, b: 0.5 }],
    [['a 1', 'b 1', 'b 1 down'], { a: 0.5, b: 0.5 }],
    [['a 1', 'b 1', 'b 8 master'], { a: 0.5, b: 0.5 }],
    [['a 1', 'b 1 down'], undefined],
    [['a 2', 'b 1', 'b 500m', 'c 500m'], { a: 0.5, b: 0.375, c: 0.125 }],
    [['a 1', 'b 1', '- 1'], undefined],
    [['a 1', 'b 1', 'c -'], undefined],
    [['a 1', 'b 1', '- 1 down'], { a: 0.5, b: 0.5 }],
  ])('of %j are %j', (nodes, parts) => {
    const found = zoneShares(nodes.map(aNode));
    expect(found === undefined ? undefined : Object.fromEntries(found)).toEqual(parts);
  });
});

test('whatever comes and goes, slices settle, and every ready endpoint has one hint or none has', () => {
  const owner = aService({}, { annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } });
  const zones = fc.array(fc.record({ zone: fc.constantFrom('a', 'b', 'c'), isReady: fc.boolean() }), { maxLength: 30 });
  const parts = fc.record({ a: fc.nat({ max: 9 }), b: fc.nat({ max: 9 }), c: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(fc.record({ zones, parts }), { minLength: 1, maxLength: 4 }), (rounds) => {
      let slices: EndpointSlice[] = [];
      let count = 0;
      for (const round of rounds) {
        const all = round.parts.a + round.parts.b + round.parts.c + 3;
        const byShares = { shares: shares({ a: (round.parts.a + 1) / all, b: (round.parts.b + 1) / all, c: (round.parts.c + 1) / all }) };
        const pods = round.zones.map(({ zone, isReady }, at) =>
          aPod({ name: `p${at}`, ip: `10.0.0.${at}`, node: zone, ...(isReady ? { readySeconds: 1 } : {}) }),
        );
        const look = () => planSlices({ service: owner, pods, existing: slices, zoneOf: (name) => name, byShares, maxPerSlice: 5 });
        let plan = look();
        for (let turn = 0; plan.create.length + plan.update.length + plan.remove.length > 0; turn++) {
          expect(turn).toBeLessThan(4);
          const changed = new Map(plan.update.map((slice) => [slice.metadata.name, slice]));
          const { remove } = plan;
          slices = [
            ...slices.filter((slice) => !remove.includes(slice)).map((slice) => changed.get(slice.metadata.name) ?? slice),
            ...plan.create.map((slice) => ({ ...slice, metadata: { ...slice.metadata, name: `s${count++}` } })),
          ];
          plan = look();
        }
        const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
        const hinted = endpoints.filter(({ hints }) => hints?.forZones?.length === 1);
        const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
        expect(hinted).toEqual(plan.refusal === undefined ? ready : []);
      }
    }),
    { numRuns: 200 },
  );
});
