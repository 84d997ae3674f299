// What the server does to an object between admission and validation, the same for every kind (upstream's rest.BeforeCreate and
// rest.BeforeUpdate). Changes objects in place; the previous object is only read.
import { randomUUID } from 'node:crypto';
import type { KindDefinition, WriteContext } from '#api/kind.ts';
import { equalValues } from '#api/meta/equality.ts';
import { invalidObject, newProblems } from '#api/meta/field-problem.ts';
import { apiVersionOf, type Json, type KubeObject, type ObjectMeta } from '#api/meta/object.ts';
import { validateObjectMetaUpdate } from '#api/meta/object-meta.ts';
import { equalJson } from '#api/patch/json-object.ts';
import { timeText } from '#api/meta/time-text.ts';
import { badRequest, forbidden } from '#api/meta/status.ts';
import { validateNew } from '#api/validate-new.ts';
import type { RequestContext } from './contract.ts';

/** What clients may leave out. */
export function setType(kind: KindDefinition, object: KubeObject): void {
  object.kind = kind.kind;
  object.apiVersion = apiVersionOf(kind);
}

/** Whether an update leaves everything as it is. */
export function isUnchanged(next: KubeObject, previous: KubeObject): boolean {
  return equalJson(next as unknown as Json, previous as unknown as Json);
}

/** Puts the object into the request's namespace, or takes it out of any for cluster-scoped kinds. Throws BadRequest. */
export function setNamespace(kind: KindDefinition, meta: ObjectMeta, namespace: string): void {
  if (kind.scope === 'cluster' || namespace === '') {
    delete meta.namespace;
  } else if (meta.namespace === undefined || meta.namespace === '') {
    meta.namespace = namespace;
  } else if (meta.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** Checks that the object is the one that the path names. Throws BadRequest. */
export function checkName(meta: ObjectMeta, name: string, namespace: string): void {
  const given = meta.name ?? '';
  if (given === '') throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (given !== name) throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  const givenNamespace = meta.namespace ?? '';
  if (namespace !== '' && givenNamespace !== '' && givenNamespace !== namespace) {
    throw badRequest(`the namespace of the object (${givenNamespace}) does not match the namespace on the request (${namespace})`);
  }
}

/** Takes away what only the server says about a new object. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.creationTimestamp;
  delete meta.uid;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

/** Says what only the server says about a new object. */
export function fillSystemFields(meta: ObjectMeta, nowMs: number): void {
  meta.creationTimestamp = timeText(nowMs);
  meta.uid = randomUUID();
}

/** The kind's own preparation and the generation of a new object. */
export function prepareCreate(kind: KindDefinition, object: KubeObject, context: WriteContext): void {
  if (kind.hasGeneration === true) object.metadata.generation = 1;
  kind.prepareCreate?.(object, context);
}

/** Carries over what an update may not change, and counts the generation. */
export function prepareUpdate(kind: KindDefinition, next: KubeObject, prev: KubeObject, context: WriteContext): void {
  const before = prev.metadata;
  carry(next.metadata, before, 'generation');
  isolateStatus(kind, next, prev, context.subresource);
  kind.prepareUpdate?.(next, prev, context);
  // Looked at only now: the kind may have put other metadata in its place.
  const meta = next.metadata;
  if (meta.uid === undefined || meta.uid === '') carry(meta, before, 'uid');
  carry(meta, before, 'creationTimestamp');
  if (before.deletionTimestamp !== undefined) meta.deletionTimestamp = before.deletionTimestamp;
  if (meta.deletionGracePeriodSeconds === undefined) carry(meta, before, 'deletionGracePeriodSeconds');
  // A status write may carry annotations (a Deployment's revision), and a binding sets the node, but neither requests anything.
  if (context.subresource !== 'status' && context.subresource !== 'binding' && bumpsGeneration(kind, next, prev))
    meta.generation = (before.generation ?? 0) + 1;
}

/** Throws Invalid when the new object breaks a rule. */
export function checkCreate(kind: KindDefinition, object: KubeObject, context: WriteContext): void {
  const problems = validateNew(kind, object, context);
  if (problems.length > 0) throw invalidObject(kind, object.metadata.name ?? '', problems);
  refuseNotYet(kind, object);
}

/** Throws Invalid when the update breaks a rule. */
export function checkUpdate(kind: KindDefinition, next: KubeObject, prev: KubeObject, context: WriteContext): void {
  const problems = [
    ...validateObjectMetaUpdate(next.metadata, prev.metadata),
    ...newProblems(kind.validate?.(next, context) ?? [], () => kind.validate?.(prev, context) ?? []),
    ...(kind.validateUpdate?.(next, prev, context) ?? []),
  ];
  if (problems.length > 0) throw invalidObject(kind, next.metadata.name ?? '', problems);
  refuseNotYet(kind, next);
}

/** What the client of a valid update should know. */
export function updateWarnings(kind: KindDefinition, next: KubeObject, prev: KubeObject, subresource: string): readonly string[] {
  return (subresource === 'status' ? kind.statusWarnings?.(next) : kind.warnings?.(next, prev)) ?? [];
}

/** A valid object may request what this server does not implement: that is rejected rather than ignored. */
function refuseNotYet(kind: KindDefinition, object: KubeObject): void {
  const why = kind.notYet?.(object);
  if (why === undefined) return;
  throw forbidden({ group: kind.group, plural: kind.names.plural }, object.metadata.name ?? '', `not supported by this server yet: ${why}`);
}

/** Drops owner references that repeat another, as upstream does, with its warning. */
export function dedupOwnerReferences(meta: ObjectMeta, warn: RequestContext['warn'], afterAdmission: boolean): void {
  const references = meta.ownerReferences;
  if (references === undefined || references.length < 2) return;
  const kept: typeof references = [];
  const known = new Set<string>();
  const repeated: string[] = [];
  for (const reference of references) {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = reference;
    const key = JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
    if (known.has(key)) repeated.push(uid);
    else kept.push(reference);
    known.add(key);
  }
  if (repeated.length === 0) return;
  meta.ownerReferences = kept;
  const when = afterAdmission ? ' after mutating admission happens' : '';
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  );
}

/** The object's endpoint (and a namespace's finalize) leaves the status alone; the status endpoint everything but status and metadata. */
function isolateStatus(kind: KindDefinition, next: KubeObject, prev: KubeObject, subresource: string): void {
  if (kind.subresources?.status !== true) return;
  if (subresource === '' || subresource === 'finalize') {
    carry(asRecord(next), asRecord(prev), 'status');
  } else if (subresource === 'status') {
    const record = asRecord(next);
    const before = asRecord(prev);
    for (const key of new Set([...Object.keys(record), ...Object.keys(before)])) {
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) carry(record, before, key);
    }
  }
}

function bumpsGeneration(kind: KindDefinition, next: KubeObject, prev: KubeObject): boolean {
  if (kind.bumpsGeneration !== undefined) return kind.bumpsGeneration(next, prev);
  if (kind.hasGeneration !== true) return false;
  const is = asRecord(next);
  const was = asRecord(prev);
  return [...new Set([...Object.keys(is), ...Object.keys(was)])].some(
    (key) => !['apiVersion', 'kind', 'metadata', 'status'].includes(key) && !equalValues(is[key], was[key]),
  );
}

function carry<T extends object>(to: T, from: T, key: keyof T): void {
  if (from[key] === undefined) delete to[key];
  else to[key] = from[key];
}

function asRecord(object: KubeObject): Record<string, unknown> {
  return object as unknown as Record<string, unknown>;
}
