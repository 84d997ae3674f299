import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf, type KubeObject, type ObjectMeta } from '#api/meta/object.ts';
import type { Ownership } from '#api/patch/managed-fields.ts';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import { parseObject } from './decoded-objects.ts';
import { type Skim, skimmer } from './skim.ts';

/** How objects of one stored resource look under one kind that serves them. Made once per kind; compared by identity. */
export interface ServedForm {
  readonly kind: KindDefinition;
  /** How every object's JSON starts: `{"kind":"Pod","apiVersion":"v1","metadata":`. */
  readonly start: string;
  /** The same as bytes, with the brace that follows. */
  readonly head: Buffer;
  /** Names of the kind's selectable fields, in the order of `CachedObject.fieldValues`. */
  readonly fields: readonly string[];
  /** Reads what selectors ask for, fields and labels (which may be `tooLong`), of an object's bytes. */
  readonly skim: Skim;
  /** Makes the served object of the stored one, which it may keep; undefined where they are the same. */
  readonly fromStored: ((object: KubeObject) => KubeObject) | undefined;
  /** Reads what others stored for this form: in protobuf, or as a relative. Throws where it cannot; absent: it is this kind's JSON. */
  readonly restore: ((bytes: Uint8Array) => KubeObject) | undefined;
}

/** Parsing 90,000 labels takes 50 ms. */
const mostLabelBytes = 64 * 1_024;

/** What a kind's form is made of, and what it is made of. */
type FormConversions = Partial<Pick<ServedForm, 'fromStored' | 'restore'>>;

/** The form of a kind. */
export function servedForm(kind: KindDefinition, { fromStored, restore }: FormConversions = {}): ServedForm {
  const fields = Object.keys(kind.selectableFields ?? {});
  const start = `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},"metadata":`;
  return {
    kind,
    start,
    head: Buffer.from(`${start}{`),
    fields,
    skim: skimmer(['metadata.labels', ...fields, ...(kind.selectionReads ?? [])], { 'metadata.labels': mostLabelBytes }),
    fromStored,
    restore,
  };
}

/** Knows the JSON of sets of fields that many objects have. */
type FieldTexts = Pick<Ownership, 'textOf'>;

/**
 * An object's JSON as it is stored: without resourceVersion, and starting with the form's head, so that a resourceVersion can be
 * put in without parsing. Sets kind, apiVersion on `object` and takes its resourceVersion away.
 */
export function encodeStored(form: ServedForm, object: KubeObject, texts?: FieldTexts): Buffer {
  const { kind: _kind, apiVersion: _version, metadata, ...rest } = object;
  object.kind = form.kind.kind;
  object.apiVersion = apiVersionOf(form.kind);
  if (metadata.resourceVersion !== undefined) delete metadata.resourceVersion;
  const known = texts && metadataTexts(metadata, texts);
  if (known === undefined) {
    return Buffer.from(stringifyDeep({ kind: object.kind, apiVersion: object.apiVersion, metadata: ownersLast(metadata), ...rest }));
  }
  const after = stringifyDeep(rest);
  return joined([form.start, ...known, after === '{}' ? '' : ',', after.slice(1)]);
}

/** As upstream writes it, and as it is written where the owners' text is known. */
function ownersLast(metadata: ObjectMeta): ObjectMeta {
  const { managedFields, ...others } = metadata;
  return managedFields === undefined ? metadata : { ...others, managedFields };
}

/** A new object's metadata, whose one owner's fields are most of it; undefined where their text is not known. */
function metadataTexts(metadata: ObjectMeta, texts: FieldTexts): string[] | undefined {
  const { managedFields, ...others } = metadata;
  const [owner] = managedFields?.length === 1 ? managedFields : [];
  const fields = owner && texts.textOf(owner.fieldsV1);
  if (owner === undefined || fields === undefined) return undefined;
  const { fieldsV1: _fields, ...about } = owner;
  const before = stringifyDeep(others).slice(0, -1);
  const separator = before === '{' ? '' : ',';
  return [before, `${separator}"managedFields":[${JSON.stringify(about).slice(0, -1)},"fieldsV1":`, fields, '}]}'];
}

/** Texts one after another as UTF-8. Adding the texts first would copy them once more, into garbage. */
function joined(texts: readonly string[]): Buffer {
  let length = 0;
  for (const text of texts) length += Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return bytes;
}

/** The bytes in the form's canonical order; the same buffer where they already are. */
export function canonical(form: ServedForm, bytes: Uint8Array): Uint8Array {
  const { head } = form;
  if (bytes.length >= head.length && head.compare(bytes, 0, head.length) === 0) return bytes;
  return encodeStored(form, form.restore?.(bytes) ?? parseObject(bytes));
}
