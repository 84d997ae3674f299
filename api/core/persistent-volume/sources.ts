// The types of a PersistentVolume, of which each volume has one.
import type {
  V1AzureFilePersistentVolumeSource,
  V1CSIPersistentVolumeSource,
  V1GlusterfsPersistentVolumeSource,
  V1LocalVolumeSource,
  V1PersistentVolumeSpec,
  V1StorageOSPersistentVolumeSource,
} from '#api/generated/types.ts';
import { invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, required } from '../../meta/field-problem.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateNoBacksteps } from '../pod/paths.ts';
import { validateDriverName, validateSecretReference } from '../volume/csi-references.ts';
import { validatePersistentIscsi } from '../volume/iscsi.ts';
import { requireMembers, type SourceRule } from '../volume/source-rules.ts';
import {
  validateAwsDisk,
  validateAzureDisk,
  validateFibreChannel,
  validateFlex,
  validateFlocker,
  validateGceDisk,
  validateHostPath,
  validateNfs,
  validateQuobyte,
  validateStorageOsNames,
} from '../volume/sources.ts';

type Spec = Unchecked<V1PersistentVolumeSpec>;
type Given<Source> = Unchecked<Source> | undefined;

/** A spec with the name of its volume, which one type looks at; '' for inline volumes. */
type NamedSpec = Spec & { readonly volumeName: string };

/** All types, in upstream's order and with its slips of the pen. */
export const persistentSources: readonly SourceRule<NamedSpec>[] = [
  { kind: 'hostPath', check: ({ hostPath }, path) => validateHostPath(hostPath, path) },
  {
    kind: 'gcePersistentDisk',
    calledAs: 'persistentDisk',
    check: ({ gcePersistentDisk }, path) => validateGceDisk(gcePersistentDisk, path),
  },
  { kind: 'awsElasticBlockStore', check: ({ awsElasticBlockStore }, path) => validateAwsDisk(awsElasticBlockStore, path) },
  { kind: 'glusterfs', check: ({ glusterfs }, path) => validateGlusterfs(glusterfs, path) },
  { kind: 'flocker', check: ({ flocker }, path) => validateFlocker(flocker, path) },
  { kind: 'nfs', check: ({ nfs }, path) => validateNfs(nfs, path) },
  { kind: 'rbd', check: ({ rbd }, path) => requireMembers(rbd, path, ['monitors', 'image']) },
  { kind: 'quobyte', check: ({ quobyte }, path) => validateQuobyte(quobyte, path) },
  { kind: 'cephfs', clashesAs: 'cephFS', check: ({ cephfs }, path) => requireMembers(cephfs, path, ['monitors']) },
  { kind: 'iscsi', check: ({ iscsi, volumeName }, path) => validatePersistentIscsi(iscsi ?? {}, volumeName, path) },
  { kind: 'cinder', check: validateCinder },
  { kind: 'fc', check: ({ fc }, path) => validateFibreChannel(fc, path) },
  { kind: 'flexVolume', isAlways: true, check: ({ flexVolume }, path) => validateFlex(flexVolume, path) },
  { kind: 'azureFile', check: ({ azureFile }, path) => validateAzureFile(azureFile, path) },
  { kind: 'vsphereVolume', check: ({ vsphereVolume }, path) => requireMembers(vsphereVolume, path, ['volumePath']) },
  { kind: 'photonPersistentDisk', check: ({ photonPersistentDisk }, path) => requireMembers(photonPersistentDisk, path, ['pdID']) },
  { kind: 'portworxVolume', check: ({ portworxVolume }, path) => requireMembers(portworxVolume, path, ['volumeID']) },
  { kind: 'azureDisk', check: ({ azureDisk }, path) => validateAzureDisk(azureDisk, path) },
  { kind: 'scaleIO', check: ({ scaleIO }, path) => requireMembers(scaleIO, path, ['gateway', 'system', 'volumeName']) },
  { kind: 'local', check: validateLocal },
  { kind: 'storageos', check: ({ storageos }, path) => validateStorageOs(storageos, path) },
  { kind: 'csi', check: ({ csi }, path) => validateCsi(csi ?? {}, path) },
];

function validateGlusterfs(source: Given<V1GlusterfsPersistentVolumeSource>, path: string): FieldProblem[] {
  const problems = requireMembers(source, path, ['endpoints', 'path']);
  const namespace = source?.endpointsNamespace;
  if (namespace === undefined) return problems;
  const field = `${path}.endpointsNamespace`;
  const emptyText = 'if the endpointnamespace is set, it must be a valid namespace name';
  return [...problems, ...invalidEach(field, namespace, namespace === '' ? [emptyText] : nameIsDnsLabel(namespace, false))];
}

function validateCinder({ cinder }: Spec, path: string): FieldProblem[] {
  const problems = requireMembers(cinder, path, ['volumeID']);
  if (cinder?.secretRef !== undefined) problems.push(...requireMembers(cinder.secretRef, `${path}.secretRef`, ['name', 'namespace']));
  return problems;
}

function validateAzureFile(source: Given<V1AzureFilePersistentVolumeSource>, path: string): FieldProblem[] {
  const problems = requireMembers(source, path, ['secretName', 'shareName']);
  return source?.secretNamespace === '' ? [...problems, required(`${path}.secretNamespace`)] : problems;
}

/** What lies on one node can only be used there. */
function validateLocal({ local, nodeAffinity }: Spec, path: string): FieldProblem[] {
  const problems = validateLocalPath(local, `${path}.path`);
  const spec = path.slice(0, -'.local'.length);
  if (nodeAffinity === undefined) problems.push(required(`${spec}.nodeAffinity`, 'Local volume requires node affinity'));
  return problems;
}

function validateLocalPath(local: Given<V1LocalVolumeSource>, field: string): FieldProblem[] {
  const folder = local?.path ?? '';
  return folder === '' ? [required(field)] : validateNoBacksteps(field, folder);
}

function validateStorageOs(source: Given<V1StorageOSPersistentVolumeSource>, path: string): FieldProblem[] {
  const problems = validateStorageOsNames(source, path);
  const secret = source?.secretRef;
  return secret === undefined ? problems : [...problems, ...requireMembers(secret, `${path}.secretRef`, ['name', 'namespace'])];
}

function validateCsi(source: Unchecked<V1CSIPersistentVolumeSource>, path: string): FieldProblem[] {
  const secrets = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const;
  return [
    ...validateDriverName(source.driver ?? '', `${path}.driver`),
    ...requireMembers(source, path, ['volumeHandle']),
    ...secrets.flatMap((member) => {
      const reference = source[member];
      return reference === undefined ? [] : validateSecretReference(reference, `${path}.${member}`);
    }),
  ];
}
