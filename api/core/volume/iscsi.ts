import type { V1ISCSIPersistentVolumeSource, V1ISCSIVolumeSource } from '#api/generated/types.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { byteLength } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { requireMembers } from './source-rules.ts';
import { validateLun } from './sources.ts';

type Iscsi = Unchecked<V1ISCSIVolumeSource & V1ISCSIPersistentVolumeSource>;

/** Qualified names of targets and initiators, by how they begin. Upstream's expressions, the unescaped dots included. */
const nameForms: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};
const formText = 'must be valid format';
const startText = 'must be valid format starting with iqn, eui, or naa';
const maxFolderBytes = 64;
const folderText = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

/** An iSCSI volume of a pod. */
export function validateIscsi(source: Iscsi, path: string): FieldProblem[] {
  return [
    ...requireMembers(source, path, ['targetPortal']),
    ...validateTarget(source, path, startText),
    ...validateInitiator(source.initiatorName, path, startText),
  ];
}

/** An iSCSI volume of a PersistentVolume. */
export function validatePersistentIscsi(source: Iscsi, volumeName: string, path: string): FieldProblem[] {
  const { targetPortal = '', secretRef } = source;
  const problems = requireMembers(source, path, ['targetPortal']);
  if (isFolderTooLong(source, volumeName)) problems.push(invalid(`${path}.targetportal`, targetPortal, folderText));
  problems.push(...validateTarget(source, path, formText));
  if (secretRef !== undefined) problems.push(...requireMembers(secretRef, `${path}.secretRef`, ['name']));
  return [...problems, ...validateInitiator(source.initiatorName, path, formText)];
}

/** The rule about a pod's volume name that has an iSCSI source; `path` is the volume's. */
export function validateIscsiVolumeName(source: Iscsi, volumeName: string, path: string): FieldProblem[] {
  return isFolderTooLong(source, volumeName) ? [invalid(`${path}.name`, volumeName, folderText)] : [];
}

function isFolderTooLong({ initiatorName, targetPortal = '' }: Iscsi, volumeName: string): boolean {
  return initiatorName !== undefined && byteLength(`${volumeName}:${targetPortal}`) > maxFolderBytes;
}

function validateTarget(source: Iscsi, path: string, unknownText: string): FieldProblem[] {
  const { iqn = '', lun = 0, chapAuthDiscovery, chapAuthSession, secretRef } = source;
  const problems: FieldProblem[] = [];
  if (iqn === '') problems.push(required(`${path}.iqn`));
  else problems.push(...validateQualifiedName(iqn, `${path}.iqn`, unknownText));
  problems.push(...validateLun(lun, path));
  const needsSecret = chapAuthDiscovery === true || chapAuthSession === true;
  if (needsSecret && secretRef === undefined) problems.push(required(`${path}.secretRef`));
  return problems;
}

function validateInitiator(name: string | undefined, path: string, unknownText: string): FieldProblem[] {
  return name === undefined ? [] : validateQualifiedName(name, `${path}.initiatorname`, unknownText);
}

function validateQualifiedName(name: string, field: string, unknownText: string): FieldProblem[] {
  const form = nameForms[name.slice(0, 3)];
  if (form === undefined) return [invalid(field, name, unknownText)];
  return form.test(name) ? [] : [invalid(field, name, formText)];
}
