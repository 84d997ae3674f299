import type { DefaultRule } from '#api/kind.ts';
import { invalid } from '#api/meta/field-problem.ts';
import type { Json, KubeObject } from '#api/meta/object.ts';
import { ApiError, hasReason } from '#api/meta/status.ts';
import type { Codec, DecodableKind, DecodedObject } from '#api/schema/codec.ts';
import { warningsOf } from '#api/schema/strict-problems.ts';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import type { Body, RequestContext } from './contract.ts';

/** A kind as decoding needs it; sub-resources such as scale have one of their own. */
export interface DecodedKind extends DecodableKind {
  readonly defaults?: readonly DefaultRule<KubeObject>[];
}

/** How a request wants unknown fields treated. */
export type Strictness = Pick<RequestContext, 'fieldValidation' | 'warn'>;

/** An object that a client sent, with the kind's defaults. Throws BadRequest. */
export function decodeBody(codec: Codec, kind: DecodedKind, body: Body, { fieldValidation, warn }: Strictness): KubeObject {
  const decoded = codec.decodeBody(body, kind, fieldValidation);
  for (const text of decoded.warnings.flatMap(warningsOf)) warn(text);
  return complete(kind, decoded);
}

interface PatchedValue {
  /** What the patch made of the object; kept and changed. */
  readonly value: Json;
  /** What is strange about the patch itself. */
  readonly problems: readonly string[];
  /** What a refusal shows as the wrong value. */
  readonly shown: () => string;
  /** Other words for why it is no such object. */
  readonly reworded?: (why: string) => string;
}

/** What a patch made of an object, decoded and with defaults. Throws Invalid, as upstream does for outcomes that are no such object. */
export function decodePatched(
  codec: Codec,
  kind: DecodedKind,
  { value, problems, shown, reworded = (why) => why }: PatchedValue,
  strictness: Strictness,
): KubeObject {
  const { fieldValidation, warn } = strictness;
  const text = fieldValidation === 'Ignore' ? '' : shown();
  let decoded;
  try {
    decoded = codec.decodeValue(value, kind, fieldValidation === 'Ignore' ? 'Ignore' : 'Warn');
  } catch (error) {
    if (!hasReason(error, 'BadRequest')) throw error;
    throw invalidPatch(text === '' ? shown() : text, reworded(error.message.replace(/^.*? cannot be handled as an? \S+: /, '')));
  }
  const all = fieldValidation === 'Ignore' ? [] : [...problems, ...decoded.warnings];
  if (fieldValidation === 'Strict' && all.length > 0) throw invalidPatch(text, `strict decoding error: ${all.join(', ')}`);
  for (const one of all) warn(one);
  return complete(kind, decoded);
}

/** What applying made of an object, decoded and with defaults; it keeps who owns what. */
export function decodeApplied(codec: Codec, kind: DecodedKind, merged: KubeObject, strictness: Strictness): KubeObject {
  const { managedFields } = merged.metadata;
  const patched = { value: merged as unknown as Json, problems: [], shown: () => stringifyDeep(merged) };
  const next = decodePatched(codec, kind, patched, strictness);
  if (managedFields !== undefined) next.metadata.managedFields = managedFields;
  return next;
}

function complete(kind: DecodedKind, { object, forgetsOwners }: DecodedObject): KubeObject {
  if (forgetsOwners) object.metadata.managedFields = [];
  for (const rule of kind.defaults ?? []) rule(object);
  return object;
}

function invalidPatch(shown: string, why: string): ApiError {
  const { type, field, message } = invalid('patch', shown, why);
  return new ApiError({
    reason: 'Invalid',
    message: ` "" is invalid: ${field}: ${message}`,
    details: { causes: [{ reason: type, message, field }] },
  });
}
