// Who owns which fields of an object: metadata.managedFields, kept from the first write on, as upstream's field manager keeps it.
//
// The registry makes one Ownership for each kind (it compiles the schema) and calls it inside every attempt of a guarded write:
//
//   const fields = ownership({ schema, apiVersion: 'v1', kind: 'Pod', ignored: { '': ['status'], status: ['spec'] } });
//   fields.onUpdate(next, previous, { manager, subresource, nowMs });        // create (previous undefined), PUT, JSON/merge/strategic patch
//   const next = fields.onApply(config, previous, { manager, subresource, nowMs, force });  // server-side apply, also when it creates
//   keepTimesWhenUnchanged(next, previous);                                  // last before comparing with the stored bytes
//
// `onUpdate` comes once for each attempt, after decoding and defaulting and before mutating admission: no manager owns what admission
// adds, as upstream. It reads what the client sent in next.metadata.managedFields and replaces it. `manager` is
// managerName(fieldManager parameter, User-Agent header); apply needs the parameter. `ignored` lists what an endpoint resets, by
// sub-resource ('' is the object): fields that a write there cannot own. Objects are plain JSON; `previous` is never changed, and
// what `onApply` gives shares nothing with it that is written later. Its result still has to be decoded and defaulted.
import type { Json, JsonObject, KubeObject } from '../meta/object.ts';
import { timeText } from '../meta/time-text.ts';
import type { ObjectSchema } from '../schema/schema.ts';
import { applyConfig } from './apply.ts';
import { type FieldChanges, fieldChanges } from './field-changes.ts';
import { difference, emptySet, type FieldNode, isEmptySet, union } from './field-set.ts';
import { compileShape, type StructShape } from './field-shape.ts';
import { FieldSignatures } from './field-signature.ts';
import { equalJson, isObject, withinStack } from './json-object.ts';
import { capOwners, type Owner, ownerId, type Owners, ownersOf, ownersSent, toEntries } from './owners.ts';
import { SharedSets } from './shared-sets.ts';
import { type ResetFields, type ResetFilter, resetFilter } from './reset-fields.ts';
import { zeroObject } from './zero-object.ts';

interface OwnershipOptions {
  readonly schema: ObjectSchema;
  /** As served: `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** What a write through an endpoint does not change, by sub-resource; '' is the object's own endpoint. */
  readonly ignored?: Readonly<Record<string, ResetFields>> | undefined;
  /** Other versions that the same stored object is served in, for owners who wrote through them. Owners by unknown ones are dropped. */
  readonly otherVersion?: ((apiVersion: string) => OtherVersion | undefined) | undefined;
}

interface OtherVersion {
  readonly schema: ObjectSchema;
  readonly convert: (object: KubeObject) => KubeObject;
}

/** Who writes, through what, and when. */
interface OwnershipWrite {
  readonly manager: string;
  /** '' or `status`, `scale`, … */
  readonly subresource: string;
  readonly nowMs: number;
}

export interface ApplyWrite extends OwnershipWrite {
  /** Takes fields over from other managers instead of failing with a conflict. */
  readonly force: boolean;
}

export interface Ownership {
  /** Sets next.metadata.managedFields after a create or an update. Never throws: what cannot be computed is left as it was. */
  onUpdate(next: KubeObject, previous: KubeObject | undefined, write: OwnershipWrite): void;
  /**
   * Merges an applied configuration into the object and gives the new one, with its managedFields. Throws ApiError: conflicts,
   * wrong kind, fields that the schema does not have.
   */
  onApply(config: JsonObject, previous: KubeObject | undefined, write: ApplyWrite): KubeObject;
  /** The JSON of an entry's fields, where it is known without making it. */
  textOf(fields: unknown): string | undefined;
}

/** Compares two forms of the object as some version sees them. Undefined: the version is no longer served. */
export type CompareAt = (apiVersion: string) => FieldChanges | undefined;

/** Compiles a kind's schema and keeps it. */
export function ownership(options: OwnershipOptions): Ownership {
  return new KindOwnership(options);
}

interface Compiled {
  readonly shape: StructShape;
  readonly zero: JsonObject;
}

/** Compiled schemas are made when first needed and kept, with the text of the current second: many writes fall into one. */
class KindOwnership implements Ownership {
  readonly #options: OwnershipOptions;
  readonly #filters: ReadonlyMap<string, ResetFilter>;
  readonly #compiled = new Map<string, Compiled>();
  readonly #sets = new SharedSets();
  /** Made with the first object. */
  #signatures: FieldSignatures | undefined;
  #clock = { second: Number.NaN, text: '' };

