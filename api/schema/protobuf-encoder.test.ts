import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject, KubeObject } from '#api/meta/object.ts';
import { createCodec } from './codec.ts';
import { protobufFields } from './facts-protobuf.ts';
import { type NumberedField, numberedFields } from './protobuf-fields.ts';
import { randomObject } from './random-object.ts';
import type { ObjectSchema, Schema } from './schema.ts';
import type { GroupVersionKind } from './schemas.ts';

const codec = createCodec();
const { schemas } = codec;
const mediaType = 'application/vnd.kubernetes.protobuf';
/** Every kind that has metadata, and the options and answers that have none. */
const kinds = schemas.names().flatMap((schema): (GroupVersionKind & { schema: string })[] => {
  const kind = schemas.kindOf(schema);
  return kind === undefined || kind.kind === 'WatchEvent' || numberedFields(schemas.get(schema)) === undefined ? [] : [{ ...kind, schema }];
});

function properties(fields: readonly NumberedField[]): string[] {
  return fields.flatMap(({ name, inlined }) => (inlined === undefined ? [name] : properties(inlined)));
}

describe('the numbers', () => {
  test('are there for every property of every type', () => {
    const missing = schemas.names().flatMap((name) => {
      const schema = schemas.get(name);
      const numbered = new Set(properties(numberedFields(schema) ?? []));
      const isTop = schemas.kindOf(name) !== undefined || numbered.has('items');
      const wanted = Object.keys(schema.properties).filter((one) => !isTop || (one !== 'kind' && one !== 'apiVersion'));
      return wanted.filter((one) => !numbered.has(one)).map((one) => `${name}.${one}`);
    });
    // What /version answers is no object of the API.
    expect(missing.filter((one) => !one.startsWith('io.k8s.apimachinery.pkg.version.'))).toEqual([]);
  });

  test('name nothing that is not there', () => {
    const surplus = Object.entries(protobufFields).flatMap(([packageName, types]) =>
      Object.keys(types).flatMap((type) => {
        const name = `${packageName}.${type}`;
        if (!schemas.has(name)) return [];
        const known = schemas.get(name).properties;
        return properties(numberedFields(schemas.get(name)) ?? []).filter((one) => known[one] === undefined);
      }),
    );
    expect(surplus).toEqual([]);
  });

  test('are unique in a message', () => {
    for (const name of schemas.names()) {
      const numbers = (numberedFields(schemas.get(name)) ?? []).map(({ number }) => number);
      expect(new Set(numbers).size, name).toBe(numbers.length);
    }
  });
});

/** An object as the server would hold it. */
function decoded(value: JsonObject, kind: GroupVersionKind & { schema: string }): KubeObject {
  return codec.decodeValue(value, kind, 'Strict').object;
}

function read(bytes: Uint8Array, kind: GroupVersionKind & { schema: string }): KubeObject {
  return codec.decodeBody({ bytes, mediaType }, kind, 'Strict').object;
}

test.each(kinds.map((kind) => [`${kind.group}/${kind.version} ${kind.kind}`, kind] as const))('%s comes back as it was', (_name, kind) => {
  const property = fc.property(fc.gen(), (gen) => {
    const object = decoded(randomObject(schemas.get(kind.schema), gen), kind);
    const before = structuredClone(object);
    const bytes = codec.protobuf.envelope(kind, kind.schema, object);
    expect(object).toEqual(before);
    expect(withoutEmpties(read(bytes, kind))).toEqual(withoutEmpties(object));
  });
  fc.assert(property, { numRuns: 4 });
});

/** What Go holds by value comes back empty where JSON had nothing: times (null), and the port that is defaulted anyway. */
function withoutEmpties(object: KubeObject): unknown {
  return JSON.parse(
    JSON.stringify(object, (key, value: unknown) => (value === null || (key === 'targetPort' && value === 0) ? undefined : value)),
  );
}

