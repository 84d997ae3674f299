// Validation of a pod's volumes: names, and one source each.
import type { V1Volume } from '#api/generated/types.ts';
import { invalidEach, oneOf } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, required } from '../../meta/field-problem.ts';
import { dnsSubdomainProblems } from '../../meta/names.ts';
import { Problems } from '../../meta/problems.ts';
import { signOfQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateClaimTemplate } from '../persistent-volume-claim/spec.ts';
import { validateDriverName } from '../volume/csi-references.ts';
import { validateIscsi, validateIscsiVolumeName } from '../volume/iscsi.ts';
import { requireMembers, type SourceRule, validateOneSource } from '../volume/source-rules.ts';
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
import { validateRelativePath } from './paths.ts';
import type { VolumeNames } from './volume-mounts.ts';
import { checkDownwardFiles, checkProjected, validateConfigFiles } from './volume-files.ts';

type Volume = Unchecked<V1Volume>;

/** Whose volumes they are: a pod's, by its name, or a template's. */
export type VolumeOwner = { readonly podName: string; readonly isMirror: boolean } | 'template';

/** Every kind of source, in the order in which upstream looks at them, and with its slips of the pen. */
const sourceRules: readonly SourceRule<Volume>[] = [
  { kind: 'emptyDir', check: ({ emptyDir }, path) => validateSizeLimit(emptyDir?.sizeLimit, `${path}.sizeLimit`) },
  { kind: 'hostPath', check: ({ hostPath }, path) => validateHostPath(hostPath, path) },
  { kind: 'gitRepo', check: validateGitRepo },
  {
    kind: 'gcePersistentDisk',
    calledAs: 'persistentDisk',
    check: ({ gcePersistentDisk }, path) => validateGceDisk(gcePersistentDisk, path),
  },
  { kind: 'awsElasticBlockStore', check: ({ awsElasticBlockStore }, path) => validateAwsDisk(awsElasticBlockStore, path) },
  { kind: 'secret', check: ({ secret = {} }, path) => validateConfigFiles(secret, secret.secretName, 'secretName', path) },
  { kind: 'nfs', check: ({ nfs }, path) => validateNfs(nfs, path) },
  { kind: 'iscsi', check: ({ iscsi }, path) => validateIscsi(iscsi ?? {}, path) },
  { kind: 'glusterfs', check: ({ glusterfs }, path) => requireMembers(glusterfs, path, ['endpoints', 'path']) },
  { kind: 'flocker', check: ({ flocker }, path) => validateFlocker(flocker, path) },
  { kind: 'persistentVolumeClaim', check: ({ persistentVolumeClaim }, path) => requireMembers(persistentVolumeClaim, path, ['claimName']) },
  { kind: 'rbd', check: ({ rbd }, path) => requireMembers(rbd, path, ['monitors', 'image']) },
  { kind: 'cinder', check: ({ cinder }, path) => [...requireMembers(cinder, path, ['volumeID']), ...validateLocalSecret(cinder, path)] },
  { kind: 'cephfs', clashesAs: 'cephFS', check: ({ cephfs }, path) => requireMembers(cephfs, path, ['monitors']) },
  { kind: 'quobyte', check: ({ quobyte }, path) => validateQuobyte(quobyte, path) },
  {
    kind: 'downwardAPI',
    clashesAs: 'downwarAPI',
    check: ({ downwardAPI }, path) => Problems.of(path, downwardAPI ?? {}, checkDownwardFiles),
  },
  { kind: 'fc', check: ({ fc }, path) => validateFibreChannel(fc, path) },
  { kind: 'flexVolume', check: ({ flexVolume }, path) => validateFlex(flexVolume, path) },
  { kind: 'configMap', check: ({ configMap = {} }, path) => validateConfigFiles(configMap, configMap.name, 'name', path) },
  { kind: 'azureFile', check: ({ azureFile }, path) => requireMembers(azureFile, path, ['secretName', 'shareName']) },
  { kind: 'vsphereVolume', check: ({ vsphereVolume }, path) => requireMembers(vsphereVolume, path, ['volumePath']) },
  { kind: 'photonPersistentDisk', check: ({ photonPersistentDisk }, path) => requireMembers(photonPersistentDisk, path, ['pdID']) },
  { kind: 'portworxVolume', check: ({ portworxVolume }, path) => requireMembers(portworxVolume, path, ['volumeID']) },
  { kind: 'azureDisk', check: ({ azureDisk }, path) => validateAzureDisk(azureDisk, path) },
  {
    kind: 'storageos',
    check: ({ storageos }, path) => [...validateStorageOsNames(storageos, path), ...validateLocalSecret(storageos, path)],
  },
  { kind: 'projected', check: ({ projected }, path) => Problems.of(path, projected ?? {}, checkProjected) },
  { kind: 'scaleIO', check: ({ scaleIO }, path) => requireMembers(scaleIO, path, ['gateway', 'system', 'volumeName']) },
  { kind: 'csi', check: validateCsi },
  { kind: 'ephemeral', check: validateEphemeral },
  { kind: 'image', check: ({ image }, path) => oneOf(`${path}.pullPolicy`, image?.pullPolicy, ['Always', 'IfNotPresent', 'Never']) },
];

