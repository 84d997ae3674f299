import type { Json, JsonObject, KubeObject } from '#api/meta/object.ts';
import { type ApiError, badRequest } from '#api/meta/status.ts';
import { applyJsonPatch, jsonPatchProblems } from '#api/patch/json-patch.ts';
import { goKind, goText } from '#api/patch/go-json.ts';
import { isObject } from '#api/patch/json-object.ts';
import { applyMergePatch } from '#api/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '#api/patch/strategic-merge.ts';
import type { Codec } from '#api/schema/codec.ts';
import { plainValue } from '#api/schema/decode-leaf.ts';
import { JsonError, parseJsonBody } from '#api/schema/json.ts';
import { parseYaml, YamlError } from '#api/schema/yaml.ts';
import type { ObjectSchema } from '#api/schema/schema.ts';
import { duplicateProblems, warningsOf } from '#api/schema/strict-problems.ts';
import type { PatchType } from './contract.ts';
import { type DecodedKind, decodePatched, type Strictness } from './decode.ts';
import { stringifyDeep } from '#api/schema/stringify-deep.ts';
import { unstructuredWords } from './unstructured-words.ts';

/** A patch that changes what is there, read once and applied in every attempt. */
interface ObjectPatch {
  readonly type: Exclude<PatchType, 'apply'>;
  readonly value: Json;
  readonly problems: readonly string[];
}

/** Reads the body of a patch. Throws BadRequest. */
export function readPatch(
  { maxValues }: Codec,
  type: ObjectPatch['type'],
  bytes: Uint8Array,
  { fieldValidation }: Pick<Strictness, 'fieldValidation'>,
): ObjectPatch {
  const { value, problems } = parse(type, bytes, maxValues);
  if (fieldValidation === 'Ignore') return { type, value, problems: [] };
  if (type === 'json') {
    const repeated = problems.map((text) => `json patch ${text}`);
    return { type, value, problems: [...jsonPatchProblems(value), ...repeated] };
  }
  if (type === 'merge' && value !== null && !isObject(value)) {
    throw badRequest(`error decoding patch: json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`);
  }
  return { type, value, problems };
}

interface PatchTarget {
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
      return decodePatched(codec, kind, { value, problems, shown: () => stringifyDeep(value) }, strictness);
    }
    case 'merge': {
      const value = applyMergePatch(document, patchValue);
      return decodePatched(codec, kind, { value, problems, shown: () => stringifyDeep(value) }, strictness);
    }
    case 'strategic': {
      const value = applyStrategicMergePatch(document, patchValue, schema);
      const patched = { value, problems, shown: () => goText(patchValue), reworded: unstructuredWords };
      return decodePatched(codec, kind, patched, strictness);
    }
  }
}

/** Reads an applied configuration, JSON or YAML. Throws BadRequest. */
export function readConfiguration({ maxValues }: Codec, bytes: Uint8Array, { fieldValidation, warn }: Strictness): JsonObject {
  const refuse = (why: string): ApiError => badRequest(`error decoding YAML: ${why}`);
  try {
    const { parsed, duplicates } = parseYaml(bytes, maxValues);
    const value = (parsed.hasNumberTexts ? plainValue(parsed.value) : parsed.value) ?? {};
    if (!isObject(value)) {
      const why = `json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`;
      throw refuse(`error unmarshaling JSON: while decoding JSON: ${why}`);
    }
    const problems = duplicates.map((text) => `error converting YAML to JSON: ${text}`);
    if (problems.length > 0 && fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${problems.join(', ')}`);
    if (fieldValidation === 'Warn') for (const text of problems.flatMap(warningsOf)) warn(text);
    return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const prefix = 'error converting YAML to JSON: ';
    throw refuse(error.message.startsWith(prefix) ? error.message : `${prefix}${error.message}`);
  }
}

/** A patch and what comes twice in it. */
function parse(type: PatchType, bytes: Uint8Array, maxValues: number): Pick<ObjectPatch, 'value' | 'problems'> {
  try {
    const { value, duplicates, hasNumberTexts } = parseJsonBody(bytes, maxValues);
    return { problems: duplicateProblems(value, duplicates), value: hasNumberTexts ? plainValue(value) : value };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw badRequest(type === 'strategic' ? error.message : `error decoding patch: ${error.message}`);
  }
}
