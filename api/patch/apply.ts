// Server-side apply. A configuration states fields; the applier owns what it states, gives up what it stated before and no longer
// does (which is removed unless another manager owns it, by apply or by update), and may change what others own only by force.
//
// Steps, as upstream's updater: merge the configuration into the live object; prune; see which owners lose fields; refuse or take.
import type { Json, JsonObject, KubeObject } from '../meta/object.ts';
import { ApiError, badRequest, type StatusCause } from '../meta/status.ts';
import { timeText } from '../meta/time-text.ts';
import { fieldChanges } from './field-changes.ts';
import { difference, emptySet, type FieldNode, hasPath, intersection, isEmptySet, pathsOf, union } from './field-set.ts';
import type { StructShape } from './field-shape.ts';
import { pathText } from './field-text.ts';
import { goJson } from './go-json.ts';
import { cloneJson, equalJson, isObject } from './json-object.ts';
import { type ApplyWrite, type CompareAt, releaseFields } from './managed-fields.ts';
import { managerIdentity, type Owner, ownerId, type Owners, toEntries } from './owners.ts';
import type { ResetFilter } from './reset-fields.ts';
import { typeProblems } from './typed-check.ts';
import { mergeTyped, removeFields, statedFields, withNamedFields, withoutNulls } from './typed-merge.ts';

/** Where kubectl's client-side apply keeps what it applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Annotations larger than this together are refused, so the last-applied one is dropped then. */
const maxAnnotationBytes = 256 * 1024;

interface ApplyContext extends ApplyWrite {
  readonly shape: StructShape;
  readonly apiVersion: string;
  readonly kind: string;
  readonly filter: ResetFilter;
  /** False for versions that are served no more: what was applied through them is not given up, and what they own protects nothing. */
  readonly isServed: (apiVersion: string) => boolean;
  /** What differs between the two forms, at each owner's version. Own-version owners see `after`, the others what becomes of it. */
  readonly compare: (before: KubeObject | undefined, after: KubeObject, stored: KubeObject) => CompareAt;
}

/** A field of the configuration that another manager owns with another value. */
interface Conflict {
  readonly owner: Owner;
  readonly path: readonly string[];
}

class ApplyConflicts extends Error {
  override readonly name = 'ApplyConflicts';
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('apply conflicts');
    this.conflicts = conflicts;
  }
}