interface VolumeContext {
  readonly owner: VolumeOwner;
  /** Claims that the pod's ephemeral volumes will have. */
  readonly ownClaims: ReadonlySet<string>;
  /** As `VolumeNames`; what is known so far. */
  readonly names: Map<string, boolean>;
}

/** Answers the names of the volumes without problems: mounts of others are not found, as upstream has it. */
export function checkVolumes(volumes: readonly Volume[], at: Problems, owner: VolumeOwner): VolumeNames {
  const names = new Map<string, boolean>();
  const ownClaims = volumes.some(({ ephemeral }) => ephemeral !== undefined) ? claimsOf(volumes, owner) : noClaims;
  at.each('volumes', volumes, checkVolume, { owner, ownClaims, names });
  return names;
}

const noClaims: ReadonlySet<string> = new Set();

function claimsOf(volumes: readonly Volume[], owner: VolumeOwner): ReadonlySet<string> {
  return new Set(volumes.flatMap((volume) => ownClaimName(volume, owner) ?? []));
}

function checkVolume(volume: Volume, at: Problems, { owner, ownClaims, names }: VolumeContext): void {
  const { name = '', persistentVolumeClaim, ephemeral } = volume;
  const before = at.found.length;
  at.addAll(validateOneSource(sourceRules, volume, at.path()));
  checkWithOwner(volume, at, owner);
  if (name === '') at.required('name');
  else at.dnsLabel('name', name);
  if (names.has(name)) at.duplicate('name', name);
  if (at.found.length === before) names.set(name, persistentVolumeClaim !== undefined || ephemeral !== undefined);
  const claimName = persistentVolumeClaim?.claimName ?? '';
  if (ownClaims.has(claimName)) {
    const text = 'must not reference a PVC that gets created for an ephemeral volume';
    at.invalid('persistentVolumeClaim.claimName', claimName, text);
  }
}

/** The claim that an ephemeral volume of a pod will have. */
function ownClaimName({ name = '', ephemeral }: Volume, owner: VolumeOwner): string | undefined {
  return ephemeral === undefined || owner === 'template' || owner.podName === '' ? undefined : `${owner.podName}-${name}`;
}

/** Rules that look at names, too. */
function checkWithOwner(volume: Volume, at: Problems, owner: VolumeOwner): void {
  const { name = '', iscsi, image } = volume;
  if (iscsi !== undefined) at.addAll(validateIscsiVolumeName(iscsi, name, at.path()));
  const claimName = name === '' ? undefined : ownClaimName(volume, owner);
  if (claimName !== undefined) {
    for (const text of dnsSubdomainProblems(claimName)) at.invalid('name', name, `PVC name ${JSON.stringify(claimName)}: ${text}`);
  }
  // Templates may leave the image to whoever makes pods of them.
  if (image !== undefined && !image.reference && owner !== 'template') at.required('image.reference');
}

function validateSizeLimit(sizeLimit: string | undefined, field: string): FieldProblem[] {
  if (sizeLimit === undefined || signOfQuantity(sizeLimit) >= 0) return [];
  return [forbiddenField(field, 'SizeLimit field must be a valid resource quantity')];
}

function validateGitRepo({ gitRepo }: Volume, path: string): FieldProblem[] {
  return [...requireMembers(gitRepo, path, ['repository']), ...validateRelativePath(`${path}.directory`, gitRepo?.directory ?? '')];
}

/** A Secret of the pod's namespace. */
function validateLocalSecret(
  source: { readonly secretRef?: { readonly name?: string | undefined } | undefined } | undefined,
  path: string,
): FieldProblem[] {
  return source?.secretRef === undefined ? [] : requireMembers(source.secretRef, `${path}.secretRef`, ['name']);
}

function validateCsi({ csi }: Volume, path: string): FieldProblem[] {
  const problems = validateDriverName(csi?.driver ?? '', `${path}.driver`);
  const secret = csi?.nodePublishSecretRef;
  if (secret === undefined) return problems;
  if (!secret.name) return [...problems, required(`${path}.nodePublishSecretRef.name`)];
  return [...problems, ...invalidEach(`${path}.name`, secret.name, dnsSubdomainProblems(secret.name))];
}

function validateEphemeral({ ephemeral }: Volume, path: string): FieldProblem[] {
  const field = `${path}.volumeClaimTemplate`;
  const template = ephemeral?.volumeClaimTemplate;
  return template === undefined ? [required(field)] : validateClaimTemplate(template, field);
}
