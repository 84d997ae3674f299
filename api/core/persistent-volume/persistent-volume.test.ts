import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../../testing.ts';
import { persistentVolume, type PersistentVolume } from './persistent-volume.ts';

const fine = 'accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}';
const volume = (spec: string): string => `metadata: {name: v}\nspec: {${spec}}`;
const nfs = `${fine}, nfs: {server: s, path: /p}`;
const affinity = 'nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: beta.kubernetes.io/arch, operator: Exists}]}]}}';
const local = `${fine}, local: {path: /p}, ${affinity}`;
const csi = `${fine}, csi: {driver: d.example.com, volumeHandle: h}`;

test.each<[string, string, string[]]>([
  ['fine', nfs, []],
  [
    'nothing',
    '',
    [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: null: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ],
  ],
  [
    'modes, amounts and policies',
    'accessModes: [ReadWriteOncePod, ReadOnlyMany, Odd], capacity: {storage: 0, cpu: 1}, persistentVolumeReclaimPolicy: Odd, nfs: {server: s, path: /p}, volumeMode: Odd',
    [
      'spec.accessModes: Unsupported value: "Odd": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      'spec.capacity: Unsupported value: {"cpu":"1","storage":"0"}: supported values: "storage"',
      'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
      'spec.persistentVolumeReclaimPolicy: Unsupported value: "Odd": supported values: "Delete", "Recycle", "Retain"',
      'spec.volumeMode: Unsupported value: "Odd": supported values: "Block", "Filesystem"',
    ],
  ],
  [
    'two sources, of which one is always judged',
    `${nfs}, cephfs: {monitors: [a]}, flexVolume: {driver: ""}`,
    ['spec.cephFS: Forbidden: may not specify more than 1 volume type', 'spec.flexVolume.driver: Required value'],
  ],
  ['local', local, []],
  [
    'local anywhere',
    `${fine}, local: {path: ""}`,
    ['spec.local.path: Required value', 'spec.nodeAffinity: Required value: Local volume requires node affinity'],
  ],
  ['nodes', `${nfs}, nodeAffinity: {}`, ['spec.nodeAffinity.required: Required value: must specify required node constraints']],
  [
    'no terms',
    `${nfs}, nodeAffinity: {required: {nodeSelectorTerms: []}}`,
    ['spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term'],
  ],
  [
    'the host itself',
    `${fine}, hostPath: {path: /x/..//}, persistentVolumeReclaimPolicy: Recycle`,
    [
      `spec.hostPath.path: Invalid value: "/x/..//": must not contain '..'`,
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
  ],
  [
    'attributes without a driver',
    `${nfs}, volumeAttributesClassName: a`,
    ['spec.csi: Required value: has to be specified when using volumeAttributesClassName'],
  ],
  [
    'no attributes',
    `${csi}, volumeAttributesClassName: ""`,
    ['spec.volumeAttributesClassName: Required value: an empty string is disallowed'],
  ],
  [
    'secrets',
    `${fine}, csi: {driver: d, volumeHandle: "", nodeExpandSecretRef: {}}`,
    [
      'spec.csi.volumeHandle: Required value',
      'spec.csi.nodeExpandSecretRef.name: Required value',
      'spec.csi.nodeExpandSecretRef.namespace: Required value',
    ],
  ],
  [
    'iSCSI',
    `${fine}, iscsi: {targetPortal: ${'a'.repeat(63)}, iqn: odd, lun: 0, secretRef: {}, initiatorName: odd}`,
    [
      `spec.iscsi.targetportal: Invalid value: "${'a'.repeat(63)}": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.`,
      'spec.iscsi.iqn: Invalid value: "odd": must be valid format',
      'spec.iscsi.secretRef.name: Required value',
      'spec.iscsi.initiatorname: Invalid value: "odd": must be valid format',
    ],
  ],
  [
    'others',
    `${fine}, glusterfs: {endpoints: a, path: b, endpointsNamespace: ""}`,
    ['spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name'],
  ],
  [
    'secrets of old types',
    `${fine}, cinder: {volumeID: a, secretRef: {}}`,
    ['spec.cinder.secretRef.name: Required value', 'spec.cinder.secretRef.namespace: Required value'],
  ],
  ['azure', `${fine}, azureFile: {secretName: a, shareName: b, secretNamespace: ""}`, ['spec.azureFile.secretNamespace: Required value']],
])('create: %s', (_name, spec, expected) => {
  expect(createProblems(persistentVolume, volume(spec))).toEqual(expected);
});

test.each<[string, string, (volume: PersistentVolume) => void, string[]]>([
  ['class and policy', nfs, ({ spec }) => void Object.assign(spec, { storageClassName: 'a', persistentVolumeReclaimPolicy: 'Delete' }), []],
  [
    'source and mode',
    nfs,
    ({ spec }) => void Object.assign(spec, { nfs: { server: 't', path: '/p' }, volumeMode: 'Block' }),
    [
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n  {\n- \tnfs: {"server":"s","path":"/p"},\n+ \tnfs: {"server":"t","path":"/p"},\n  }\n',
      'volumeMode: Invalid value: "Block": field is immutable',
    ],
  ],
  [
    'a new secret for growing',
    csi,
    ({ spec }) => void (spec.csi && (spec.csi.controllerExpandSecretRef = { name: 'a', namespace: 'b' })),
    [],
  ],
  [
    'new names of labels',
    local,
    ({ spec }) =>
      void Object.assign(spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0] ?? {}, { key: 'kubernetes.io/arch' }),
    [],
  ],
  [
    'other labels',
    local,
    ({ spec }) => void Object.assign(spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0] ?? {}, { key: 'a' }),
    [
      'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"a","Operator":"Exists","Values":null}],"MatchFields":null}]}}: field is immutable, except for updating from beta label to GA',
    ],
  ],
  [
    'no attributes any more',
    `${csi}, volumeAttributesClassName: a`,
    ({ spec }) => void delete spec.volumeAttributesClassName,
    ['spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden'],
  ],
])('update: %s', (_name, spec, change, expected) => {
  expect(updateProblems(persistentVolume, volume(spec), change)).toEqual(expected);
});

