// How volumes may be used, and the class that they belong to: what claims and PersistentVolumes have in common.
import { invalidEach, oneOfIfSet } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, notSupported } from '../../meta/field-problem.ts';
import { nameIsDnsSubdomain } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';

/** Named the class of claims and volumes before there was a field for it, and still counts. */
export const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const shortModes = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
const volumeModes = ['Block', 'Filesystem'];

/** Whether the list is there at all is for the caller to say. */
export function validateAccessModes(modes: readonly string[], field: string): FieldProblem[] {
  const problems = modes.filter((mode) => !accessModes.includes(mode)).map((mode) => notSupported(field, mode, accessModes));
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others) {
    problems.push(forbiddenField(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return problems;
}

export function validateVolumeMode(mode: string | undefined, field: string): FieldProblem[] {
  return oneOfIfSet(field, mode, volumeModes);
}

/** The name of a StorageClass or VolumeAttributesClass. */
export function validateClassName(name: string, field: string): FieldProblem[] {
  return invalidEach(field, name, nameIsDnsSubdomain(name, false));
}

/** `RWO,ROX`: each once, in upstream's order. */
export function accessModesText(modes: readonly string[] = []): string {
  return Object.entries(shortModes)
    .filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

/** The StorageClass that a claim or a volume is of; '' for none. */
export function storageClassOf({ metadata, spec }: KubeObject & { spec?: { storageClassName?: string } }): string {
  return metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '';
}

/** A warning where the class is named the old way. */
export function classAnnotationWarnings({ metadata }: KubeObject): string[] {
  if (metadata.annotations?.[classAnnotation] === undefined) return [];
  return [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`];
}