// protobufjs reads and writes the same messages with code that is not ours.
const root = new protobuf.Root();
const oracles = new Map<string, protobuf.Type>();
const special = {
  quantity: new protobuf.Type('Quantity').add(new protobuf.Field('string', 1, 'string')),
  intOrString: new protobuf.Type('IntOrString')
    .add(new protobuf.Field('type', 1, 'int64'))
    .add(new protobuf.Field('intVal', 2, 'int32'))
    .add(new protobuf.Field('strVal', 3, 'string')),
  time: new protobuf.Type('Time').add(new protobuf.Field('seconds', 1, 'int64')).add(new protobuf.Field('nanos', 2, 'int32')),
  raw: new protobuf.Type('Raw').add(new protobuf.Field('raw', 1, 'bytes')),
  strings: new protobuf.Type('Strings').add(new protobuf.Field('items', 1, 'string', 'repeated')),
};
for (const type of Object.values(special)) root.add(type);

function oracle(schema: ObjectSchema, fields = numberedFields(schema) ?? [], suffix = ''): protobuf.Type {
  const name = `${(schema.name ?? '').replaceAll(/[^A-Za-z0-9]/g, '_')}${suffix}`;
  const known = oracles.get(name);
  if (known !== undefined) return known;
  const type = new protobuf.Type(name);
  oracles.set(name, type);
  root.add(type);
  for (const { number, name: field, inlined, isWrapped } of fields) {
    const property = schema.properties[field]?.schema;
    if (inlined !== undefined)
      type.add(new protobuf.Field(`inlined${number}`, number, oracle(schema, inlined, `${suffix}_${number}`).name));
    else if (property?.type === 'map') type.add(new protobuf.MapField(field, number, 'string', oracleType(property.values)));
    else if (property?.type === 'array' && !isWrapped) type.add(new protobuf.Field(field, number, oracleType(property.items), 'repeated'));
    else if (property !== undefined) type.add(new protobuf.Field(field, number, oracleType(property)));
  }
  return type;
}

function oracleType(schema: Schema): string {
  switch (schema.type) {
    case 'object':
      return oracle(schema).name;
    case 'array':
      return special.strings.name;
    case 'string':
      return schema.format === 'byte' ? 'bytes' : 'string';
    case 'integer':
      return schema.format === 'int32' ? 'int32' : 'int64';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'quantity':
      return special.quantity.name;
    case 'int-or-string':
      return special.intOrString.name;
    case 'time':
    case 'micro-time':
      return special.time.name;
    default:
      return special.raw.name;
  }
}

test.each(
  kinds
    .filter(({ schema }) => !schema.includes('apiextensions'))
    .map((kind) => [`${kind.group}/${kind.version} ${kind.kind}`, kind] as const),
)('%s is what protobufjs reads and writes', (_name, kind) => {
  const schema = schemas.get(kind.schema);
  const type = oracle(schema);
  root.resolveAll();
  const property = fc.property(fc.gen(), (gen) => {
    const object = decoded(randomObject(schema, gen), kind);
    const message = codec.protobuf.message(kind.schema, object);
    const theirs = type.decode(message);
    const again = type.encode(theirs).finish();
    // It writes keys of maps and bytes of negative numbers in its own order and way, but the same fields.
    expect(type.toObject(type.decode(again), { longs: Number })).toEqual(type.toObject(theirs, { longs: Number }));
    expect(reread(again, kind)).toEqual(reread(message, kind));
  });
  fc.assert(property, { numRuns: 2 });
});

/** Puts a bare message into an envelope of protobufjs' making and reads it. */
function reread(message: Uint8Array, kind: GroupVersionKind & { schema: string }): Json {
  const envelope = protobuf.Writer.create().uint32(0x12).bytes(message).finish();
  return read(Buffer.concat([Buffer.from('k8s\0'), envelope]), kind) as unknown as Json;
}
