// Validation of a pod's volumes: names, and one source each.
import type { V1Volume } from '#api/generated/types.ts';
import { dnsLabel, oneOf, oneOfIfSet } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { signOfQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateNoBacksteps, validateRelativePath } from './paths.ts';
import type { VolumeNames } from './volume-mounts.ts';
import { validateConfigFiles, validateDownwardFiles, validateProjected } from './volume-files.ts';

type Volume = Unchecked<V1Volume>;
type SourceCheck = (volume: Volume, path: string) => FieldProblem[];

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

/** Requires the named members of a source. */
function needs(kind: keyof V1Volume, ...members: string[]): SourceCheck {
  return (volume, path) => {
    const source = volume[kind] as Readonly<Record<string, unknown>>;
    return members.filter((member) => !source[member]).map((member) => required(`${path}.${member}`));
  };
}

/** Every kind of source, in the order in which upstream looks at them. */
const sourceChecks: readonly [keyof V1Volume, SourceCheck][] = [
  ['emptyDir', ({ emptyDir }, path) => validateSizeLimit(emptyDir?.sizeLimit, `${path}.sizeLimit`)],
  ['hostPath', validateHostPath],
  ['gitRepo', validateGitRepo],
  ['gcePersistentDisk', needs('gcePersistentDisk', 'pdName')],
  ['awsElasticBlockStore', needs('awsElasticBlockStore', 'volumeID')],
  ['secret', ({ secret }, path) => validateConfigFiles('secretName', secret?.secretName, secret ?? {}, path)],
  ['nfs', validateNfs],
  ['iscsi', needs('iscsi', 'targetPortal', 'iqn')],
  ['glusterfs', needs('glusterfs', 'endpoints', 'path')],
  ['flocker', () => []],
  ['persistentVolumeClaim', needs('persistentVolumeClaim', 'claimName')],
  ['rbd', needs('rbd', 'monitors', 'image')],
  ['cinder', needs('cinder', 'volumeID')],
  ['cephfs', needs('cephfs', 'monitors')],
  ['quobyte', needs('quobyte', 'registry', 'volume')],
  ['downwardAPI', ({ downwardAPI }, path) => validateDownwardFiles(downwardAPI ?? {}, path)],
  ['fc', () => []],
  ['flexVolume', needs('flexVolume', 'driver')],
  ['configMap', ({ configMap }, path) => validateConfigFiles('name', configMap?.name, configMap ?? {}, path)],
  ['azureFile', needs('azureFile', 'secretName', 'shareName')],
  ['vsphereVolume', needs('vsphereVolume', 'volumePath')],
  ['photonPersistentDisk', needs('photonPersistentDisk', 'pdID')],
  ['portworxVolume', needs('portworxVolume', 'volumeID')],
  ['azureDisk', needs('azureDisk', 'diskName', 'diskURI')],
  ['storageos', () => []],
  ['projected', ({ projected }, path) => validateProjected(projected ?? {}, path)],
  ['scaleIO', needs('scaleIO', 'gateway', 'system', 'volumeName')],
  ['csi', needs('csi', 'driver')],
  ['ephemeral', needs('ephemeral', 'volumeClaimTemplate')],
  ['image', validateImage],
];

/** Problems, and the names of the volumes that have none: mounts of others are not found, as upstream has it. */
export function validateVolumes(volumes: readonly Volume[], path: string): { problems: FieldProblem[]; names: VolumeNames } {
  const names = new Map<string, { isClaim: boolean }>();
  const problems: FieldProblem[] = [];
  volumes.forEach((volume, at) => {
    const own = `${path}[${at}]`;
    const { name = '' } = volume;
    const found = validateSource(volume, own);
    if (name === '') found.push(required(`${own}.name`));
    else found.push(...dnsLabel(`${own}.name`, name));
    if (names.has(name)) found.push(duplicate(`${own}.name`, name));
    if (found.length > 0) problems.push(...found);
    else names.set(name, { isClaim: volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined });
  });
  return { problems, names };
}

function validateSource(volume: Volume, path: string): FieldProblem[] {
  const given = sourceChecks.filter(([kind]) => volume[kind] !== undefined);
  if (given.length === 0) return [required(path, 'must specify a volume type')];
  return given.flatMap(([kind, check], at) =>
    at === 0 ? check(volume, `${path}.${kind}`) : [forbiddenField(`${path}.${kind}`, 'may not specify more than 1 volume type')],
  );
}

function validateSizeLimit(sizeLimit: string | undefined, field: string): FieldProblem[] {
  if (sizeLimit === undefined || signOfQuantity(sizeLimit) >= 0) return [];
  return [forbiddenField(field, 'SizeLimit field must be a valid resource quantity')];
}

function validateHostPath({ hostPath }: Volume, path: string): FieldProblem[] {
  const { path: hostDir = '', type } = hostPath ?? {};
  if (hostDir === '') return [required(`${path}.path`)];
  return [...validateNoBacksteps(`${path}.path`, hostDir), ...oneOfIfSet(`${path}.type`, type, hostPathTypes)];
}

function validateGitRepo({ gitRepo }: Volume, path: string): FieldProblem[] {
  return [
    ...(gitRepo?.repository ? [] : [required(`${path}.repository`)]),
    ...validateRelativePath(`${path}.directory`, gitRepo?.directory ?? ''),
  ];
}

function validateNfs({ nfs }: Volume, path: string): FieldProblem[] {
  const { server = '', path: remote = '' } = nfs ?? {};
  const problems = server === '' ? [required(`${path}.server`)] : [];
  if (remote === '') problems.push(required(`${path}.path`));
  if (!remote.startsWith('/')) problems.push(invalid(`${path}.path`, remote, 'must be an absolute path'));
  return problems;
}

function validateImage({ image }: Volume, path: string): FieldProblem[] {
  return [
    ...(image?.reference ? [] : [required(`${path}.reference`)]),
    ...oneOf(`${path}.pullPolicy`, image?.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
  ];
}
