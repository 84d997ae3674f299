import { expect, test } from 'vitest';
import { createProblems, decoded } from '../../testing.ts';
import { pod } from './pod.ts';

const podOf = (volumes: string, name = 'web'): string =>
  `metadata: {name: ${name}, namespace: a}\nspec: {containers: [{name: c, image: i}], volumes: [${volumes}]}`;
const problemsOf = (source: string): string[] =>
  createProblems(pod, podOf(`{name: v, ${source}}`)).map((text) => text.replace('spec.volumes[0]', '$'));

test.each<[string, string[]]>([
  ['emptyDir: {sizeLimit: -1}', ['$.emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity']],
  ['hostPath: {path: ""}', ['$.hostPath.path: Required value']],
  [
    'hostPath: {path: /a/../b, type: Odd}',
    [
      `$.hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      '$.hostPath.type: Unsupported value: "Odd": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    ],
  ],
  [
    'gitRepo: {repository: "", directory: /a}',
    ['$.gitRepo.repository: Required value', '$.gitRepo.directory: Invalid value: "/a": must be a relative path'],
  ],
  [
    'gcePersistentDisk: {pdName: "", partition: 256}',
    ['$.persistentDisk.pdName: Required value', '$.persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive'],
  ],
  [
    'awsElasticBlockStore: {volumeID: x, partition: -1}',
    ['$.awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive'],
  ],
  ['nfs: {server: "", path: a}', ['$.nfs.server: Required value', '$.nfs.path: Invalid value: "a": must be an absolute path']],
  ['iscsi: {targetPortal: a, iqn: "iqn.2014-01.com.example:disk", lun: 0}', []],
  [
    'iscsi: {targetPortal: "", iqn: odd, lun: 256, chapAuthSession: true, initiatorName: eui.1}',
    [
      '$.iscsi.targetPortal: Required value',
      '$.iscsi.iqn: Invalid value: "odd": must be valid format starting with iqn, eui, or naa',
      '$.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
      '$.iscsi.secretRef: Required value',
      '$.iscsi.initiatorname: Invalid value: "eui.1": must be valid format',
    ],
  ],
  [
    `iscsi: {targetPortal: ${'a'.repeat(63)}, iqn: eui.0123456789abcdef, lun: 0, initiatorName: naa.${'0'.repeat(32)}}`,
    [
      '$.name: Invalid value: "v": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
    ],
  ],
  ['glusterfs: {endpoints: "", path: ""}', ['$.glusterfs.endpoints: Required value', '$.glusterfs.path: Required value']],
  ['flocker: {}', ['$.flocker: Required value: one of datasetName and datasetUUID is required']],
  [
    'flocker: {datasetName: a/b, datasetUUID: c}',
    [
      '$.flocker: Invalid value: "resource": datasetName and datasetUUID can not be specified simultaneously',
      `$.flocker.datasetName: Invalid value: "a/b": must not contain '/'`,
    ],
  ],
  ['persistentVolumeClaim: {claimName: ""}', ['$.persistentVolumeClaim.claimName: Required value']],
  ['rbd: {monitors: [], image: ""}', ['$.rbd.monitors: Required value', '$.rbd.image: Required value']],
  ['cinder: {volumeID: x, secretRef: {}}', ['$.cinder.secretRef.name: Required value']],
  ['cephfs: {monitors: []}', ['$.cephfs.monitors: Required value']],
  ['quobyte: {registry: "a:1,[::1]:2", volume: v}', []],
  [
    'quobyte: {registry: "a,b:1,c:2:3", volume: ""}',
    [
      '$.quobyte.registry: Invalid value: "a,b:1,c:2:3": must be a host:port pair or multiple pairs separated by commas',
      '$.quobyte.registry: Invalid value: "a,b:1,c:2:3": must be a host:port pair or multiple pairs separated by commas',
      '$.quobyte.volume: Required value',
    ],
  ],
  [
    `quobyte: {registry: "a:1", volume: v, tenant: ${'t'.repeat(65)}}`,
    ['$.quobyte.tenant: Required value: must be a UUID and may not exceed a length of 64 characters'],
  ],
  ['fc: {}', ['$.fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both']],
  [
    'fc: {targetWWNs: [a], wwids: [b]}',
    [
      '$.fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
      '$.fc.lun: Required value: lun is required if targetWWNs is specified',
    ],
  ],
  [
    'flexVolume: {driver: "", options: {a.k8s.io/b: c, kubernetes.io: d, x: y}}',
    [
      '$.flexVolume.driver: Required value',
      '$.flexVolume.options[a.k8s.io/b]: Invalid value: "a.k8s.io/b": kubernetes.io and k8s.io namespaces are reserved',
      '$.flexVolume.options[kubernetes.io]: Invalid value: "kubernetes.io": kubernetes.io and k8s.io namespaces are reserved',
    ],
  ],
  ['azureFile: {secretName: "", shareName: ""}', ['$.azureFile.secretName: Required value', '$.azureFile.shareName: Required value']],
  ['vsphereVolume: {volumePath: ""}', ['$.vsphereVolume.volumePath: Required value']],
  ['photonPersistentDisk: {pdID: ""}', ['$.photonPersistentDisk.pdID: Required value']],
  ['portworxVolume: {volumeID: ""}', ['$.portworxVolume.volumeID: Required value']],
  ['azureDisk: {diskName: a, diskURI: "https://a.blob.core.windows.net/b/c.vhd"}', []],
  [
    'azureDisk: {diskName: "", diskURI: x, cachingMode: Odd, kind: Managed}',
    [
      '$.azureDisk.diskName: Required value',
      '$.azureDisk.cachingMode: Unsupported value: "Odd": supported values: "None", "ReadOnly", "ReadWrite"',
      '$.azureDisk.diskURI: Unsupported value: "x": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"',
    ],
  ],
  ['storageos: {secretRef: {}}', ['$.storageos.volumeName: Required value', '$.storageos.secretRef.name: Required value']],
  [
    'scaleIO: {gateway: "", system: "", secretRef: {}}',
    ['$.scaleIO.gateway: Required value', '$.scaleIO.system: Required value', '$.scaleIO.volumeName: Required value'],
  ],
  [
    'csi: {driver: A.example.com, nodePublishSecretRef: {name: A}}',
    [
      `$.csi.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
  ],
  [
    `csi: {driver: ${'d'.repeat(64)}, nodePublishSecretRef: {}}`,
    ['$.csi.driver: Too long: may not be more than 63 bytes', '$.csi.nodePublishSecretRef.name: Required value'],
  ],
  ['ephemeral: {}', ['$.ephemeral.volumeClaimTemplate: Required value']],
  [
    'ephemeral: {volumeClaimTemplate: {metadata: {name: x, uid: u, labels: {a: b}}, spec: {}}}',
    [
      '$.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
      '$.ephemeral.volumeClaimTemplate.metadata.uID: Forbidden: cannot be set',
      '$.ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
      '$.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
    ],
  ],
  ['image: {}', ['$.image.reference: Required value']],
  [
    'emptyDir: {}, cephfs: {monitors: [a]}, downwardAPI: {}',
    ['$.cephFS: Forbidden: may not specify more than 1 volume type', '$.downwarAPI: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'projected: {sources: [{secret: {name: a}, configMap: {name: b}}]}',
    ['$.projected.sources[0]: Forbidden: may not specify more than 1 volume type per source'],
  ],
  [
    'projected: {sources: [{serviceAccountToken: {path: ../a, expirationSeconds: 60}}]}',
    [
      '$.projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
      `$.projected.path: Invalid value: "../a": must not contain '..'`,
    ],
  ],
])('%s', (source, expected) => {
  const account = '.serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set';
  expect(problemsOf(source).filter((text) => !text.endsWith(account))).toEqual(expected);
});

const claim = 'ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}';

test('the claim of an ephemeral volume belongs to it alone', () => {
  const volumes = `{name: v, ${claim}}, {name: w, persistentVolumeClaim: {claimName: web-v}}`;
  expect(createProblems(pod, podOf(volumes))).toEqual([
    'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "web-v": must not reference a PVC that gets created for an ephemeral volume',
  ]);
});

test('the claim of an ephemeral volume can be named', () => {
  expect(createProblems(pod, podOf(`{name: v, ${claim}}`, 'a'.repeat(252)))).toEqual([
    `spec.volumes[0].name: Invalid value: "v": PVC name "${'a'.repeat(252)}-v": must be no more than 253 characters`,
  ]);
});

test('the claim of an ephemeral volume gets defaults', () => {
  const [volume] = decoded(pod, podOf(`{name: v, ${claim}}`)).spec.volumes ?? [];
  expect(volume?.ephemeral?.volumeClaimTemplate?.spec.volumeMode).toBe('Filesystem');
});

test('projections behind gates that are off go', () => {
  const sources = '[{clusterTrustBundle: {name: a, path: b}}, {podCertificate: {signerName: a/b, keyType: ED25519}}, {secret: {name: s}}]';
  const [volume] = decoded(pod, podOf(`{name: v, projected: {sources: ${sources}}}`)).spec.volumes ?? [];
  expect(volume?.projected?.sources).toEqual([{}, {}, { secret: { name: 's' } }]);
});
