// Rules of metadata that hold for every kind, on create and on update (apimachinery/pkg/api/validation/objectmeta.go).
import { addAll } from './add-all.ts';
import type { V1LabelSelector, V1ManagedFieldsEntry, V1OwnerReference } from '#api/generated/types.ts';
import { equalValues } from './equality.ts';
import { type FieldProblem, forbiddenField, invalid, required, tooLong } from './field-problem.ts';
import { selectorForm } from './go-form.ts';
import { byteLength, labelValueProblems, type NameCheck, nameIsDnsLabel, qualifiedNameProblems } from './names.ts';
import type { ObjectMeta } from './object.ts';
import type { Unchecked } from './unchecked.ts';

/** All annotations of an object together, keys and values. */
const annotationsLimitBytes = 256 * 1_024;
const managerLimitBytes = 128;
const subresourceLimitBytes = 256;
/** What Go's unicode.IsPrint refuses. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';
const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', orphanFinalizer, foregroundFinalizer]);

interface MetaRules {
  readonly namespaced: boolean;
  readonly checkName: NameCheck;
  /** True for custom resources, whose finalizers need no domain. */
  readonly anyFinalizer?: boolean;
}

/** Checks the metadata of a new object, after a name was generated. `path` is usually `metadata`. */
export function validateObjectMeta(meta: ObjectMeta, rules: MetaRules, path = 'metadata'): FieldProblem[] {
  const { namespaced, checkName, anyFinalizer = false } = rules;
  const { namespace = '', generation = 0, finalizers } = meta;
  const problems = validateNames(meta, checkName, path);
  if (!namespaced) {
    if (namespace !== '') problems.push(forbiddenField(`${path}.namespace`, 'not allowed on this type'));
  } else if (namespace === '') {
    problems.push(required(`${path}.namespace`));
  } else {
    for (const text of nameIsDnsLabel(namespace, false)) problems.push(invalid(`${path}.namespace`, namespace, text));
  }
  if (generation < 0) problems.push(invalid(`${path}.generation`, generation, 'must be greater than or equal to 0'));
  addAll(problems, validateSharedMeta(meta, path));
  if (finalizers === undefined) return problems;
  addAll(problems, validateFinalizers(finalizers, `${path}.finalizers`));
  if (!anyFinalizer) {
    finalizers.forEach((one, at) => addAll(problems, validateStandardFinalizer(one, `${path}.finalizers[${at}]`)));
  }
  return problems;
}

/** Checks only how the object is called, or will be. */
export function validateNames({ name = '', generateName = '' }: ObjectMeta, checkName: NameCheck, path = 'metadata'): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (generateName !== '') {
    for (const text of checkName(generateName, true)) problems.push(invalid(`${path}.generateName`, generateName, text));
  }
  if (name === '') problems.push(required(`${path}.name`, 'name or generateName is required'));
  else for (const text of checkName(name, false)) problems.push(invalid(`${path}.name`, name, text));
  return problems;
}

