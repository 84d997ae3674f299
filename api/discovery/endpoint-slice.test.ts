import { expect, test } from 'vitest';
import { createProblems, decoded } from '../testing.ts';
import { endpointSlice } from './endpoint-slice.ts';

const aSlice = (endpoint: string, type = 'IPv4', address = '10.0.0.1'): string =>
  `metadata: {name: a, namespace: b}\naddressType: ${type}\nendpoints: [{addresses: ["${address}"], ${endpoint}}]`;
const names = (count: number): string => Array.from({ length: count }, (_none, at) => `{name: n${at}}`).join(', ');
const hints = 'endpoints[0].hints';

test.each<[string, string, string[]]>([
  ['fine', aSlice('hints: {forZones: [{name: z}], forNodes: [{name: n}]}'), []],
  [
    'twice',
    aSlice('hints: {forZones: [{name: z}, {name: z}], forNodes: [{name: n}, {name: n}]}'),
    [`${hints}.forZones[1].name: Duplicate value: "z"`, `${hints}.forNodes[1].name: Duplicate value: "n"`],
  ],
  ['many nodes', aSlice(`hints: {forNodes: [${names(9)}]}`), [`${hints}.forNodes: Too many: 9: must have at most 8 items`]],
  ['many zones', aSlice(`hints: {forZones: [${names(9)}]}`), [`${hints}.forZones: Too many: 9: must have at most 8 items`]],
  [
    'no label of a zone',
    aSlice('hints: {forZones: [{name: a@b}]}'),
    [
      `${hints}.forZones[0].name: Invalid value: "a@b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
  ],
  ['no zone', aSlice('hints: {forZones: [{name: ""}]}'), [`${hints}.forZones[0].name: Required value`]],
])('hints: %s', (_name, yaml, expected) => {
  expect(createProblems(endpointSlice, yaml)).toEqual(expected);
});

test.each<[string, string, string[]]>([
  ['IPv4', '10.0.0.1', []],
  ['FQDN', 'a.b', ['spec.addressType: FQDN endpoints are deprecated']],
  ['IPv6', '2001:db8::1', []],
  [
    'IPv6',
    '2001:DB8:0::1',
    ['endpoints[0].addresses[0]: IPv6 address "2001:DB8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
  ],
  ['IPv6', '::ffff:10.0.0.1', ['endpoints[0].addresses[0]: non-standard IP address "::ffff:10.0.0.1" is invalid: use "10.0.0.1"']],
])('warnings about %s %s', (type, address, expected) => {
  expect(endpointSlice.warnings?.(decoded(endpointSlice, aSlice('', type, address)), undefined)).toEqual(expected);
});

test('topology is dropped without a word, unless nothing changes', () => {
  const create = { verb: 'create', subresource: '', nowMs: 0 } as const;
  const fresh = decoded(endpointSlice, aSlice('deprecatedTopology: {a: b}'));
  const kept = structuredClone(fresh);
  endpointSlice.prepareCreate?.(fresh, create);
  expect(fresh.endpoints?.[0]?.deprecatedTopology).toBeUndefined();
  const same = structuredClone(kept);
  endpointSlice.prepareUpdate?.(same, kept, { ...create, verb: 'update' });
  expect(same.endpoints?.[0]?.deprecatedTopology).toEqual({ a: 'b' });
  same.endpoints?.[0]?.addresses.push('10.0.0.2');
  endpointSlice.prepareUpdate?.(same, kept, { ...create, verb: 'update' });
  expect(same.endpoints?.[0]?.deprecatedTopology).toBeUndefined();
});