  constructor(options: OwnershipOptions) {
    this.#options = options;
    const ignored = Object.entries(options.ignored ?? {});
    this.#filters = new Map(ignored.map(([subresource, fields]) => [subresource, resetFilter(fields)]));
  }

  onUpdate(next: KubeObject, previous: KubeObject | undefined, write: OwnershipWrite): void {
    let entries = previous?.metadata.managedFields;
    try {
      const owners = ownersBefore(next, previous, write.subresource);
      // An existing object without managed fields: a client cleared them, and only apply starts them again.
      if (owners.size > 0 || previous === undefined) this.#update(owners, previous, next, write);
      entries = toEntries(owners);
    } catch (error) {
      // Free JSON too deep for the stack: the write goes on, and ownership stays as it was.
      if (!(error instanceof RangeError)) throw error;
    }
    if (entries === undefined) delete next.metadata.managedFields;
    else next.metadata.managedFields = entries;
  }

  onApply(config: JsonObject, previous: KubeObject | undefined, write: ApplyWrite): KubeObject {
    const { apiVersion, kind, schema, otherVersion } = this.#options;
    const owners = ownersOf(previous?.metadata.managedFields);
    if (owners.size === 0 && previous !== undefined) {
      this.#update(owners, undefined, previous, { ...write, manager: 'before-first-apply' });
    }
    const filter = this.#filters.get(write.subresource);
    const { shape } = this.#compile(apiVersion, schema);
    const compare = (before: KubeObject | undefined, after: KubeObject, stored: KubeObject): CompareAt =>
      this.#compare(before, after, filter, stored);
    const isServed = (version: string): boolean => version === apiVersion || otherVersion?.(version) !== undefined;
    return withinStack(() => applyConfig(config, previous, owners, { ...write, shape, apiVersion, kind, filter, isServed, compare }));
  }

  textOf(fields: unknown): string | undefined {
    return isObject(fields) ? this.#sets.textOf(fields) : undefined;
  }

  #update(owners: Owners, previous: KubeObject | undefined, next: KubeObject, write: OwnershipWrite): void {
    const compare = this.#compare(previous, next, this.#filters.get(write.subresource));
    // Through a Scale, upstream loses the time.
    const time = write.subresource === 'scale' ? undefined : this.#time(write.nowMs);
    updateOwners(owners, compare, { ...write, apiVersion: this.#options.apiVersion, time });
    capOwners(owners);
  }

  #compare(previous: KubeObject | undefined, next: KubeObject, filter: ResetFilter, stored = next): CompareAt {
    const done = new Map<string, FieldChanges | undefined>();
    return (version) => {
      const after = version === this.#options.apiVersion ? next : stored;
      if (!done.has(version)) done.set(version, filtered(this.#changesAt(version, previous, after), filter));
      return done.get(version);
    };
  }

  #changesAt(version: string, previous: KubeObject | undefined, next: KubeObject): FieldChanges | undefined {
    const { apiVersion, schema, otherVersion } = this.#options;
    if (version === apiVersion) {
      const { shape, zero } = this.#compile(version, schema);
      return this.#changes({ shape, zero }, asJson(previous), asJson(next) as JsonObject);
    }
    const other = otherVersion?.(version);
    if (other === undefined) return undefined;
    const { shape, zero } = this.#compile(version, other.schema);
    const before = previous === undefined ? undefined : other.convert(previous);
    return this.#changes({ shape, zero }, asJson(before), asJson(other.convert(next)) as JsonObject);
  }

  /** A new object has no managers, so nothing is taken from any. */
  #changes({ shape, zero }: Compiled, before: JsonObject | undefined, after: JsonObject): FieldChanges {
    if (before !== undefined) return fieldChanges(shape, before, after);
    const make = (): FieldNode => fieldChanges(shape, zero, after).changed;
    this.#signatures ??= new FieldSignatures();
    const signature = this.#signatures.of(shape, zero, after);
    return { changed: signature === undefined ? make() : this.#sets.get(signature, make), removed: emptySet };
  }

  #compile(version: string, schema: ObjectSchema): Compiled {
    let compiled = this.#compiled.get(version);
    if (compiled === undefined) {
      compiled = { shape: compileShape(schema), zero: zeroObject(schema) };
      this.#compiled.set(version, compiled);
    }
    return compiled;
  }