/** Applies `config` to `previous`, whose owners are given, and answers the new object with its managedFields. */
export function applyConfig(config: JsonObject, previous: KubeObject | undefined, owners: Owners, context: ApplyContext): KubeObject {
  checkConfig(config, context);
  try {
    return applyWith(context.force);
  } catch (error) {
    if (!(error instanceof ApplyConflicts)) throw error;
    // kubectl moving from client-side to server-side apply owns what it applied last, whatever the name it did so under.
    const allowed = context.manager === 'kubectl' ? lastAppliedFields(previous, context) : undefined;
    const left = allowed === undefined ? error.conflicts : error.conflicts.filter(({ path }) => !hasPath(allowed, path));
    if (left.length > 0) throw conflictError(left);
    return applyWith(true);
  }

  function applyWith(force: boolean): KubeObject {
    const table = new Map(owners);
    const { object, hasChanged } = merge(config, previous, table, { ...context, force });
    if (hasChanged) touch(table, context);
    if (context.manager === 'kubectl') renewLastApplied(object, config);
    const entries = toEntries(table);
    if (entries === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = entries;
    return object;
  }
}

function checkConfig(config: JsonObject, { apiVersion, kind, shape }: ApplyContext): void {
  const [given, givenKind] = [textOf(config['apiVersion']), textOf(config['kind'])];
  if (given !== apiVersion || givenKind !== kind) throw badRequest(`invalid object type: ${kindText(given, givenKind)}`);
  const meta = config['metadata'];
  if (isObject(meta) && meta['managedFields'] !== undefined && meta['managedFields'] !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const problems = typeProblems(shape, config);
  if (problems === '') return;
  const name = isObject(meta) ? textOf(meta['name']) : '';
  const namespace = isObject(meta) ? textOf(meta['namespace']) : '';
  throw new ApiError({
    reason: '',
    code: 500,
    message: `failed to create typed patch object (${namespace}/${name}; ${kindText(apiVersion, kind)}): ${problems}`,
  });
}

/** As Go prints a GroupVersionKind: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
function kindText(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
}

/** Merges, prunes and settles who owns what. Changes the table in place; throws ApplyConflicts. */
function merge(
  config: JsonObject,
  previous: KubeObject | undefined,
  table: Owners,
  context: ApplyContext,
): { object: KubeObject; hasChanged: boolean } {
  const { shape, filter = asItIs } = context;
  const live = withoutOwnership(previous);
  const id = applierId(context);
  const before = table.get(id);
  const last = before !== undefined && context.isServed(before.apiVersion) ? before.fields : emptySet;
  const stated = filter(statedFields(shape, config));
  table.set(id, applier(context, stated, before?.time));
  const merged = mergeTyped(shape, live, config) as JsonObject;
  const owned = union(ownedFields(table, context), filter(statedFields(shape, config, 'all')));
  const pruned = isEmptySet(last) ? merged : prune(shape, merged, last, owned);
  const next = withoutNulls(pruned) as JsonObject;

  const object = asObject(cloneJson(next));
  // What lost all its fields is null as yet, which is not gone: its owners keep it.
  const compare = context.compare(asObject(live), asObject(pruned as JsonObject), object);
  const conflicts = conflictsOf(table, id, compare);
  if (!context.force && conflicts.length > 0) throw new ApplyConflicts(conflicts);
  releaseFields(table, compare, id);
  if (isEmptySet(stated)) table.delete(id);
  return { object, hasChanged: !equalJson(live, next) };
}

/** Takes out what the applier stated before and states no more. What others own stays, whether they applied it or set it. */
function prune(shape: StructShape, merged: JsonObject, last: FieldNode, owned: FieldNode): Json {
  const named = (set: FieldNode): FieldNode => withNamedFields(shape, set);
  const fieldsOf = (value: Json): FieldNode => (isObject(value) ? statedFields(shape, value, 'all') : emptySet);
  const mergedSet = named(fieldsOf(merged));
  const first = removeFields(shape, merged, named(last));
  const kept = union(named(fieldsOf(first)), named(owned));
  const second = removeFields(shape, merged, difference(mergedSet, kept));
  return removeFields(shape, merged, intersection(difference(mergedSet, named(fieldsOf(second))), named(last)));
}

function asItIs(set: FieldNode): FieldNode {
  return set;
}

/** All owned fields; those of managers of other versions count by the same paths. */
function ownedFields(table: Owners, { isServed }: ApplyContext): FieldNode {
  let fields = emptySet;
  for (const owner of table.values()) if (isServed(owner.apiVersion)) fields = union(fields, owner.fields);
  return fields;
}

function conflictsOf(table: Owners, applierKey: string, compare: CompareAt): Conflict[] {
  const conflicts: Conflict[] = [];
  const others = [...table].filter(([id]) => id !== applierKey).map(([, owner]) => owner);
  for (const owner of others.sort((left, right) => (managerIdentity(left) < managerIdentity(right) ? -1 : 1))) {
    const changes = compare(owner.apiVersion);
    if (changes === undefined) continue;
    for (const path of pathsOf(intersection(owner.fields, changes.changed))) conflicts.push({ owner, path });
  }
  return conflicts;
}

/** The 409 answer that names every conflict. */
function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes: StatusCause[] = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(owner)}`,
    field: pathText(path),
  }));
  return new ApiError({ reason: 'Conflict', message: conflictMessage(conflicts), details: { causes } });
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first.owner)}: ${pathText(first.path)}`;
  }
  const lines: string[] = [];
  let last: Owner | undefined;
  for (const { owner, path } of conflicts) {
    if (owner !== last) lines.push(`conflicts with ${managerText(owner)}:`);
    last = owner;
    lines.push(`- ${pathText(path)}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function managerText({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = `${JSON.stringify(manager)}${subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`}`;
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** Fields that client-side apply set last and that still have those values; undefined where there is no usable record. */
function lastAppliedFields(previous: KubeObject | undefined, { shape, apiVersion }: ApplyContext): FieldNode | undefined {
  const text = previous?.metadata.annotations?.[lastAppliedAnnotation];
  if (text === undefined || text === '') return undefined;
  let last: Json;
  try {
    last = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  if (!isObject(last) || last['apiVersion'] !== apiVersion || typeProblems(shape, last) !== '') return undefined;
  const { changed, removed } = fieldChanges(shape, last, withoutOwnership(previous));
  return difference(difference(statedFields(shape, last), changed), removed);
}

/** Keeps kubectl's client-side record in step, where there is one. */
function renewLastApplied(object: KubeObject, config: JsonObject): void {
  const annotations = object.metadata.annotations;
  if (!annotations?.[lastAppliedAnnotation]) return;
  const record = cloneJson(config);
  const meta = record['metadata'];
  const recorded = isObject(meta) ? meta['annotations'] : undefined;
  if (isObject(recorded)) delete recorded[lastAppliedAnnotation];
  annotations[lastAppliedAnnotation] = `${goJson(record)}\n`;
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > maxAnnotationBytes) delete annotations[lastAppliedAnnotation];
}

function applier({ manager, apiVersion, subresource }: ApplyContext, fields: FieldNode, time: string | undefined): Owner {
  return { manager: manager === '' ? 'unknown' : manager, operation: 'Apply', apiVersion, subresource, time, fields };
}

function applierId(context: ApplyContext): string {
  return ownerId(applier(context, emptySet, undefined));
}

function touch(table: Owners, context: ApplyContext): void {
  const id = applierId(context);
  const owner = table.get(id);
  if (owner !== undefined) table.set(id, { ...owner, time: timeText(context.nowMs) });
}

function withoutOwnership(object: KubeObject | undefined): JsonObject {
  if (object === undefined) return {};
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as JsonObject;
}

function asObject(value: JsonObject): KubeObject {
  if (!isObject(value['metadata'])) value['metadata'] = {};
  return value as unknown as KubeObject;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
