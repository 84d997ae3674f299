import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/meta/status.ts';
import { codec, decode, type KindName, kinds, refusal } from './testing.ts';

describe('canonical form', () => {
  test.each<[string, KindName, object, object]>([
    ['metadata, spec and status are there', 'Deployment', {}, { spec: {}, status: {} }],
    [
      'null means missing',
      'Pod',
      { metadata: { name: 'a', labels: null }, spec: null },
      { metadata: { name: 'a' }, spec: { containers: [] }, status: {} },
    ],
    [
      'empty is left out where Go leaves it out',
      'Pod',
      {
        metadata: { name: 'a', namespace: '', labels: {}, finalizers: [] },
        spec: { containers: [], hostNetwork: false, nodeName: '', priority: 0 },
      },
      { metadata: { name: 'a' }, spec: { containers: [], priority: 0 }, status: {} },
    ],
    ['pointers keep their zeros', 'Deployment', { spec: { replicas: 0, minReadySeconds: 0 } }, { spec: { replicas: 0 } }],
    ['required numbers are there', 'ReplicaSet', {}, { status: { replicas: 0 } }],
    [
      'quantities',
      'Pod',
      {
        spec: {
          containers: [{ name: 'a', resources: { limits: { cpu: '1000m', memory: 1024 }, requests: { cpu: '0.5', memory: '1024Mi' } } }],
        },
      },
      { spec: { containers: [{ resources: { limits: { cpu: '1', memory: '1024' }, requests: { cpu: '500m', memory: '1Gi' } } }] } },
    ],
    [
      'times are UTC and whole seconds',
      'Pod',
      { metadata: { creationTimestamp: '2026-03-01T01:30:00.75+02:00', deletionTimestamp: '0001-01-01T00:00:00Z' } },
      { metadata: { creationTimestamp: '2026-02-28T23:30:00Z' } },
    ],
    [
      'micro times have six digits',
      'Lease',
      { spec: { renewTime: '2026-01-01T00:00:00.123456+01:00' } },
      { spec: { renewTime: '2025-12-31T23:00:00.123456Z' } },
    ],
    ['base64', 'Secret', { data: { a: 'aGVs\nbG8=', b: '' } }, { data: { a: 'aGVsbG8=', b: '' } }],
    [
      'raw values stay',
      'ControllerRevision',
      { data: { a: null, b: [0, '', {}] }, revision: 3 },
      { data: { a: null, b: [0, '', {}] }, revision: 3 },
    ],
  ])('%s', (_name, kind, input, expected) => {
    const { object, warnings } = decode(kind, JSON.stringify(input));
    expect(warnings).toEqual([]);
    expect(object).toMatchObject({ kind, ...expected });
    expect(JSON.parse(Buffer.from(codec.encode(object)).toString())).toEqual(object);
  });

  test('what was left out is really gone', () => {
    const { object } = decode(
      'Pod',
      '{"metadata":{"name":"a","labels":{},"deletionTimestamp":"0001-01-01T00:00:00Z"},"spec":{"hostPID":false,"nodeName":""}}',
    );
    expect(object).toEqual({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' }, spec: { containers: [] }, status: {} });
  });

  test('big numbers in raw values keep every digit', () => {
    const { object } = decode('ControllerRevision', '{"data":{"a":12345678901234567890,"b":1.50}}');
    expect(JSON.stringify(object)).toContain('"data":{"a":12345678901234567890,"b":1.5}');
  });

  test('decoding twice changes nothing', () => {
    const { object } = decode(
      'Deployment',
      '{"metadata":{"name":"a"},"spec":{"template":{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"0.1"}}}]}}}}',
    );
    const text = JSON.stringify(object);
    expect(JSON.stringify(codec.decodeValue(JSON.parse(text), kinds.Deployment, 'Strict').object)).toBe(text);
  });

  test('bytes may come as a list of numbers', () => {
    expect(decode('ConfigMap', '{"binaryData":{"a":[1,null,255]}}').object).toMatchObject({ binaryData: { a: 'AQD/' } });
  });
});

describe('depth', () => {
  const nest = (depth: number, leaf: string): string => '{"properties":{"a":'.repeat(depth) + leaf + '}}'.repeat(depth);
  const crd = (schema: string): string => `{"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":${schema}}}]}}`;

  test('types that hold themselves do not recurse', () => {
    const { object, warnings } = decode('CustomResourceDefinition', crd(nest(4_900, '{"type":"object","foo":1}')));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^unknown field "spec\.versions\[0\]\.schema\.openAPIV3Schema\.properties\.a\.properties\..*\.a\.foo"$/);
    expect(Buffer.from(codec.encode(object)).toString()).toContain(nest(4_900, '{"type":"object"}'));
  });

  test('a wrong type deep inside is named with its place', () => {
    expect(refusal(() => decode('CustomResourceDefinition', crd(nest(2, '{"type":1}'))))).toMatch(
      /cannot unmarshal number into Go struct field JSONSchemaProps\.spec\.versions\.schema\.openAPIV3Schema\.properties\.properties\.type of type string$/,
    );
  });

  test('raw values may be as deep as upstream allows', () => {
    const deep = `${'['.repeat(9_990)}${']'.repeat(9_990)}`;
    expect(Buffer.from(codec.encode(decode('ControllerRevision', `{"data":${deep}}`).object)).toString()).toContain(deep);
  });
});

test('whatever comes, the answer is an object or a refusal', () => {
  const names = fc.constantFrom(
    'metadata',
    'spec',
    'status',
    'containers',
    'name',
    'labels',
    'image',
    'env',
    'value',
    'resources',
    'limits',
    'cpu',
    'ports',
    'template',
    'x',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium' },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.constantFrom<KindName>('Pod', 'Deployment', 'Secret', 'CustomResourceDefinition'),
      fc.dictionary(names, tree),
      (kind, body) => {
        try {
          const { object } = decode(kind, JSON.stringify(body));
          const text = JSON.stringify(object);
          expect(JSON.stringify(codec.decodeValue(JSON.parse(text), kinds[kind], 'Strict').object)).toBe(text);
        } catch (error) {
          if (!(error instanceof ApiError) || error.reason !== 'BadRequest') throw error;
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test('times that Go holds by value are null where nothing is known, pointers are left out', () => {
  const { object } = decode('Pod', '{"status":{"startTime":null,"conditions":[{"type":"Ready","status":"True"}]}}');
  expect(object).toMatchObject({
    metadata: {},
    status: { conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }] },
  });
  expect(JSON.stringify(object)).not.toMatch(/startTime|creationTimestamp/);
});
