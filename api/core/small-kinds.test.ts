import { expect, test } from 'vitest';
import { controllerRevision } from '../apps/controller-revision.ts';
import { lease } from '../coordination/lease.ts';
import { endpointSlice } from '../discovery/endpoint-slice.ts';
import type { KindDefinition } from '../kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { configMap } from './config-map.ts';
import { endpoints } from './endpoints.ts';
import { type Namespace, namespace } from './namespace.ts';
import { type Node, node } from './node/node.ts';
import { replicationController } from './replication-controller.ts';
import { secret } from './secret.ts';
import { serviceAccount } from './service-account.ts';

const template = 'template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "i:1"}]}}';

test.each<[string, unknown, string, string[]]>([
  ['config map', configMap, 'metadata: {name: a, namespace: b}\ndata: {x: y}', []],
  [
    'config map keys',
    configMap,
    'metadata: {name: a, namespace: b}\ndata: {"..": y, x: z}\nbinaryData: {x: eg==}',
    ['data[..]: Invalid value: "..": must not be \'..\'', 'data[x]: Invalid value: "x": duplicate of key present in binaryData'],
  ],
  [
    'config map size',
    configMap,
    `metadata: {name: a, namespace: b}\ndata: {x: "${'y'.repeat(1_048_577)}"}`,
    ['[]: Too long: may not be more than 1048576 bytes'],
  ],
  ['secret', secret, 'metadata: {name: a, namespace: b}\nstringData: {x: y}', []],
  [
    'TLS secret',
    secret,
    'metadata: {name: a, namespace: b}\ntype: kubernetes.io/tls\nstringData: {tls.crt: y}',
    ['data[tls.key]: Required value'],
  ],
  [
    'token secret',
    secret,
    'metadata: {name: a, namespace: b}\ntype: kubernetes.io/service-account-token',
    ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],
  [
    'basic auth',
    secret,
    'metadata: {name: a, namespace: b}\ntype: kubernetes.io/basic-auth',
    ['data[username]: Required value', 'data[password]: Required value'],
  ],
  [
    'docker configuration',
    secret,
    'metadata: {name: a, namespace: b}\ntype: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: "{x}"}',
    [
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'x\' looking for beginning of object key string',
    ],
  ],
  [
    'docker configuration of another form',
    secret,
    'metadata: {name: a, namespace: b}\ntype: kubernetes.io/dockercfg\nstringData: {.dockercfg: "1.50"}',
    [
      'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal number into Go value of type map[string]interface {}',
    ],
  ],
  [
    'no docker configuration',
    secret,
    'metadata: {name: a, namespace: b}\ntype: kubernetes.io/dockercfg\nstringData: {.dockercfg: "null"}',
    [],
  ],
  ['service account', serviceAccount, 'metadata: {name: a, namespace: b}', []],
  [
    'namespace',
    namespace,
    'metadata: {name: a.b}\nspec: {finalizers: [x]}',
    [
      'metadata.name: Invalid value: "a.b": must not contain dots',
      'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  [
    'node',
    node,
    'metadata: {name: n}\nspec: {taints: [{key: a, effect: X}, {key: b, effect: NoSchedule}, {key: b, effect: NoSchedule}], podCIDR: x}',
    [
      'metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      'metadata.taints[2]: Duplicate value: {"Key":"b","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
      'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  ],
  [
    'features and swap of a node',
    node,
    'metadata: {name: n}\nstatus: {declaredFeatures: [B, B, A/b, a, C/], nodeInfo: {swap: {capacity: 0}}}',
    [
      'metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero',
      'status.declaredFeatures[1]: Duplicate value: "B"',
      'status.declaredFeatures[2]: Invalid value: "A/b": list must be sorted alphabetically',
      expect.stringMatching(
        /^status\.declaredFeatures\[3\]: Invalid value: "a": invalid feature name "a": must start with an UpperCamelCase/,
      ) as never,
      'status.declaredFeatures[4]: Invalid value: "C/": list must be sorted alphabetically',
      expect.stringMatching(/^status\.declaredFeatures\[4\]: Invalid value: "C\/": invalid feature name "C\/": must start/) as never,
    ],
  ],
  [
    'ranges of a node',
    node,
    'metadata: {name: n}\nspec: {podCIDRs: [10.0.0.0/24, 10.0.0.0/24]}',
    ['spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.0.0/24"]: may specify no more than one CIDR for each IP family'],
  ],
  [
    'unreadable ranges of a node',
    node,
    'metadata: {name: n}\nspec: {podCIDRs: [10.0.0.0/24, x]}',
    [
      'spec.podCIDRs[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.podCIDRs: Internal error: invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR address: x',
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","x"]: may specify no more than one CIDR for each IP family',
    ],
  ],
  [
    'endpoints',
    endpoints,
    'metadata: {name: a, namespace: b}\nsubsets: [{}, {addresses: [{ip: 169.254.1.1}], ports: [{port: 1}, {name: x, port: 2}]}]',
    [
      'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
      'subsets[1].addresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'subsets[1].ports[0].name: Required value',
    ],
  ],
  [
    'endpoint slice',
    endpointSlice,
    'metadata: {name: a, namespace: b}\naddressType: IPv4\nendpoints: [{addresses: []}, {addresses: ["::1", 127.0.0.1]}]\nports: [{name: "", port: 1}, {port: 2}]',
    [
      'endpoints[0].addresses: Required value: must contain at least 1 address',
      'endpoints[1].addresses: Invalid value: "::1": must be an IPv4 address',
      'endpoints[1].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[1].addresses[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'ports[1].name: Duplicate value: ""',
    ],
  ],
  [
    'lease',
    lease,
    'metadata: {name: a, namespace: b}\nspec: {leaseDurationSeconds: 0, leaseTransitions: -1}',
    [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  ['revision', controllerRevision, 'metadata: {name: a, namespace: b}\nrevision: 1', ['data: Required value: data is mandatory']],
  ['replication controller', replicationController, `metadata: {name: a, namespace: b}\nspec: {${template}}`, []],
  [
    'controller without template',
    replicationController,
    'metadata: {name: a, namespace: b}\nspec: {}',
    ['spec.selector: Required value', 'spec.template: Required value'],
  ],
])('create: %s', (_name, kind, yaml, expected) => {
  expect(createProblems(kind as KindDefinition, yaml)).toEqual(expected);
});

const frozen = 'metadata: {name: a, namespace: b}\nimmutable: true\n';
const isFixed = 'Forbidden: field is immutable when `immutable` is set';

const frozenBy = (field: string): string =>
  `metadata: {name: a, namespace: b, annotations: {non-convertible.kubernetes.io/${field}: x}}\nspec: {${template}}`;

test.each<[string, unknown, string, (object: KubeObject & Record<string, unknown>) => void, string[]]>([
  [
    'a selector that other forms cannot express',
    replicationController,
    frozenBy('spec.selector'),
    ({ spec }) => Object.assign((spec as { selector: object }).selector, { shiny: 'new' }),
    [
      expect.stringMatching(/^spec\.selector: Invalid value: .*: cannot update non-convertible selector$/) as string,
      expect.stringContaining('`selector` does not match template `labels`') as string,
    ],
  ],
  [
    'another field that other forms cannot express',
    replicationController,
    frozenBy('spec.odd'),
    () => undefined,
    ['spec.odd: Not found: "x": unknown non-convertible field'],
  ],
  ['config map', configMap, `${frozen}data: {x: y}`, (object) => void (object['data'] = {}), [`data: ${isFixed}`]],
  ['thawed config map', configMap, frozen, (object) => void delete object['immutable'], [`immutable: ${isFixed}`]],
  ['secret data', secret, `${frozen}data: {x: eg==}`, (object) => void (object['data'] = {}), [`data: ${isFixed}`]],
  ['secret type', secret, 'metadata: {name: a}', (object) => void (object['type'] = 'x'), ['type: Invalid value: "x": field is immutable']],
  [
    'slice',
    endpointSlice,
    'metadata: {name: a}\naddressType: IPv4\nendpoints: []',
    (object) => void (object['addressType'] = 'IPv6'),
    ['addressType: Invalid value: "IPv6": field is immutable'],
  ],
  [
    'revision',
    controllerRevision,
    'metadata: {name: a}\nrevision: 1\ndata: {x: 1}',
    (object) => void (object['data'] = { x: 2 }),
    ['data: Invalid value: {"x":2}: field is immutable'],
  ],
  [
    'node',
    node,
    'metadata: {name: a}\nspec: {podCIDRs: [10.0.0.0/24], providerID: x}',
    (object) => {
      object['spec'] = { podCIDRs: ['10.0.1.0/24'], providerID: 'y', externalID: 'z' };
      const address = { type: 'InternalIP', address: '10.0.0.1' };
      object['status'] = { addresses: [address, address] };
    },
    [
      'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}',
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
      'spec.externalID: Forbidden: may not be updated',
    ],
  ],
])('update: %s', (_name, kind, yaml, change, expected) => {
  expect(updateProblems(kind as KindDefinition<KubeObject & Record<string, unknown>>, yaml, change)).toEqual(expected);
});

test('namespaces get their label, finalizer and phase', () => {
  const object = decoded(namespace, 'metadata: {name: a}');
  namespace.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'a' });
  expect(object.spec).toEqual({ finalizers: ['kubernetes'] });
  expect(object.status).toEqual({ phase: 'Active' });
  expect(namespace.deletionHold?.isHeld(object)).toBe(true);
  namespace.deletionHold?.begin(object);
  expect(object.status?.phase).toBe('Terminating');
  const phase = (next: Namespace): void => void (next.status = { phase: 'Terminating' });
  expect(updateProblems(namespace, 'metadata: {name: a}', phase, 'status')).toEqual([
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ]);
});

test('kubelets no longer take their configuration from the API', () => {
  const old = 'metadata: {name: n}\nspec: {configSource: {}}\nstatus: {config: {}}';
  const created = decoded(node, old);
  node.prepareCreate?.(created, { verb: 'create', subresource: '', nowMs: 0 });
  expect([created.spec?.configSource, created.status?.config]).toEqual([undefined, undefined]);
  const kept = decoded(node, old);
  node.prepareUpdate?.(kept, decoded(node, old), { verb: 'update', subresource: '', nowMs: 0 });
  expect([kept.spec?.configSource, kept.status?.config]).toEqual([{}, {}]);
});

test('a service account lists Secrets by name, and warns of its old annotation once', () => {
  const annotated = `metadata: {name: a, annotations: {kubernetes.io/enforce-mountable-secrets: "true"}}\nsecrets: [{name: s, kind: Secret, uid: u}]`;
  const object = decoded(serviceAccount, annotated);
  serviceAccount.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.secrets).toEqual([{ name: 's' }]);
  expect(serviceAccount.warnings?.(object, undefined)).toEqual([
    'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
  ]);
  expect(serviceAccount.warnings?.(object, object)).toEqual([]);
});

test('clear texts of a secret become data', () => {
  const object = decoded(secret, 'metadata: {name: a}\ndata: {x: eA==}\nstringData: {x: y}');
  expect(object).toMatchObject({ type: 'Opaque', data: { x: 'eQ==' } });
  expect('stringData' in object).toBe(false);
});

test('a replication controller selects what it makes', () => {
  const object = decoded(replicationController, `metadata: {name: a}\nspec: {${template}}`);
  expect(object.spec).toMatchObject({ replicas: 1, selector: { app: 'web' } });
  expect(object.metadata.labels).toEqual({ app: 'web' });
});

test('slices count every change but annotations', () => {
  const prev = decoded(endpointSlice, 'metadata: {name: a}\naddressType: IPv4\nendpoints: []');
  expect(endpointSlice.bumpsGeneration?.({ ...prev, metadata: { name: 'a', annotations: { a: 'b' } } }, prev)).toBe(false);
  expect(endpointSlice.bumpsGeneration?.({ ...prev, metadata: { name: 'a', labels: { a: 'b' } } }, prev)).toBe(true);
  expect(endpointSlice.bumpsGeneration?.({ ...prev, ports: [{ port: 1 }] }, prev)).toBe(true);
});

const readyNode = `
metadata: {name: n1, labels: {node-role.kubernetes.io/worker: "", node-role.kubernetes.io/control-plane: ""}}
spec: {unschedulable: true}
status:
  conditions: [{type: Ready, status: "True"}]
  addresses: [{type: InternalIP, address: 10.0.0.1}]
  nodeInfo: {kubeletVersion: v1.36.2, osImage: Debian, kernelVersion: 6.12.1, architecture: arm64}
`;

test.each<[string, unknown, string, Record<string, unknown>]>([
  [
    'node',
    node,
    readyNode,
    {
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane,worker',
      Version: 'v1.36.2',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'Debian',
      'Kernel-Version': '6.12.1 (arm64)',
    },
  ],
  ['new node', node, 'metadata: {name: n}', { Status: 'Unknown', Roles: '<none>', 'Kernel-Version': '<unknown>' }],
  ['namespace', namespace, 'metadata: {name: a}', { Status: 'Active' }],
  ['config map', configMap, 'metadata: {name: a}\ndata: {x: y}\nbinaryData: {z: eg==}', { Data: 2 }],
  ['secret', secret, 'metadata: {name: a}\ndata: {x: eg==}', { Type: 'Opaque', Data: 1 }],
  [
    'endpoints',
    endpoints,
    'metadata: {name: a}\nsubsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{port: 80}, {name: b, port: 81}]}]',
    { Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...' },
  ],
  ['no endpoints', endpoints, 'metadata: {name: a}', { Endpoints: '<none>' }],
  [
    'slice',
    endpointSlice,
    'metadata: {name: a}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]\nports: [{port: 80}]',
    { AddressType: 'IPv4', Ports: '80', Endpoints: '10.0.0.1' },
  ],
  [
    'slice with odd ports',
    endpointSlice,
    'metadata: {name: a}\naddressType: IPv4\nendpoints: []\nports: [{name: http}, {port: 80}]',
    { Ports: 'http,80', Endpoints: '<unset>' },
  ],
  ['empty slice', endpointSlice, 'metadata: {name: a}\naddressType: IPv4\nendpoints: []', { Ports: '<unset>', Endpoints: '<unset>' }],
  ['lease', lease, 'metadata: {name: a}\nspec: {holderIdentity: me}', { Holder: 'me' }],
  [
    'revision',
    controllerRevision,
    'metadata: {name: a, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: u, controller: true}]}\nrevision: 2',
    { Controller: 'daemonset.apps/d', Revision: 2 },
  ],
  [
    'replication controller',
    replicationController,
    `metadata: {name: a}\nspec: {${template}}`,
    { Desired: 1, Images: 'i:1', Selector: 'app=web' },
  ],
])('columns: %s', (_name, kind, yaml, expected) => {
  expect(row(kind as KindDefinition, decoded(kind as KindDefinition, yaml))).toMatchObject(expected);
});

test('a node allocates what it has', () => {
  const object: Node = decoded(node, 'metadata: {name: n}\nstatus: {capacity: {cpu: 1.0001, memory: 1Gi}}');
  expect(object.status?.allocatable).toEqual({ cpu: '1001m', memory: '1Gi' });
});

test.each<[string, object, object]>([
  ['the old field alone', { podCIDR: '10.0.0.0/24' }, { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] }],
  ['the new field alone', { podCIDRs: ['10.0.0.0/24'] }, { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] }],
  [
    'both, and they differ',
    { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.1.0/24', 'a::/64'] },
    { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] },
  ],
])('ranges of a node: %s', (_name, spec, expected) => {
  expect(decoded(node, `metadata: {name: n}\nspec: ${JSON.stringify(spec)}`).spec).toEqual(expected);
});

test('warnings of nodes and endpoints', () => {
  const old = decoded(node, 'metadata: {name: n}\nspec: {externalID: x, configSource: {}, podCIDRs: [10.0.0.1/24]}');
  expect(node.warnings?.(old, undefined)).toEqual([
    'spec.configSource: the feature is removed',
    'spec.externalID: this field is deprecated, and is unused by Kubernetes',
    'spec.podCIDRs[0]: CIDR value "10.0.0.1/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.1/32"?)',
  ]);
  const made = decoded(endpoints, 'metadata: {name: e}\nsubsets: [{addresses: [{ip: "A::1"}], notReadyAddresses: [{ip: "b::0"}]}]');
  expect(endpoints.warnings?.(made, undefined)).toEqual([
    'subsets[0].addresses[0].ip: IPv6 address "A::1" should be in RFC 5952 canonical format ("a::1")',
    'subsets[0].notReadyAddresses[0].ip: IPv6 address "b::0" should be in RFC 5952 canonical format ("b::")',
  ]);
  made.metadata.labels = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
  expect(endpoints.warnings?.(made, undefined)).toEqual([]);
});
