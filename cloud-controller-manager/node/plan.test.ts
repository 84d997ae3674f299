import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { V1NodeAddress, V1Taint } from '#api/generated/types.ts';
import type { Machine } from '../cloud/contract.ts';
import { isUninitialized, type NodePlan, planLabels, planNode, uninitializedTaint } from './plan.ts';

const fresh: V1Taint = { key: uninitializedTaint, value: 'true', effect: 'NoSchedule' };
const other: V1Taint = { key: 'a', effect: 'NoExecute' };
const internal: V1NodeAddress = { type: 'InternalIP', address: '10.0.0.1' };
const second: V1NodeAddress = { type: 'InternalIP', address: '10.0.0.2' };
const external: V1NodeAddress = { type: 'ExternalIP', address: '203.0.113.1' };
const host: V1NodeAddress = { type: 'Hostname', address: 'n1' };

interface Traits {
  readonly taints?: V1Taint[];
  readonly labels?: Record<string, string>;
  readonly providerID?: string;
  readonly addresses?: V1NodeAddress[];
  readonly given?: string;
}

function aNode({ taints = [], labels = {}, providerID, addresses = [host], given }: Traits): Node {
  const annotations = given === undefined ? {} : { 'alpha.kubernetes.io/provided-node-ip': given };
  return {
    metadata: { name: 'n1', labels, annotations },
    spec: { taints, ...(providerID === undefined ? {} : { providerID }) },
    status: { addresses },
  };
}

const plain: Machine = { providerId: 'plain://n1', state: 'running', addresses: [], instanceType: '', zone: '', region: '', labels: {} };
const nothing: NodePlan = { addresses: undefined, labels: {}, providerId: undefined, taints: undefined };

test.each<[what: string, node: Traits, machine: Partial<Machine>, expected: Partial<NodePlan>]>([
  ['a new node is let in', { taints: [fresh, other] }, {}, { providerId: 'plain://n1', taints: [other] }],
  ['with the identity that it has', { taints: [fresh], providerID: 'plain://x' }, {}, { taints: [] }],
  [
    'and with all its labels, also under their names of old',
    { taints: [fresh], providerID: 'x' },
    { zone: 'z', region: 'r', instanceType: 't', labels: { rack: '1' } },
    {
      taints: [],
      labels: {
        'failure-domain.beta.kubernetes.io/zone': 'z',
        'topology.kubernetes.io/zone': 'z',
        'failure-domain.beta.kubernetes.io/region': 'r',
        'topology.kubernetes.io/region': 'r',
        'beta.kubernetes.io/instance-type': 't',
        'node.kubernetes.io/instance-type': 't',
        rack: '1',
      },
    },
  ],
  [
    'later on the place stays, the other labels follow',
    { labels: { rack: '1' } },
    { zone: 'z', labels: { rack: '2' } },
    { labels: { rack: '2' } },
  ],
  ['addresses come before the name that the node has', {}, { addresses: [internal] }, { addresses: [internal, host] }],
  [
    'unless the machine has a name',
    {},
    { addresses: [internal, { type: 'Hostname', address: 'm' }] },
    { addresses: [internal, { type: 'Hostname', address: 'm' }] },
  ],
  ['none are no reason to take any away', { addresses: [internal] }, {}, {}],
  ['what is right stays', { addresses: [internal, host] }, { addresses: [internal] }, {}],
  [
    'the one that was given is the only one of its type',
    { given: '10.0.0.2' },
    { addresses: [internal, second, external] },
    { addresses: [second, external, host] },
  ],
  [
    'several may be',
    { given: '10.0.0.2,203.0.113.1' },
    { addresses: [internal, second, external] },
    { addresses: [second, external, host] },
  ],
])('%s', (_what, node, machine, expected) => {
  expect(planNode(aNode(node), { ...plain, ...machine })).toEqual({ ...nothing, ...expected });
});

test('an address that the machine has not is refused', () => {
  const why = 'provided node ip for node "n1" is not valid: failed to get node address from cloud provider that matches ip: 10.0.0.9';
  expect(() => planNode(aNode({ taints: [fresh], given: '10.0.0.9' }), { ...plain, addresses: [internal] })).toThrow(why);
});

test.each<[labels: Record<string, string>, expected: Record<string, string>]>([
  [{ 'failure-domain.beta.kubernetes.io/zone': 'a' }, { 'topology.kubernetes.io/zone': 'a' }],
  [{ 'failure-domain.beta.kubernetes.io/zone': 'a', 'topology.kubernetes.io/zone': 'b' }, { 'topology.kubernetes.io/zone': 'a' }],
  [{ 'topology.kubernetes.io/zone': 'b' }, {}],
  [{ 'beta.kubernetes.io/instance-type': 't', 'node.kubernetes.io/instance-type': 't' }, {}],
])('labels of %j lack %j', (labels, expected) => {
  expect(planLabels(aNode({ labels }))).toEqual(expected);
});

test('once done, nothing is left to do', () => {
  const label = fc.constantFrom('', 'a', 'b');
  const address = fc.subarray([internal, second, external, host]);
  fc.assert(
    fc.property(fc.subarray([fresh, other]), address, address, label, label, (taints, known, addresses, zone, rack) => {
      const node = aNode({ taints, addresses: known });
      const machine = { ...plain, addresses, zone, labels: { rack } };
      const { addresses: next, labels, providerId, taints: left } = planNode(node, machine);
      const after: Node = {
        metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...labels } },
        spec: {
          ...node.spec,
          ...(providerId === undefined ? {} : { providerID: providerId }),
          ...(left === undefined ? {} : { taints: [...left] }),
        },
        status: { addresses: [...(next ?? known)] },
      };
      expect(isUninitialized(after)).toBe(false);
      expect(planNode(after, machine)).toEqual(nothing);
    }),
  );
});
