import fc, { type GeneratorValue } from 'fast-check';
import type { Json, JsonObject } from '#api/meta/object.ts';
import type { ObjectSchema, Schema, SpecialSchema } from './schema.ts';

/** For tests: objects of a type with whatever fast-check thinks of. Deep ones end in empty structs. */
export function randomObject(schema: ObjectSchema, gen: GeneratorValue, depth = 0): JsonObject {
  const object: JsonObject = {};
  const share = depth > 5 ? 0 : depth > 2 ? 4 : 2;
  for (const [name, property] of Object.entries(schema.properties)) {
    if (name === 'kind' || name === 'apiVersion') continue;
    if (share === 0 || gen(fc.nat, { max: share }) === 0) continue;
    object[name] = randomValue(property.schema, gen, depth + 1);
  }
  return object;
}

const quantities = ['0', '1', '250m', '1Gi', '15k', '-3', '1500Mi', '100n'];
const keys = ['a', 'app.kubernetes.io/name', '__proto__', 'ключ', 'constructor', 'x'.repeat(70)];

function randomValue(schema: Schema, gen: GeneratorValue, depth: number): Json {
  switch (schema.type) {
    case 'object':
      return randomObject(schema, gen, depth);
    case 'array':
      return Array.from({ length: gen(fc.nat, { max: 2 }) }, () => randomValue(schema.items, gen, depth));
    case 'map': {
      const map: JsonObject = {};
      for (const key of gen(fc.subarray<string>, keys, { maxLength: 2 })) {
        const value = randomValue(schema.values, gen, depth);
        Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
      }
      return map;
    }
    case 'string':
      if (schema.format === 'byte') return Buffer.from(gen(fc.uint8Array, { maxLength: 9 })).toString('base64');
      return gen(fc.string, { unit: 'grapheme', maxLength: 80 });
    case 'integer':
      return schema.format === 'int32' ? gen(fc.integer) : gen(fc.maxSafeInteger);
    case 'number':
      return gen(fc.double, { noNaN: true, noDefaultInfinity: true }) + 0;
    case 'boolean':
      return gen(fc.boolean);
    case 'quantity':
      return gen(fc.constantFrom<string[]>, ...quantities);
    case 'int-or-string':
      return gen(fc.boolean) ? gen(fc.integer) : gen(fc.string);
    case 'time':
    case 'micro-time': {
      const text = new Date(gen(fc.integer, { min: -62_135_596_799, max: 253_402_300_799 }) * 1_000).toISOString().slice(0, 19);
      return schema.type === 'time' ? `${text}Z` : `${text}.${String(gen(fc.nat, { max: 999_999 })).padStart(6, '0')}Z`;
    }
    default:
      return randomJson(schema, gen);
  }
}

/** RawExtension and FieldsV1 are objects; some definitions are schemas or lists of them; the rest is anything. */
function randomJson({ type, name = '' }: SpecialSchema, gen: GeneratorValue): Json {
  const plain = { type: gen(fc.constantFrom<string[]>, 'string', 'object'), nullable: true };
  if (name.endsWith('OrBool')) return gen(fc.boolean) ? gen(fc.boolean) : plain;
  if (name.endsWith('OrStringArray')) return gen(fc.boolean) ? ['a', ''] : plain;
  if (name.endsWith('OrArray')) return gen(fc.boolean) ? [plain, {}] : plain;
  const value = gen(fc.jsonValue, { maxDepth: 3 }) as Json;
  return type === 'any' ? (value ?? 0) : { value, 'f:metadata': { '.': {} } };
}
