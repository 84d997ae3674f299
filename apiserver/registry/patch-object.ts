import type { Json, JsonObject, KubeObject } from '#api/meta/object.ts';
import { badRequest } from '#api/meta/status.ts';
import { applyJsonPatch, jsonPatchProblems } from '#api/patch/json-patch.ts';
import { goText } from '#api/patch/go-json.ts';
import { isObject } from '#api/patch/json-object.ts';
import { applyMergePatch } from '#api/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '#api/patch/strategic-merge.ts';
import type { Codec } from '#api/schema/codec.ts';
import { plainValue } from '#api/schema/decode-leaf.ts';
import { JsonError, type ParsedJson, parseJson } from '#api/schema/json.ts';
import { parseYaml, YamlError } from '#api/schema/yaml.ts';
import type { ObjectSchema } from '#api/schema/schema.ts';
import type { PatchType } from './contract.ts';
import { type DecodedKind, decodePatched, type Strictness } from './decode.ts';
import { unstructuredWords } from './unstructured-words.ts';

/** A patch that changes what is there, read once and applied in every attempt. */
export interface ObjectPatch {
  readonly type: Exclude<PatchType, 'apply'>;
  readonly value: Json;
  readonly problems: readonly string[];
}

/** Reads the body of a patch. Throws BadRequest. */
export function readPatch(type: ObjectPatch['type'], bytes: Uint8Array, { fieldValidation }: Strictness): ObjectPatch {
  const { value, duplicates } = parse(type, bytes);
  const repeated = [...(duplicates?.values() ?? [])].flatMap((keys) => [...keys].map((key) => `duplicate field ${JSON.stringify(key)}`));
  const problems = fieldValidation === 'Ignore' ? [] : [...repeated, ...(type === 'json' ? jsonPatchProblems(value) : [])];
  return { type, value, problems };
}

export interface PatchTarget {
  readonly kind: DecodedKind;
  readonly schema: ObjectSchema;
  /** Read-only. */
  readonly current: KubeObject;
}

/** The object that a patch makes of another, decoded and with defaults; shares nothing with it. */
export function patchObject(codec: Codec, { kind, schema, current }: PatchTarget, patch: ObjectPatch, strictness: Strictness): KubeObject {
  const document = current as unknown as JsonObject;
  const { type, value: patchValue, problems } = patch;
  switch (type) {
    case 'json': {
      const value = applyJsonPatch(document, patchValue);
      return decodePatched(codec, kind, { value, problems, shown: () => JSON.stringify(value) }, strictness);
    }
    case 'merge': {
      const value = applyMergePatch(document, patchValue);
      return decodePatched(codec, kind, { value, problems, shown: () => JSON.stringify(value) }, strictness);
    }
    case 'strategic': {
      const value = applyStrategicMergePatch(document, patchValue, schema);
      const patched = { value, problems, shown: () => goText(patchValue), reworded: unstructuredWords };
      return decodePatched(codec, kind, patched, strictness);
    }
  }
}

/** Reads an applied configuration, JSON or YAML. Throws BadRequest. */
export function readConfiguration(bytes: Uint8Array, { fieldValidation, warn }: Strictness): JsonObject {
  try {
    const { parsed, duplicates } = parseYaml(bytes);
    const value = parsed.hasNumberTexts ? plainValue(parsed.value) : parsed.value;
    if (!isObject(value)) throw badRequest('error decoding YAML: error unmarshaling JSON: the configuration is no object');
    if (duplicates.length > 0 && fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${duplicates.join(', ')}`);
    if (fieldValidation === 'Warn') for (const text of duplicates) warn(text);
    return value;
  } catch (error) {
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
}

function parse(type: PatchType, bytes: Uint8Array): ParsedJson {
  try {
    const parsed = parseJson(bytes);
    return parsed.hasNumberTexts ? { ...parsed, value: plainValue(parsed.value) } : parsed;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw badRequest(type === 'strategic' ? error.message : `error decoding patch: ${error.message}`);
  }
}
