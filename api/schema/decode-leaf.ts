// Decoders of everything that is no struct, list or map: what Go's decoder and the special types' own UnmarshalJSON take, and the
// form in which they write it back.
import type { Json } from '#api/meta/object.ts';
import { canonicalQuantity, QuantityError } from '#api/meta/quantity.ts';
import { Base64Error, canonicalBase64 } from './base64.ts';
import type { DecodeState } from './decode-state.ts';
import { NumberText } from './json-parser.ts';
import type { ScalarSchema, SpecialSchema } from './schema.ts';
import { canonicalMicroTime, canonicalTime, TimeError } from './time.ts';

/** Gives the canonical value; undefined where nothing is left of it (a mismatch, which the state noted, or Go's zero time). */
export type Decode = (value: Json, state: DecodeState) => Json | undefined;

const maxInt32 = 2 ** 31 - 1;
const maxByte = 255;

/** The decoder of a leaf. Never sees null, which means nothing to Go's decoder. */
export function leafDecoder(schema: ScalarSchema | SpecialSchema): Decode {
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? decodeBytes : stringDecoder(schema.typeName ?? 'string');
    case 'boolean':
      return (value, state) => (typeof value === 'boolean' ? value : state.mismatched(value, 'bool'));
    case 'integer':
      return schema.format === 'int32' ? decodeInt32 : decodeInt64;
    case 'number':
      return decodeDouble;
    case 'quantity':
      return decodeQuantity;
    case 'int-or-string':
      return decodeIntOrString;
    case 'time':
      return timeDecoder(canonicalTime);
    case 'micro-time':
      return timeDecoder(canonicalMicroTime);
    case 'any':
    case 'raw':
    case 'fields-v1':
      return (value, state) => (state.hasNumberTexts ? plainValue(value) : value);
  }
}

/** Go's name of the type, for messages. */
export function leafTypeName(schema: ScalarSchema | SpecialSchema): string {
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? '[]uint8' : (schema.typeName ?? 'string');
    case 'boolean':
      return 'bool';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'quantity':
      return 'resource.Quantity';
    case 'int-or-string':
      return 'intstr.IntOrString';
    case 'time':
      return 'v1.Time';
    case 'micro-time':
      return 'v1.MicroTime';
    case 'raw':
      return 'runtime.RawExtension';
    case 'fields-v1':
      return 'v1.FieldsV1';
    case 'any':
      return 'v1.JSON';
  }
}

function stringDecoder(goType: string): Decode {
  // Half of a surrogate pair is no character for Go.
  return (value, state) =>
    typeof value === 'string' ? (value.isWellFormed() ? value : value.toWellFormed()) : state.mismatched(value, goType);
}

function decodeInt32(value: Json, state: DecodeState): Json | undefined {
  const number = typeof value === 'number' ? value : integerOf(value);
  if (number === undefined || !Number.isInteger(number) || number > maxInt32 || number < -maxInt32 - 1) {
    return state.mismatched(value, 'int32');
  }
  return number;
}

/** Integers beyond 2^53 are refused: no field of the API needs them, and a double would silently change them. */
function decodeInt64(value: Json, state: DecodeState): Json | undefined {
  const number = typeof value === 'number' ? value : integerOf(value);
  return number !== undefined && Number.isSafeInteger(number) ? number : state.mismatched(value, 'int64');
}

function integerOf(value: Json): number | undefined {
  return value instanceof NumberText && /^-?\d+$/.test(value.text) ? Number(value.text) : undefined;
}

function decodeDouble(value: Json, state: DecodeState): Json | undefined {
  const number = value instanceof NumberText ? Number(value.text) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : state.mismatched(value, 'float64');
}

/** Bytes are text in base64, but Go takes their list, too. */
function decodeBytes(value: Json, state: DecodeState): Json | undefined {
  if (Array.isArray(value)) return decodeByteList(value, state);
  if (typeof value !== 'string') return state.mismatched(value, '[]uint8');
  try {
    return canonicalBase64(value);
  } catch (error) {
    if (error instanceof Base64Error) return state.refused(error.message);
    throw error;
  }
}

function decodeByteList(list: readonly Json[], state: DecodeState): string {
  const bytes = list.map((item, index) => {
    if (item === null || (typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= maxByte)) return item ?? 0;
    state.steps.push(index);
    state.mismatched(item, 'uint8');
    state.steps.pop();
    return 0;
  });
  return Buffer.from(bytes).toString('base64');
}

function decodeQuantity(value: Json, state: DecodeState): Json | undefined {
  try {
    return canonicalQuantity(quantityText(value));
  } catch (error) {
    if (error instanceof QuantityError) return state.refused(error.message);
    throw error;
  }
}

/** Upstream hands its parser whatever stands there; objects and the like only have to be refused. */
function quantityText(value: Json): string {
  if (typeof value === 'string') return value.trim();
  if (value instanceof NumberText) return value.text;
  return typeof value === 'number' ? String(value) : '?';
}

function decodeIntOrString(value: Json, state: DecodeState): Json | undefined {
  if (typeof value === 'string') return value;
  const number = typeof value === 'number' ? value : integerOf(value);
  if (number === undefined || !Number.isInteger(number) || Math.abs(number) > maxInt32 + 1 || number === maxInt32 + 1) {
    return state.mismatched(value, 'int32');
  }
  return number;
}

function timeDecoder(canonical: (text: string) => string | undefined): Decode {
  return (value, state) => {
    if (typeof value !== 'string') return state.mismatched(value, 'string');
    try {
      return canonical(value);
    } catch (error) {
      if (error instanceof TimeError) return state.refused(error.message);
      throw error;
    }
  };
}

/** A value without a schema: only numbers that were kept as text become numbers. Changes lists and maps in place. */
export function plainValue(value: Json): Json {
  if (value instanceof NumberText) return value.toJson();
  if (value === null || typeof value !== 'object') return value;
  const waiting: object[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const holder = next as Record<string, Json>;
    for (const key in holder) {
      const item = holder[key];
      if (typeof item !== 'object' || item === null) continue;
      if (item instanceof NumberText) holder[key] = item.toJson();
      else waiting.push(item);
    }
  }
  return value;
}
