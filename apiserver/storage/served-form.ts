import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf, type KubeObject } from '#api/meta/object.ts';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import { parseObject } from './decoded-objects.ts';

/** How objects of one stored resource look under one kind that serves them. Made once per kind; compared by identity. */
export interface ServedForm {
  readonly kind: KindDefinition;
  /** How every object's JSON starts: `{"kind":"Pod","apiVersion":"v1","metadata":{`. */
  readonly head: Buffer;
  /** Names of the kind's selectable fields, in the order of `CachedObject.fieldValues`. */
  readonly fields: readonly string[];
  /** Makes the served object of the stored one, which it may keep; undefined where they are the same. */
  readonly fromStored: ((object: KubeObject) => KubeObject) | undefined;
}

/** The form of a kind. */
export function servedForm(kind: KindDefinition, fromStored?: ServedForm['fromStored']): ServedForm {
  return {
    kind,
    head: Buffer.from(`{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},"metadata":{`),
    fields: Object.keys(kind.selectableFields ?? {}),
    fromStored,
  };
}

/**
 * An object's JSON as it is stored: without resourceVersion, and starting with the form's head, so that a resourceVersion can be
 * put in without parsing. Sets kind, apiVersion on `object` and takes its resourceVersion away.
 */
export function encodeStored(form: ServedForm, object: KubeObject): Buffer {
  const { kind: _kind, apiVersion: _version, metadata, ...rest } = object;
  object.kind = form.kind.kind;
  object.apiVersion = apiVersionOf(form.kind);
  delete metadata.resourceVersion;
  return Buffer.from(stringifyDeep({ kind: object.kind, apiVersion: object.apiVersion, metadata, ...rest }));
}

/** The bytes in the form's canonical order; the same buffer where they already are. */
export function canonical(form: ServedForm, bytes: Uint8Array): Uint8Array {
  const { head } = form;
  if (head.compare(bytes, 0, head.length) === 0) return bytes;
  return encodeStored(form, parseObject(bytes));
}
