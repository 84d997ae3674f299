// Types of volumes that pods and PersistentVolumes share, field for field or nearly so.
import type {
  V1AWSElasticBlockStoreVolumeSource,
  V1AzureDiskVolumeSource,
  V1FCVolumeSource,
  V1FlockerVolumeSource,
  V1GCEPersistentDiskVolumeSource,
  V1HostPathVolumeSource,
  V1NFSVolumeSource,
  V1QuobyteVolumeSource,
} from '#api/generated/types.ts';
import { dnsLabel, oneOfIfSet } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { byteLength, inclusiveRangeText } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateNoBacksteps } from '../pod/paths.ts';
import { requireMembers } from './source-rules.ts';

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];
const managedDiskUri = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDiskUri = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';
const hostPortText = 'must be a host:port pair or multiple pairs separated by commas';
const maxTenantBytes = 64;
const maxLun = 255;

/** A source as it was decoded, or none. */
type Given<Source> = Unchecked<Source> | undefined;

export function validateHostPath(source: Given<V1HostPathVolumeSource>, path: string): FieldProblem[] {
  const { path: folder = '', type } = source ?? {};
  if (folder === '') return [required(`${path}.path`)];
  return [...validateNoBacksteps(`${path}.path`, folder), ...oneOfIfSet(`${path}.type`, type, hostPathTypes)];
}

export function validateNfs(source: Given<V1NFSVolumeSource>, path: string): FieldProblem[] {
  const { path: folder = '' } = source ?? {};
  const problems = requireMembers(source, path, ['server', 'path']);
  if (!folder.startsWith('/')) problems.push(invalid(`${path}.path`, folder, 'must be an absolute path'));
  return problems;
}

export function validateGceDisk(source: Given<V1GCEPersistentDiskVolumeSource>, path: string): FieldProblem[] {
  return [...requireMembers(source, path, ['pdName']), ...validatePartition(source?.partition, path)];
}

export function validateAwsDisk(source: Given<V1AWSElasticBlockStoreVolumeSource>, path: string): FieldProblem[] {
  return [...requireMembers(source, path, ['volumeID']), ...validatePartition(source?.partition, path)];
}

/** None is fine, whatever the text says. */
function validatePartition(partition: number | undefined, path: string): FieldProblem[] {
  if (partition === undefined || (partition >= 0 && partition <= 255)) return [];
  return [invalid(`${path}.partition`, partition, inclusiveRangeText(1, 255))];
}

export function validateFlocker(source: Given<V1FlockerVolumeSource>, path: string): FieldProblem[] {
  const { datasetName = '', datasetUUID = '' } = source ?? {};
  const problems: FieldProblem[] = [];
  if (datasetName === '' && datasetUUID === '') problems.push(required(path, 'one of datasetName and datasetUUID is required'));
  if (datasetName !== '' && datasetUUID !== '') {
    problems.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (datasetName.includes('/')) problems.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  return problems;
}

export function validateQuobyte(source: Given<V1QuobyteVolumeSource>, path: string): FieldProblem[] {
  const { registry = '', tenant = '' } = source ?? {};
  const problems: FieldProblem[] = [];
  if (registry === '') problems.push(required(`${path}.registry`, hostPortText));
  else if (byteLength(tenant) > maxTenantBytes) {
    problems.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    for (const pair of registry.split(',')) {
      if (!isHostPort(pair)) problems.push(invalid(`${path}.registry`, registry, hostPortText));
    }
  }
  return [...problems, ...requireMembers(source, path, ['volume'])];
}

/** What Go's net.SplitHostPort takes: a colon before the port, and addresses that hold colons in brackets. */
function isHostPort(text: string): boolean {
  return /^(?:\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text);
}

export function validateFibreChannel(source: Given<V1FCVolumeSource>, path: string): FieldProblem[] {
  const { targetWWNs = [], wwids = [], lun } = source ?? {};
  const problems: FieldProblem[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0) {
    problems.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    problems.push(invalid(`${path}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (targetWWNs.length === 0) return problems;
  if (lun === undefined) problems.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  else problems.push(...validateLun(lun, path));
  return problems;
}

/** The number of a unit behind a target. */
export function validateLun(lun: number, path: string): FieldProblem[] {
  return lun >= 0 && lun <= maxLun ? [] : [invalid(`${path}.lun`, lun, inclusiveRangeText(0, maxLun))];
}

export function validateAzureDisk(source: Given<V1AzureDiskVolumeSource>, path: string): FieldProblem[] {
  const { diskURI = '', cachingMode, kind } = source ?? {};
  const problems = requireMembers(source, path, ['diskName', 'diskURI']);
  problems.push(...oneOfIfSet(`${path}.cachingMode`, cachingMode, ['None', 'ReadOnly', 'ReadWrite']));
  problems.push(...oneOfIfSet(`${path}.kind`, kind, ['Dedicated', 'Managed', 'Shared']));
  if (kind === undefined) return problems;
  const [start, form] = kind === 'Managed' ? ['/subscriptions/', managedDiskUri] : ['https://', blobDiskUri];
  if (!diskURI.startsWith(start)) problems.push(notSupported(`${path}.diskURI`, diskURI, [form]));
  return problems;
}

/** Options of a FlexVolume may not look like Kubernetes' own. */
export function validateFlex(
  source: { readonly driver?: string | undefined; readonly options?: object | undefined } | undefined,
  path: string,
): FieldProblem[] {
  const reserved = Object.keys(source?.options ?? {}).filter((key) => {
    const domain = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
    return domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io');
  });
  return [
    ...requireMembers(source, path, ['driver']),
    ...reserved.map((key) => invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved')),
  ];
}

/** The names in a StorageOS volume; its Secret is for the caller to judge. */
export function validateStorageOsNames(
  source: { readonly volumeName?: string | undefined; readonly volumeNamespace?: string | undefined } | undefined,
  path: string,
): FieldProblem[] {
  const { volumeName = '', volumeNamespace = '' } = source ?? {};
  return [
    ...(volumeName === '' ? [required(`${path}.volumeName`)] : dnsLabel(`${path}.volumeName`, volumeName)),
    ...(volumeNamespace === '' ? [] : dnsLabel(`${path}.volumeNamespace`, volumeNamespace)),
  ];
}
