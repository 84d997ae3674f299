// Whatever comes as a body: an object, or a refusal in words; never another error, never a changed prototype.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '#api/meta/object.ts';
import { ApiError } from '#api/meta/status.ts';
import { createCodec, type DecodableKind, type FieldValidation } from './codec.ts';
import { parseJson } from './json.ts';
import { randomObject } from './random-object.ts';
import { parseYaml } from './yaml.ts';

const codec = createCodec();
const pod: DecodableKind = { group: '', version: 'v1', kind: 'Pod', schema: 'io.k8s.api.core.v1.Pod' };
const configMap: DecodableKind = { group: '', version: 'v1', kind: 'ConfigMap', schema: 'io.k8s.api.core.v1.ConfigMap' };
const mediaTypes = { json: 'application/json', yaml: 'application/yaml', protobuf: 'application/vnd.kubernetes.protobuf' };
type Format = keyof typeof mediaTypes;

/** The object, or the message of the refusal. */
function outcome(format: Format, bytes: Uint8Array, kind = pod, validation: FieldValidation = 'Strict'): object | string {
  try {
    const { object } = codec.decodeBody({ bytes, mediaType: mediaTypes[format] }, kind, validation);
    codec.encode(object);
    return object;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.code).toBe(400);
    return error.message;
  }
}

const text = (value: string): Buffer => Buffer.from(value);
/** Where in a body a mutation strikes, and what it writes there. */
const mutations = fc.array(fc.tuple(fc.nat({ max: 99_999 }), fc.nat({ max: 255 }), fc.constantFrom('set', 'insert', 'delete')), {
  minLength: 1,
  maxLength: 6,
});

function mutated(bytes: Uint8Array, changes: readonly (readonly [number, number, string])[]): Buffer {
  let result = Buffer.from(bytes);
  for (const [where, byte, how] of changes) {
    const at = result.length === 0 ? 0 : where % result.length;
    const after = result.subarray(how === 'insert' ? at : at + 1);
    result = Buffer.concat([result.subarray(0, at), ...(how === 'delete' ? [] : [Buffer.of(byte)]), after]);
  }
  return result;
}

describe.each(['json', 'yaml', 'protobuf'] as const)('%s', (format) => {
  test('bytes of any kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome(format, format === 'protobuf' ? Buffer.concat([text('k8s\0'), bytes]) : bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('real bodies, broken', () => {
    fc.assert(
      fc.property(fc.gen(), mutations, (gen, changes) => {
        const { object } = codec.decodeValue(randomObject(codec.schemas.get(pod.schema), gen), pod, 'Strict');
        const bytes = format === 'protobuf' ? codec.protobuf.envelope(pod, pod.schema, object) : codec.encode(object);
        outcome(format, mutated(bytes, changes));
        outcome(format, bytes.subarray(0, (changes[0]?.[0] ?? 0) % (bytes.length + 1)));
      }),
      { numRuns: 60 },
    );
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

test('JSON of any shape is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (json) => {
      const { value } = parseJson(text(json));
      expect(JSON.parse(JSON.stringify(value))).toEqual(JSON.parse(json));
    }),
    { numRuns: 300 },
  );
});

test('JSON is YAML, too', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const { parsed } = parseYaml(text(` ${JSON.stringify(value)}`));
      expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 100 },
  );
});

