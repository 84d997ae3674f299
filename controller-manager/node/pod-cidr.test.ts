import { expect, test } from 'vitest';
import { nextPodCidr } from './pod-cidr.ts';

test.each<[cluster: string, bits: number, used: string[], expected: string | undefined]>([
  ['10.244.0.0/16', 24, [], '10.244.0.0/24'],
  ['10.244.0.0/16', 24, ['10.244.0.0/24', '10.244.2.0/24'], '10.244.1.0/24'],
  ['10.0.0.0/8', 24, Array.from({ length: 256 }, (_, at) => `10.0.${at}.0/24`), '10.1.0.0/24'],
  ['192.168.0.0/25', 26, ['192.168.0.0/26'], '192.168.0.64/26'],
  ['192.168.0.0/25', 26, ['192.168.0.0/26', '192.168.0.64/26'], undefined],
  ['192.168.4.0/24', 24, [], '192.168.4.0/24'],
])('%s in parts of /%i', (cluster, bits, used, expected) => {
  expect(nextPodCidr(cluster, bits, new Set(used))).toBe(expected);
});
