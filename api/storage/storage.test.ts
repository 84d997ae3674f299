import { expect, test } from 'vitest';
import type { KindDefinition } from '../kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { csiDriver } from './csi-driver.ts';
import { csiNode } from './csi-node.ts';
import { csiStorageCapacity } from './csi-storage-capacity.ts';
import { storageClass } from './storage-class.ts';
import { volumeAttachment } from './volume-attachment.ts';
import { volumeAttributesClass } from './volume-attributes-class.ts';

const meta = 'metadata: {name: a}\n';
const many = (count: number): string => Array.from({ length: count }, (_, at) => `k${at}: v`).join(', ');
const long = 'x'.repeat(262_144);
const attachment = (spec: string): string => `${meta}spec: {attacher: d.example.com, nodeName: n, source: {${spec}}}`;

test.each<[string, unknown, string, string[]]>([
  ['class', storageClass, `${meta}provisioner: Example.com/P`, []],
  [
    'a name of a provisioner',
    storageClass,
    `${meta}provisioner: Example.com/P_`,
    [expect.stringMatching(/^provisioner: Invalid value: "Example\.com\/P_": name part must consist/) as never],
  ],
  [
    'bad class',
    storageClass,
    `${meta}provisioner: ""\nparameters: {"": x}\nreclaimPolicy: Recycle\nvolumeBindingMode: Odd`,
    [
      'provisioner: Required value',
      'parameters: Invalid value: "": field can not be empty.',
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Odd": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
  ],
  [
    'parameters by number',
    storageClass,
    `${meta}provisioner: p\nparameters: {${many(513)}}`,
    ['parameters: Too long: may not be more than 512 bytes'],
  ],
  [
    'parameters by size',
    storageClass,
    `${meta}provisioner: p\nparameters: {k: "${long}"}`,
    ['parameters: Too long: may not be more than 262144 bytes'],
  ],
  [
    'topologies',
    storageClass,
    `${meta}provisioner: p\nallowedTopologies: [{matchLabelExpressions: [{key: a, values: [x, x]}, {key: a, values: []}]}, {matchLabelExpressions: [{key: b, values: [x, y]}]}, {matchLabelExpressions: [{key: b, values: [y, x]}]}, {}]`,
    [
      'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "x"',
      'allowedTopologies[0].matchLabelExpressions[1].values: Required value',
      'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"',
      'allowedTopologies[2].matchLabelExpressions: Duplicate value: ""',
      ...Array.from({ length: 4 }, () => 'allowedTopologies[3].matchLabelExpressions: Duplicate value: ""'),
    ],
  ],
  ['attributes', volumeAttributesClass, `${meta}driverName: d\nparameters: {a: b}`, []],
  [
    'no attributes',
    volumeAttributesClass,
    `${meta}driverName: a_/b`,
    [
      `driverName: Invalid value: "a_/b": prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      'parameters: Required value: must contain at least one key/value pair',
    ],
  ],
  ['driver', csiDriver, `${meta}spec: {}`, []],
  [
    'bad driver',
    csiDriver,
    `${meta}spec: {fsGroupPolicy: Odd, volumeLifecycleModes: [Odd], nodeAllocatableUpdatePeriodSeconds: 9, serviceAccountTokenInSecrets: false}`,
    [
      'spec.fsGroupPolicy: Unsupported value: "Odd": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      'spec.volumeLifecycleModes: Unsupported value: "Odd": supported values: "Persistent", "Ephemeral"',
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds',
      'spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    ],
  ],
  [
    'tokens of a driver',
    csiDriver,
    `${meta}spec: {tokenRequests: [{audience: a, expirationSeconds: 599}, {audience: a}, {audience: "", expirationSeconds: 4294967297}]}`,
    [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.tokenRequests[2].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
  ],
  [
    'names of a driver',
    csiDriver,
    'metadata: {name: Example.com}',
    [expect.stringMatching(/^metadata\.name: Invalid value: "Example.com": a lowercase RFC 1123 subdomain must consist/) as never],
  ],
  [
    'names of a node’s drivers',
    csiNode,
    `${meta}spec: {drivers: [{name: "", nodeID: n, topologyKeys: [a, "a b"]}]}`,
    [
      'spec.drivers[0].name: Required value',
      expect.stringMatching(/^spec\.drivers\[0\]\.name: Invalid value: "": a lowercase RFC 1123 subdomain/) as string,
      expect.stringMatching(/^spec\.drivers\[0\]: Invalid value: \["a","a b"\]: name part must consist/) as never,
    ],
  ],
  ['node', csiNode, `${meta}spec: {drivers: [{name: d, nodeID: n, topologyKeys: [a/b], allocatable: {count: 1}}]}`, []],
  [
    'bad node',
    csiNode,
    `${meta}spec: {drivers: [{name: d, nodeID: "", topologyKeys: [a, a], allocatable: {count: -1}}, {name: d, nodeID: ${'n'.repeat(257)}}]}`,
    [
      'spec.drivers[0].nodeID: Required value',
      'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[0]: Duplicate value: "a"',
      `spec.drivers[1].nodeID: Invalid value: "${'n'.repeat(257)}": must be 256 characters or less`,
      'spec.drivers[1].name: Duplicate value: "d"',
    ],
  ],
  ['capacity', csiStorageCapacity, 'metadata: {name: a, namespace: b}\nstorageClassName: s\ncapacity: 1Gi', []],
  [
    'bad capacity',
    csiStorageCapacity,
    'metadata: {name: a, namespace: b}\nstorageClassName: s\ncapacity: -1\nnodeTopology: {matchExpressions: [{key: a, operator: Odd}]}',
    [
      'nodeTopology.matchExpressions[0].operator: Invalid value: "Odd": not a valid selector operator',
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  ['attachment', volumeAttachment, attachment('persistentVolumeName: v'), []],
  [
    'attachment of nothing',
    volumeAttachment,
    attachment(''),
    ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  ],
  [
    'attachment of two',
    volumeAttachment,
    attachment('persistentVolumeName: v, inlineVolumeSpec: {}'),
    ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  ],
  [
    'inline volume',
    volumeAttachment,
    attachment(
      'inlineVolumeSpec: {accessModes: [ReadWriteOnce], capacity: {storage: 1}, claimRef: {}, storageClassName: s, volumeMode: Block, persistentVolumeReclaimPolicy: Delete, nodeAffinity: {}, local: {path: /a}}',
    ),
    [
      'spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes',
      'spec.source.inlineVolumeSpec.nodeAffinity: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.nodeAffinity: Required value: Local volume requires node affinity',
      'spec.source.inlineVolumeSpec.storageClassName: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes',
    ],
  ],
])('create: %s', (_name, kind, yaml, expected) => {
  expect(createProblems(kind as KindDefinition, yaml)).toEqual(expected);
});

type Loose = KubeObject & Record<string, unknown>;
const change =
  (values: object) =>
  (object: Loose): void =>
    void Object.assign(object, values);

test.each<[string, unknown, string, (object: Loose) => void, string, string[]]>([
  [
    'class',
    storageClass,
    `${meta}provisioner: p\nparameters: {a: b}`,
    change({ provisioner: 'q', parameters: {}, reclaimPolicy: 'Retain', volumeBindingMode: 'WaitForFirstConsumer' }),
    '',
    [
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ],
  ],
  [
    'attributes',
    volumeAttributesClass,
    `${meta}driverName: d\nparameters: {a: b}`,
    change({ driverName: 'e', parameters: { a: 'c' } }),
    '',
    ['driverName: Forbidden: updates to driverName are forbidden.', 'parameters: Forbidden: updates to parameters are forbidden.'],
  ],
  [
    'driver',
    csiDriver,
    `${meta}spec: {}`,
    ({ spec }) => void Object.assign(spec as object, { attachRequired: false, volumeLifecycleModes: ['Ephemeral'], podInfoOnMount: true }),
    '',
    [
      'spec.attachedRequired: Invalid value: false: field is immutable',
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ],
  ],
  [
    'node',
    csiNode,
    `${meta}spec: {drivers: [{name: d, nodeID: n, allocatable: {count: 1}}, {name: e, nodeID: n}]}`,
    change({
      spec: {
        drivers: [
          { name: 'd', nodeID: 'n', allocatable: { count: 2 } },
          { name: 'e', nodeID: 'm', topologyKeys: ['a'] },
        ],
      },
    }),
    '',
    ['spec.drivers: Invalid value: {"Name":"e","NodeID":"m","TopologyKeys":["a"],"Allocatable":null}: field is immutable'],
  ],
  [
    'capacity',
    csiStorageCapacity,
    'metadata: {name: a, namespace: b}\nstorageClassName: s',
    change({ storageClassName: 't', nodeTopology: { matchLabels: { a: 'b' } }, capacity: '1' }),
    '',
    [
      'nodeTopology: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable',
      'storageClassName: Invalid value: "t": field is immutable',
    ],
  ],
  [
    'attachment',
    volumeAttachment,
    attachment('persistentVolumeName: v'),
    change({ spec: { attacher: 'd.example.com', nodeName: 'm', source: { persistentVolumeName: 'v' } } }),
    '',
    [
      'spec: Invalid value: {"Attacher":"d.example.com","Source":{"PersistentVolumeName":"v","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable',
    ],
  ],
  [
    'status of an attachment',
    volumeAttachment,
    attachment('persistentVolumeName: v'),
    change({ status: { attached: true, attachmentMetadata: { a: long }, attachError: { message: 'x'.repeat(1_025), errorCode: -1 } } }),
    'status',
    [
      'status.attachmentMetadata: Too long: may not be more than 262144 bytes',
      'status.attachError.message: Too long: may not be more than 262144 bytes',
      'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
  ],
])('update: %s', (_name, kind, yaml, write, subresource, expected) => {
  const found = updateProblems(kind as KindDefinition<Loose>, yaml, write, subresource);
  expect(found.toSorted()).toEqual(expected.toSorted());
});

test("a driver's generation counts changes: a new one has none", () => {
  const prev = decoded(csiDriver, `${meta}spec: {}`);
  const next = structuredClone(prev);
  expect([csiDriver.hasGeneration, csiDriver.bumpsGeneration?.(next, prev)]).toEqual([undefined, false]);
  next.spec.requiresRepublish = true;
  expect(csiDriver.bumpsGeneration?.(next, prev)).toBe(true);
});

test('defaults of a driver; what is behind a gate that is off goes', () => {
  const object = decoded(csiDriver, `${meta}spec: {preventPodSchedulingIfMissing: true}`);
  csiDriver.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.spec).toEqual({
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    volumeLifecycleModes: ['Persistent'],
    requiresRepublish: false,
    seLinuxMount: false,
  });
});

test('the status endpoint of an attachment leaves metadata alone', () => {
  const prev = decoded(volumeAttachment, attachment('persistentVolumeName: v'));
  const next = { ...structuredClone(prev), metadata: { name: 'a', labels: { a: 'b' } } };
  volumeAttachment.prepareUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 });
  expect(next.metadata).toEqual({ name: 'a' });
});

test('warnings about old names of labels', () => {
  const key = 'failure-domain.beta.kubernetes.io/zone';
  const text = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead';
  const topologies = decoded(
    storageClass,
    `${meta}provisioner: p\nallowedTopologies: [{matchLabelExpressions: [{key: ${key}, values: [a]}]}]`,
  );
  expect(storageClass.warnings?.(topologies, undefined)).toEqual([`allowedTopologies[0].matchLabelExpressions[0].key: ${text}`]);
  const capacity = decoded(
    csiStorageCapacity,
    `${meta}storageClassName: s\nnodeTopology: {matchLabels: {${key}: a}, matchExpressions: [{key: ${key}, operator: Exists}]}`,
  );
  expect(csiStorageCapacity.warnings?.(capacity, undefined)).toEqual([
    `nodeTopology.matchExpressions[0].key: ${key} is ${text}`,
    `nodeTopology.matchLabels.${key}: ${text}`,
  ]);
});

test.each<[string, unknown, string, Record<string, unknown>]>([
  [
    'class',
    storageClass,
    'metadata: {name: a, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: p',
    {
      Name: 'a (default)',
      Provisioner: 'p',
      ReclaimPolicy: 'Delete',
      VolumeBindingMode: 'Immediate',
      AllowVolumeExpansion: false,
      Age: '<unknown>',
    },
  ],
  ['attributes', volumeAttributesClass, `${meta}driverName: d`, { Name: 'a', DriverName: 'd', Age: '<unknown>' }],
  [
    'driver',
    csiDriver,
    `${meta}spec: {tokenRequests: [{audience: a}, {audience: b}], volumeLifecycleModes: [Persistent, Ephemeral]}`,
    {
      Name: 'a',
      AttachRequired: true,
      PodInfoOnMount: false,
      StorageCapacity: false,
      TokenRequests: 'a,b',
      RequiresRepublish: false,
      Modes: 'Persistent,Ephemeral',
      Age: '<unknown>',
    },
  ],
  ['node', csiNode, `${meta}spec: {drivers: [{name: d, nodeID: n}]}`, { Name: 'a', Drivers: 1, Age: '<unknown>' }],
  ['capacity', csiStorageCapacity, `${meta}storageClassName: s`, { Name: 'a', StorageClassName: 's', Capacity: '<unset>' }],
  [
    'attachment',
    volumeAttachment,
    attachment('persistentVolumeName: v'),
    { Name: 'a', Attacher: 'd.example.com', PV: 'v', Node: 'n', Attached: false, Age: '<unknown>' },
  ],
])('columns: %s', (_name, kind, yaml, expected) => {
  expect(row(kind as KindDefinition, decoded(kind as KindDefinition, yaml))).toEqual(expected);
});