/** Checks what an update may do to metadata; the registry has filled in what clients may leave out. */
export function validateObjectMetaUpdate(next: ObjectMeta, prev: ObjectMeta, path = 'metadata'): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (prev.deletionTimestamp !== undefined) {
    const added = [...new Set(next.finalizers ?? [])].filter((one) => !(prev.finalizers ?? []).includes(one)).toSorted();
    if (added.length > 0) {
      const list = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`;
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      problems.push(forbiddenField(`${path}.finalizers`, text));
    }
  }
  if ((next.resourceVersion ?? '') === '') problems.push(invalid(`${path}.resourceVersion`, '', 'must be specified for an update'));
  if ((next.generation ?? 0) < (prev.generation ?? 0)) {
    problems.push(invalid(`${path}.generation`, next.generation ?? 0, 'must not be decremented'));
  }
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if ((next[field] ?? '') !== (prev[field] ?? '')) problems.push(invalid(`${path}.${field}`, next[field] ?? '', immutableText));
  }
  for (const field of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (next[field] !== prev[field]) problems.push(invalid(`${path}.${field}`, next[field], immutableText));
  }
  if (!equalValues(next.finalizers, prev.finalizers)) addAll(problems, validateFinalizers(next.finalizers ?? [], `${path}.finalizers`));
  return [...problems, ...validateSharedMeta(next, path)];
}

/** `field is immutable`. */
export const immutableText = 'field is immutable';

/** One problem where the value changed, none otherwise. */
export function validateImmutable(next: unknown, prev: unknown, field: string): FieldProblem[] {
  return equalValues(next, prev) ? [] : [invalid(field, next, immutableText)];
}

/** As `validateImmutable`, for label selectors. */
export function validateSelectorUpdate(
  next: V1LabelSelector | undefined,
  prev: V1LabelSelector | undefined,
  field = 'spec.selector',
): FieldProblem[] {
  return equalValues(next, prev) ? [] : [invalid(field, next && selectorForm(next), immutableText)];
}

/** For kinds whose status endpoint leaves metadata alone (metav1.ResetObjectMetaForStatus). Changes `next` in place. */
export function keepMetaInStatus(next: ObjectMeta, prev: ObjectMeta): void {
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    if (prev[field] === undefined) delete next[field];
    else Object.assign(next, { [field]: prev[field] });
  }
}

function validateSharedMeta({ labels, annotations, ownerReferences, managedFields }: ObjectMeta, path: string): FieldProblem[] {
  const problems = validateLabels(labels, `${path}.labels`);
  if (annotations !== undefined) addAll(problems, validateAnnotations(annotations, `${path}.annotations`));
  if (ownerReferences !== undefined) addAll(problems, validateOwnerReferences(ownerReferences, `${path}.ownerReferences`));
  managedFields?.forEach((entry, at) => addAll(problems, validateManagedFields(entry, `${path}.managedFields[${at}]`)));
  return problems;
}

/** Keys and values of labels, also of selectors and node selectors. */
export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (labels === undefined) return problems;
  for (const key of Object.keys(labels)) {
    const value = labels[key] ?? '';
    for (const text of qualifiedNameProblems(key)) problems.push(invalid(path, key, text));
    for (const text of labelValueProblems(value)) problems.push(invalid(path, value, text));
  }
  return problems;
}

/** Keys (case does not matter) and the size of all annotations. */
export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const text of qualifiedNameProblems(key.toLowerCase())) problems.push(invalid(path, key, text));
    sizeBytes += byteLength(key) + byteLength(value);
  }
  if (sizeBytes > annotationsLimitBytes) problems.push(tooLong(path, annotationsLimitBytes));
  return problems;
}

function validateOwnerReferences(references: readonly V1OwnerReference[], path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  let controller = '';
  for (const reference of references) {
    addAll(problems, validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const current = `${reference.kind}/${reference.name}`;
    if (controller === '') {
      controller = current;
    } else {
      const found = `Found "true" in references for ${controller} and ${current}`;
      problems.push(invalid(path, references.map(referenceForm), `Only one reference can have Controller set to true. ${found}`));
    }
  }
  return problems;
}

function validateOwnerReference(reference: Unchecked<V1OwnerReference>, path: string): FieldProblem[] {
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
  const problems: FieldProblem[] = [];
  const parts = apiVersion.split('/');
  // What cannot be read has no version either.
  if (parts.length > 2 || parts.at(-1) === '') problems.push(invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'));
  if (kind === '') problems.push(invalid(`${path}.kind`, kind, 'must not be empty'));
  if (name === '') problems.push(invalid(`${path}.name`, name, 'must not be empty'));
  if (uid === '') problems.push(invalid(`${path}.uid`, uid, 'must not be empty'));
  if (apiVersion === 'v1' && kind === 'Event') {
    problems.push(invalid(path, referenceForm(reference), '/v1, Kind=Event is disallowed from being an owner'));
  }
  return problems;
}

/** In the order of Go's type. */
function referenceForm({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: Unchecked<V1OwnerReference>): object {
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion };
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldProblem[] {
  const problems = finalizers.flatMap((one) => qualifiedNameProblems(one).map((text) => invalid(path, one, text)));
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    problems.push(invalid(path, finalizers, `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`));
  }
  return problems;
}

/** Finalizers without a domain must be Kubernetes' own. */
export function validateStandardFinalizer(finalizer: string, field: string): FieldProblem[] {
  if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return [];
  return [invalid(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')];
}

function validateManagedFields(entry: V1ManagedFieldsEntry, path: string): FieldProblem[] {
  const { operation = '', fieldsType = '', manager = '', subresource = '' } = entry;
  const problems: FieldProblem[] = [];
  if (operation !== 'Apply' && operation !== 'Update') {
    problems.push(invalid(`${path}.operation`, operation, 'must be `Apply` or `Update`'));
  }
  if (fieldsType !== '' && fieldsType !== 'FieldsV1') problems.push(invalid(`${path}.fieldsType`, fieldsType, 'must be `FieldsV1`'));
  addAll(problems, validateFieldManager(manager, `${path}.manager`));
  if (byteLength(subresource) > subresourceLimitBytes) problems.push(tooLong(`${path}.subresource`, subresourceLimitBytes));
  return problems;
}

/** The name of a field manager, in managedFields and in the query parameter. */
export function validateFieldManager(manager: string, path: string): FieldProblem[] {
  if (manager === '') return [];
  const problems = byteLength(manager) > managerLimitBytes ? [tooLong(path, managerLimitBytes)] : [];
  for (const found of manager.matchAll(unprintable)) {
    const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const at = byteLength(manager.slice(0, found.index));
    problems.push(invalid(path, manager, `invalid character U+${code} (at position ${at})`));
  }
  return problems;
}
