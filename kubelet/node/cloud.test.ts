import { expect, test } from 'vitest';
import type { V1NodeAddress } from '#api/generated/types.ts';
import { type CloudSettings, nodeAddresses, providedIp } from './cloud.ts';

const own = { name: 'n1', ips: ['10.0.0.1'] };
const internal = { type: 'InternalIP', address: '10.0.0.1' };
const host = { type: 'Hostname', address: 'n1' };
const told = [{ type: 'ExternalIP', address: '203.0.113.5' }];

test.each<
  [what: string, settings: Partial<CloudSettings>, known: V1NodeAddress[], expected: V1NodeAddress[], annotation: string | undefined]
>([
  ['without a cloud a node says its own', { hasGivenIps: true }, [], [internal, host], undefined],
  ['whatever it said before', {}, told, [internal, host], undefined],
  ['with one it has a name only at first', { isExternal: true }, [], [host], undefined],
  ['or what it was given', { isExternal: true, hasGivenIps: true }, [], [internal, host], '10.0.0.1'],
  ['and then what it is told', { isExternal: true, hasGivenIps: true }, told, told, '10.0.0.1'],
])('%s', (_what, settings, known, expected, annotation) => {
  const whole = { isExternal: false, hasGivenIps: false, providerId: '', ...settings };
  expect(nodeAddresses(whole, own, known)).toEqual(expected);
  expect(providedIp(whole, own.ips)).toBe(annotation);
});