describe('hostile JSON', () => {
  const unrecognized = "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ";
  test.each<[string, string, string | RegExp]>([
    ['nothing', '', `${unrecognized}unexpected end of JSON input (<empty>)`],
    ['a byte order mark', '\ufeff{}', `${unrecognized}invalid character 'ï' looking for beginning of value (efbbbf7b7d)`],
    ['bytes behind it', '{} x', `${unrecognized}invalid character 'x' after top-level value ({} x)`],
    ['a second object', '{}{}', `${unrecognized}invalid character '{' after top-level value ({}{})`],
    ['depth in objects', '{"a":'.repeat(200_000), /invalid character '\{' exceeded max depth/],
    ['depth in lists', '['.repeat(1_000_000), /invalid character '\[' exceeded max depth/],
    [
      'a number of a million digits',
      `{"spec":{"priority":${'9'.repeat(1_000_000)}}}`,
      /cannot unmarshal number 9{9}.* PodSpec\.spec\.priority of type int32/,
    ],
    [
      'a number too large for anything',
      '{"spec":{"activeDeadlineSeconds":1e999999}}',
      /number 1e999999 into Go struct field PodSpec\.spec\.activeDeadlineSeconds of type int64$/,
    ],
    [
      'a quantity of a million digits',
      `{"spec":{"overhead":{"cpu":"${'9'.repeat(1_000_000)}"}}}`,
      /unable to parse numeric part of quantity$/,
    ],
    ['repeated keys', '{"metadata":{"name":"a","name":"b"}}', /strict decoding error: duplicate field "metadata\.name"$/],
    ['a version that is none', '{"apiVersion":"a/b/c"}', /unexpected GroupVersion string: a\/b\/c/],
    [
      'the wrong type deep inside',
      '{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}',
      /cannot unmarshal string into Go struct field ContainerPort\.spec\.containers\.ports\.containerPort of type int32$/,
    ],
  ])('%s', (_name, json, expected) => {
    const message = outcome('json', text(json));
    expect(typeof message).toBe('string');
    expect(message).toMatch(expected instanceof RegExp ? expected : new RegExp(`^${expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
  });

  test('the last of repeated keys counts, and each is told once', () => {
    const bytes = text(`{"data":{${'"a":"1",'.repeat(50_000)}"a":"2"}}`);
    const { object, warnings } = codec.decodeBody({ bytes, mediaType: mediaTypes.json }, configMap, 'Warn');
    expect([object, warnings]).toMatchObject([{ data: { a: '2' } }, ['duplicate field "data.a"']]);
  });

  test('keys that JavaScript knows are data', () => {
    const object = outcome('json', text('{"data":{"__proto__":"1","constructor":"2","hasOwnProperty":"3"}}'), configMap) as {
      data: object;
    };
    expect(Object.entries(object.data)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['hasOwnProperty', '3'],
    ]);
    expect(outcome('json', text('{"__proto__":{"metadata":{}}}'))).toContain('unknown field "__proto__"');
  });

  test('bytes that are no UTF-8, and halves of characters, become replacement characters', () => {
    const bytes = Buffer.concat([text('{"data":{"a":"x'), Buffer.of(0xff, 0xfe), text('","b":"\\ud800"}}')]);
    expect(outcome('json', bytes, configMap)).toMatchObject({ data: { a: 'x\ufffd\ufffd', b: '\ufffd' } });
  });
});

describe('hostile YAML', () => {
  const letters = 'abcdefghij'.split('');
  const laughs = letters
    .map(
      (name, at) =>
        `${name}: &${name} [${Array(9)
          .fill(at === 0 ? 'lol' : `*${letters[at - 1] ?? ''}`)
          .join(', ')}]`,
    )
    .join('\n');
  const doubling = Array.from({ length: 25 }, (_, at) => `k${at + 1}: &k${at + 1} {<<: [*k${at}, *k${at}], y${at}: 1}`).join('\n');
  test.each<[string, string | Buffer, string]>([
    ['a billion laughs', laughs, 'yaml: document contains excessive aliasing'],
    ['merges that double', `k0: &k0 {x: 1}\n${doubling}`, 'yaml: document contains excessive aliasing'],
    ['a long text in many places', `a: &a ${'x'.repeat(1_000_000)}\nb: [*a, *a, *a, *a]`, 'yaml: document contains excessive aliasing'],
    ['an anchor in itself', 'a: &a [*a]', "yaml: anchor 'a' value contains itself"],
    ['an alias of nothing', 'a: *b', "yaml: unknown anchor 'b' referenced"],
    ['depth', '['.repeat(30_000), 'yaml: exceeded max depth of 10000'],
    ['depth in blocks', `${'- '.repeat(20_000)}a`, 'yaml: exceeded max depth of 10000'],
    ['too many lines', 'a: b\n'.repeat(90_000), 'yaml: document is too large to be read as YAML, send it as JSON'],
    ['a merge of a number', 'a: {<<: 1}', 'yaml: map merge requires map or sequence of maps as the value'],
    ['a list for a key', '? [a]\n: 1', 'error converting YAML to JSON: unsupported map key of type: map'],
    ['control characters', 'a: \u0001', 'yaml: control characters are not allowed'],
    ['bytes that are no UTF-8', Buffer.of(0x61, 0x3a, 0x20, 0xff), 'yaml: invalid leading UTF-8 octet'],
    ['an open quote', `a: "${'x'.repeat(100_000)}`, 'yaml: found unexpected end of stream'],
  ])('%s', (_name, yaml, expected) => {
    const message = outcome('yaml', Buffer.from(yaml as string));
    expect(message).toContain(`the object provided is unrecognized (must be of type Pod): ${expected} (`);
  });

  test('tags that run code elsewhere are texts, __proto__ is a key, the first document counts', () => {
    const yaml = '__proto__: {b: 1}\na: !!js/function "f()"\nc: !!int "0x1f"\n---\na: 2\n';
    const { value } = parseYaml(text(yaml)).parsed;
    expect(Object.entries(value as { [key: string]: Json })).toEqual([
      ['__proto__', { b: 1 }],
      ['a', 'f()'],
      ['c', 31],
    ]);
  });
});

describe('hostile protobuf', () => {
  /** `length` bytes of `fill` behind the head, in hex. */
  const body = (head: string, fill = 0, length = 0): Buffer =>
    Buffer.concat([Buffer.from(`6b387300${head}`, 'hex'), Buffer.alloc(length, fill)]);
  test.each<[string, Buffer, string]>([
    ['a huge length', body('12ffffffff7f'), 'unexpected EOF'],
    ['a length beyond every number', body('12ffffffffffffffffff01'), 'unexpected EOF'],
    ['an endless number', body('48ffffffffffffffffffffff'), 'proto: integer overflow'],
    ['a million open groups', body('', 0x2b, 1_000_000), 'unexpected EOF'],
    ['the end of a group that never began', body('2c'), 'proto: wiretype end group for non-group'],
    ['field zero', body('0200'), 'proto: illegal tag 0 (wire type 2)'],
    ['an unknown wire type', body('2e'), 'proto: illegal wireType 6'],
    ['a number for a message', body('12021001'), 'proto: wrong wireType = 0 for field 2'],
    ['a message for a number', body('120412022200'), 'proto: wrong wireType = 2 for field 4'],
    ['a message that is cut short', body('1203120120'), 'unexpected EOF'],
    [
      'an embedded object that is no JSON',
      body('120b0a098a01063a040a02787b'),
      "an embedded object is no JSON: invalid character 'x' looking for",
    ],
  ])('%s', (_name, bytes, expected) => {
    expect(outcome('protobuf', bytes)).toContain(expected);
  });

  test('unknown fields of every kind are passed over', () => {
    const unknown = 'f83f01' + 'f93f0102030405060708' + 'fa3f0161' + 'fd3f01020304' + 'fb3f' + '0801' + 'fb3ffc3f' + 'fc3f';
    const name = '0a030a0161';
    const message = Buffer.from(unknown + name, 'hex');
    const bytes = Buffer.concat([body('12'), Buffer.of(message.length), message]);
    expect(outcome('protobuf', bytes)).toMatchObject({ metadata: { name: 'a' } });
  });
});
