import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinKinds } from '../kinds.ts';
import type { Json, JsonObject } from '../meta/object.ts';
import { createCodec } from '../schema/codec.ts';
import { randomObject } from '../schema/random-object.ts';
import { fieldChanges } from './field-changes.ts';
import { compileShape } from './field-shape.ts';
import { FieldSignatures } from './field-signature.ts';
import { zeroObject } from './zero-object.ts';

const codec = createCodec();

/** Puts nulls, repetitions, other keys and empty values into a random object. */
function spoil(value: Json, gen: fc.GeneratorValue): Json {
  const chance = gen(fc.nat, { max: 40 });
  if (chance === 0) return null;
  if (Array.isArray(value)) {
    const items = value.map((item) => spoil(item, gen));
    return chance < 6 ? [...items, ...items] : chance < 9 ? items.toReversed() : items;
  }
  if (typeof value === 'string' && chance < 10) return gen(fc.constantFrom<string[]>, '', 'a', 'b', '1:a', 'TCP');
  if (typeof value === 'number' && chance < 10) return gen(fc.constantFrom<number[]>, 0, 1, 80);
  if (typeof value !== 'object' || value === null) return value;
  if (chance === 3) return {};
  const copy: JsonObject = {};
  for (const [key, below] of Object.entries(value)) {
    const name = chance === 4 ? `${key}1` : key;
    Object.defineProperty(copy, name, { value: spoil(below, gen), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

describe('what has the same signature has the same fields', () => {
  test.each(builtinKinds.map(({ kind, schema }) => [kind, schema] as const))('%s', (_kind, name) => {
    const schema = codec.schemas.get(name);
    const shape = compileShape(schema);
    const zero = zeroObject(schema);
    const signatures = new FieldSignatures();
    const known = new Map<string, string>();
    let repeated = 0;
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        let object = randomObject(schema, gen);
        for (let variant = 0; variant < 6; variant++) {
          const fields = JSON.stringify(fieldChanges(shape, zero, object).changed);
          const signature = signatures.of(shape, zero, object);
          const same = signature === undefined ? undefined : known.get(signature);
          if (same !== undefined) repeated++;
          expect(same ?? fields).toBe(fields);
          if (signature !== undefined) known.set(signature, fields);
          const next = spoil(object, gen);
          if (typeof next === 'object' && next !== null && !Array.isArray(next)) object = next;
        }
      }),
      { numRuns: 30 },
    );
    expect(repeated).toBeGreaterThan(0);
  });
});

const pods = codec.schemas.get('io.k8s.api.core.v1.Pod');

function signatureOf(object: JsonObject): string | undefined {
  return new FieldSignatures().of(compileShape(pods), zeroObject(pods), object);
}

function withContainer(container: JsonObject): JsonObject {
  return { metadata: { name: 'a' }, spec: { containers: [container] } };
}

const plain = withContainer({ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: 'x' }] });

test.each<[string, JsonObject, boolean]>([
  ['other values', withContainer({ name: 'c', image: 'j', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: 'y' }] }), true],
  ['no order of fields', withContainer({ env: [{ name: 'A', value: 'x' }], ports: [{ containerPort: 80 }], image: 'i', name: 'c' }), true],
  ['another name of the object', { ...plain, metadata: { name: 'b' } }, true],
  ['another key', withContainer({ name: 'd', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: 'x' }] }), false],
  [
    'another number as key',
    withContainer({ name: 'c', image: 'i', ports: [{ containerPort: 81 }], env: [{ name: 'A', value: 'x' }] }),
    false,
  ],
  ['one field less', withContainer({ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'A' }] }), false],
  ['nothing in a list', withContainer({ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [] }), false],
  ['null', withContainer({ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: null }), false],
  ['a label', { ...plain, metadata: { labels: { a: 'b' } } }, false],
])('%s: the same signature? %s', (_name, object, isSame) => {
  expect(signatureOf(object) === signatureOf(plain)).toBe(isSame);
});

test('no signature for keys that are no scalars, for other alphabets, and for very many fields', () => {
  expect(signatureOf(withContainer({ name: { a: 1 } }))).toBeUndefined();
  expect(signatureOf({ metadata: { annotations: { пример: 'x' } } })).toBeUndefined();
  const data = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`key-${at}`, 'x']));
  expect(signatureOf({ metadata: { annotations: data } })).toBeUndefined();
});
