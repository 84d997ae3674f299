import { expect, test } from 'vitest';
import { firstFree, holdsAddress, parseRange } from './pool.ts';

test.each<[text: string, inside: string[], outside: string[]]>([
  ['172.31.254.0/29', ['172.31.254.1', '172.31.254.6'], ['172.31.254.0', '172.31.254.7', '172.31.253.255']],
  ['172.31.254.3/29', ['172.31.254.1', '172.31.254.6'], ['172.31.254.0', '172.31.254.7']],
  ['10.0.0.4/31', ['10.0.0.4', '10.0.0.5'], ['10.0.0.3', '10.0.0.6']],
  ['10.0.0.4/32', ['10.0.0.4'], ['10.0.0.3', '10.0.0.5']],
  ['10.0.0.4', ['10.0.0.4'], ['10.0.0.5']],
  ['192.168.77.200-192.168.77.201', ['192.168.77.200', '192.168.77.201'], ['192.168.77.199', '192.168.77.202', 'fd00::1', '']],
])('%s', (text, inside, outside) => {
  const ranges = [parseRange(text)];
  expect(inside.filter((ip) => !holdsAddress(ranges, ip))).toEqual([]);
  expect(outside.filter((ip) => holdsAddress(ranges, ip))).toEqual([]);
});

test.each<[text: string, why: string]>([
  ['10.0.0.5-10.0.0.4', '"10.0.0.5-10.0.0.4" ends before it begins'],
  ['10.0.0.1-10.0.0.2-10.0.0.3', '"10.0.0.1-10.0.0.2-10.0.0.3" is not a range of IPv4 addresses'],
  ['10.0.0.1-x', '"10.0.0.1-x" is not a range of IPv4 addresses'],
  ['10.0.0.0/33', '"10.0.0.0/33" is neither an IPv4 network such as 10.9.8.0/24 nor a range such as 10.9.8.10-10.9.8.20'],
  ['fd00::/64', '"fd00::/64" is neither an IPv4 network such as 10.9.8.0/24 nor a range such as 10.9.8.10-10.9.8.20'],
  ['', '"" is neither an IPv4 network such as 10.9.8.0/24 nor a range such as 10.9.8.10-10.9.8.20'],
])('%j is refused', (text, why) => {
  expect(() => parseRange(text)).toThrow(why);
});

test.each<[what: string, ranges: string[], taken: string[], expected: string | undefined]>([
  ['the first', ['10.0.0.0/29'], [], '10.0.0.1'],
  ['the first that is free', ['10.0.0.0/29'], ['10.0.0.1', '10.0.0.3'], '10.0.0.2'],
  ['of the second range where the first is full', ['10.0.0.1', '10.0.9.1-10.0.9.2'], ['10.0.0.1', '10.0.9.1'], '10.0.9.2'],
  ['nothing left', ['10.0.0.1-10.0.0.2'], ['10.0.0.1', '10.0.0.2'], undefined],
  ['nothing there', [], [], undefined],
])('%s', (_what, ranges, taken, expected) => {
  expect(firstFree(ranges.map(parseRange), (ip) => taken.includes(ip))).toBe(expected);
});