test('a new volume is pending since now; its phase has a time', () => {
  const prev = decoded(persistentVolume, volume(nfs));
  persistentVolume.prepareCreate?.(prev, { verb: 'create', subresource: '', nowMs: 0 });
  expect(prev.status).toEqual({ phase: 'Pending', lastPhaseTransitionTime: '1970-01-01T00:00:00Z' });
  const written = (status: PersistentVolume['status']): PersistentVolume['status'] => {
    const next = { ...structuredClone(prev), ...(status === undefined ? {} : { status }) };
    persistentVolume.prepareUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 5_000 });
    return next.status;
  };
  expect(written({ phase: 'Bound' })).toEqual({ phase: 'Bound', lastPhaseTransitionTime: '1970-01-01T00:00:05Z' });
  expect(written({ phase: 'Bound', lastPhaseTransitionTime: '2026-01-01T00:00:00Z' })?.lastPhaseTransitionTime).toBe(
    '2026-01-01T00:00:00Z',
  );
  expect(written({ phase: 'Pending' })?.lastPhaseTransitionTime).toBe('1970-01-01T00:00:00Z');
});

test('defaults', () => {
  const { spec } = decoded(persistentVolume, volume(`${fine}, rbd: {monitors: [a], image: b}`));
  expect(spec).toMatchObject({
    persistentVolumeReclaimPolicy: 'Retain',
    volumeMode: 'Filesystem',
    rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  });
});

test('warnings', () => {
  const old = decoded(
    persistentVolume,
    `metadata: {name: v, annotations: {volume.beta.kubernetes.io/storage-class: a, volume.beta.kubernetes.io/mount-options: b}}\nspec: {${fine}, storageos: {}, persistentVolumeReclaimPolicy: Recycle, ${affinity}}`,
  );
  expect(persistentVolume.warnings?.(old, undefined)).toEqual([
    'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
    'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
    'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
  ]);
});

test('columns', () => {
  const bound = `${nfs}, accessModes: [ReadWriteMany, ReadWriteOnce], storageClassName: s, claimRef: {namespace: a, name: b}`.replace(
    'accessModes: [ReadWriteOnce], ',
    '',
  );
  expect(row(persistentVolume, decoded(persistentVolume, `${volume(bound)}\nstatus: {phase: Bound}`))).toEqual({
    Name: 'v',
    Capacity: '1Gi',
    'Access Modes': 'RWO,RWX',
    'Reclaim Policy': 'Retain',
    Status: 'Bound',
    Claim: 'a/b',
    StorageClass: 's',
    VolumeAttributesClass: '<unset>',
    Reason: '',
    Age: '<unknown>',
    VolumeMode: 'Filesystem',
  });
});

test('only some types take their mount options from an annotation', () => {
  const optioned = (spec: string): string =>
    `metadata: {name: v, annotations: {volume.beta.kubernetes.io/mount-options: ro}}\nspec: {${spec}}`;
  expect(createProblems(persistentVolume, optioned(nfs))).toEqual([]);
  expect(createProblems(persistentVolume, optioned(csi))).toEqual([
    'metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type',
  ]);
});