  #time(nowMs: number): string {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#clock.second) this.#clock = { second, text: timeText(nowMs) };
    return this.#clock.text;
  }
}

/** The manager's name: the fieldManager parameter, else the User-Agent up to its first slash. */
export function managerName(fieldManager: string, userAgent: string): string {
  if (fieldManager !== '') return fieldManager;
  const end = userAgent.indexOf('/');
  const given = end < 0 ? userAgent : userAgent.slice(0, end);
  // Nearly every one is plain, and every write asks.
  if (/^[\x20-\x7e]{0,128}$/.test(given)) return given;
  let name = '';
  for (const character of given.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')) {
    if (Buffer.byteLength(name) + Buffer.byteLength(character) > 128) break;
    name += character;
  }
  return name;
}

/**
 * Gives `next` the times of `previous` where a write changed nothing else, so that such a write stores nothing. Upstream does this
 * for apply and update alike.
 */
export function keepTimesWhenUnchanged(next: KubeObject, previous: KubeObject): void {
  const is = next.metadata.managedFields ?? [];
  const was = previous.metadata.managedFields ?? [];
  if (is.length !== was.length) return;
  const before = ownersOf(was);
  const now = ownersOf(is);
  for (const [id, owner] of now) {
    const same = before.get(id);
    if (same === undefined || same.apiVersion !== owner.apiVersion || !equalJson(same.fields as Json, owner.fields as Json)) return;
  }
  const { managedFields: _is, ...nextMeta } = next.metadata;
  const { managedFields: _was, ...previousMeta } = previous.metadata;
  const isSame = equalJson(asJson({ ...next, metadata: nextMeta }) as Json, asJson({ ...previous, metadata: previousMeta }) as Json);
  if (isSame && was.length > 0) next.metadata.managedFields = was;
}

interface Writer {
  readonly manager: string;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly time: string | undefined;
}

/** Removes changed and removed fields from all managers, then assigns the changed ones to the writer. Changes the table in place. */
function updateOwners(owners: Owners, compare: CompareAt, writer: Writer): void {
  const changes = compare(writer.apiVersion) ?? { changed: emptySet, removed: emptySet };
  const { subresource, apiVersion, time } = writer;
  const writes: Owner = {
    manager: writer.manager === '' ? 'unknown' : writer.manager,
    operation: 'Update',
    apiVersion,
    subresource,
    time,
    fields: changes.changed,
  };
  const id = ownerId(writes);
  const mine = owners.get(id);
  releaseFields(owners, compare, undefined);
  if (isEmptySet(changes.changed)) return;
  const fields = mine === undefined ? changes.changed : union(difference(mine.fields, changes.removed), changes.changed);
  owners.set(id, { ...writes, fields });
}

/** All managers but `except` lose the changed and removed fields. Managers without fields, or of an unknown version, are dropped. */
export function releaseFields(owners: Owners, compare: CompareAt, except: string | undefined): void {
  for (const [id, owner] of owners) {
    if (id === except) continue;
    const changes = compare(owner.apiVersion);
    if (changes === undefined) {
      owners.delete(id);
      continue;
    }
    const fields = difference(difference(owner.fields, changes.changed), changes.removed);
    if (isEmptySet(fields)) owners.delete(id);
    else if (fields !== owner.fields) owners.set(id, { ...owner, fields } satisfies Owner);
  }
}

/** What the object carried, or what the client says it should: an empty list, or one empty entry, wipes all. */
function ownersBefore(next: KubeObject, previous: KubeObject | undefined, subresource: string): Owners {
  const sent = next.metadata.managedFields;
  const stored = previous?.metadata.managedFields;
  if (sent === undefined || sent === stored || subresource !== '') return ownersOf(stored);
  if (sent.length === 0 || (sent.length === 1 && Object.keys(sent[0] ?? {}).length === 0)) return new Map();
  const owners = ownersSent(sent);
  return owners === undefined || owners.size === 0 ? ownersOf(stored) : owners;
}

function filtered(changes: FieldChanges | undefined, filter: ResetFilter): FieldChanges | undefined {
  if (changes === undefined || filter === undefined) return changes;
  return { changed: filter(changes.changed), removed: filter(changes.removed) };
}

function asJson(object: KubeObject | undefined): JsonObject | undefined {
  return object as unknown as JsonObject | undefined;
}
