import { expect, test } from 'vitest';
import { aNode } from '../builders.ts';
import { evictionRate, upstreamRates, zoneOf } from './disruption.ts';

const nodes = (ready: number, lost: number, zone = 'a') =>
  [...Array.from({ length: ready }, () => 'True'), ...Array.from({ length: lost }, () => 'Unknown')].map((status) =>
    aNode({ Ready: status }, { metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': zone } } }),
  );
const zone = zoneOf(nodes(1, 0)[0] ?? aNode());

test.each<[why: string, all: ReturnType<typeof nodes>, rate: number | 'stop']>([
  ['one of many', nodes(9, 1), 0.1],
  ['two of two others left', nodes(1, 2), 0.1],
  ['more than half of a small zone', nodes(2, 3), 0],
  ['more than half of a large zone', nodes(20, 40), 0.01],
  ['a whole zone, while others are well', [...nodes(0, 4), ...nodes(4, 0, 'b')], 0.1],
  ['everything', [...nodes(0, 4), ...nodes(0, 4, 'b')], 'stop'],
])('%s', (_why, all, rate) => {
  expect(evictionRate(zone, all, upstreamRates)).toBe(rate);
});
