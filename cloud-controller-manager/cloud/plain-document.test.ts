import { expect, test } from 'vitest';
import { parsePlainDocument } from './plain-document.ts';

const head = 'apiVersion: cloud.coxswain.dev/v1alpha1\nkind: PlainCloud\n';

test('all that a file can say', () => {
  const { pool, machines } = parsePlainDocument(`${head}
loadBalancers: {ranges: [10.0.0.0/30, 10.0.1.1-10.0.1.9], class: coxswain.dev/plain}
machines:
- name: n1
- name: n2
  providerID: plain://rack1/n2
  state: shut-down
  addresses: [{type: InternalIP, address: 10.0.0.12}]
  instanceType: big
  zone: z1
  region: r1
  labels: {example.com/rack: 1}
`);
  expect(pool?.loadBalancerClass).toBe('coxswain.dev/plain');
  expect(pool?.ranges.map(({ first, last }) => last - first)).toEqual([1, 8]);
  expect(machines?.get('n1')).toEqual({
    providerId: 'plain://n1',
    state: 'running',
    addresses: [],
    instanceType: '',
    zone: '',
    region: '',
    labels: {},
  });
  expect(machines?.get('n2')).toEqual({
    providerId: 'plain://rack1/n2',
    state: 'shut-down',
    addresses: [{ type: 'InternalIP', address: '10.0.0.12' }],
    instanceType: 'big',
    zone: 'z1',
    region: 'r1',
    labels: { 'example.com/rack': '1' },
  });
});

test('nothing said is nothing known', () => {
  expect(parsePlainDocument(head)).toEqual({ pool: undefined, machines: undefined });
});

test.each<[text: string, why: string]>([
  ['kind: X', 'it must be a PlainCloud of cloud.coxswain.dev/v1alpha1'],
  [`${head}machine: []`, 'unknown field "machine"'],
  [`${head}machines: [{zone: z}]`, 'machines[0].name: must be said'],
  [`${head}machines: [{name: a}, {name: a}]`, 'machines[1].name: "a" is there twice'],
  [`${head}machines: [{name: a}, {name: b, providerID: "plain://a"}]`, 'machines[1].providerID: "plain://a" is there twice'],
  [`${head}machines: [{name: a, state: gone}]`, 'machines[0].state: must be running or shut-down'],
  [`${head}machines: [{name: a, addresses: [{type: IP, address: 1.2.3.4}]}]`, 'machines[0].addresses: a type must be one of InternalIP'],
  [`${head}machines: [{name: a, addresses: [{type: InternalIP}]}]`, 'machines[0].addresses: an address must be said'],
  [
    `${head}machines: [{name: a, labels: {node.kubernetes.io/x: y}}]`,
    "machines[0].labels: node.kubernetes.io/x is a label of Kubernetes' own",
  ],
  [`${head}loadBalancers: {ranges: [10.0.0.0/99]}`, '"10.0.0.0/99" is neither an IPv4 network'],
])('%j is refused', (text, why) => {
  expect(() => parsePlainDocument(text)).toThrow(why);
});
