import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/meta/status.ts';
import { createCodec, type DecodableKind } from './codec.ts';

const codec = createCodec();
const kinds = {
  Pod: { group: '', version: 'v1', kind: 'Pod', schema: 'io.k8s.api.core.v1.Pod' },
  Secret: { group: '', version: 'v1', kind: 'Secret', schema: 'io.k8s.api.core.v1.Secret' },
  ConfigMap: { group: '', version: 'v1', kind: 'ConfigMap', schema: 'io.k8s.api.core.v1.ConfigMap' },
  Deployment: { group: 'apps', version: 'v1', kind: 'Deployment', schema: 'io.k8s.api.apps.v1.Deployment' },
  ReplicaSet: { group: 'apps', version: 'v1', kind: 'ReplicaSet', schema: 'io.k8s.api.apps.v1.ReplicaSet' },
  ControllerRevision: { group: 'apps', version: 'v1', kind: 'ControllerRevision', schema: 'io.k8s.api.apps.v1.ControllerRevision' },
  SubjectAccessReview: {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SubjectAccessReview',
    schema: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  },
  Lease: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', schema: 'io.k8s.api.coordination.v1.Lease' },
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    schema: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  },
} satisfies Record<string, DecodableKind>;
type KindName = keyof typeof kinds;

function decode(kind: KindName, text: string, validation: 'Ignore' | 'Warn' | 'Strict' = 'Warn', mediaType = 'application/json') {
  return codec.decodeBody({ bytes: Buffer.from(text), mediaType }, kinds[kind], validation);
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'BadRequest' && error.code === 400) return error.message;
    throw error;
  }
  throw new Error('was not refused');
}

describe('decodeBody refuses', () => {
  const handled = 'in version "v1" cannot be handled as a';
  test.each<[string, KindName, string, string]>([
    [
      'a string for a number',
      'Deployment',
      '{"spec":{"replicas":"3"}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'a number for a string, deep inside',
      'Deployment',
      '{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"x","value":1}]}]}}}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string`,
    ],
    [
      'an object for a list',
      'Pod',
      '{"spec":{"containers":{"name":"a"}}}',
      `Pod ${handled} Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container`,
    ],
    [
      'a string for a struct',
      'Pod',
      '{"spec":"x"}',
      `Pod ${handled} Pod: json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec`,
    ],
    [
      'a number among labels',
      'Pod',
      '{"metadata":{"labels":{"a":1}}}',
      `Pod ${handled} Pod: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
    [
      'a list for a map',
      'ConfigMap',
      '{"data":["a"]}',
      `ConfigMap ${handled} ConfigMap: json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string`,
    ],
    [
      'a string for a boolean',
      'Pod',
      '{"spec":{"hostNetwork":"yes"}}',
      `Pod ${handled} Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool`,
    ],
    [
      'a fraction for an integer',
      'Deployment',
      '{"spec":{"replicas":1.5}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'one written as a fraction',
      'Deployment',
      '{"spec":{"replicas":1.0}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 1.0 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'an integer beyond 32 bits',
      'Deployment',
      '{"spec":{"replicas":2147483648}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'a named string type',
      'Pod',
      '{"spec":{"restartPolicy":1}}',
      `Pod ${handled} Pod: json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy`,
    ],
    [
      'a bad quantity',
      'Pod',
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"lots"}}}]}}',
      `Pod ${handled} Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ],
    [
      'a bad time',
      'Pod',
      '{"metadata":{"creationTimestamp":"yesterday"}}',
      `Pod ${handled} Pod: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
    ],
    [
      'a micro time without its digits',
      'Lease',
      '{"spec":{"renewTime":"2026-01-01T00:00:00Z"}}',
      `Lease ${handled} Lease: parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"`,
    ],
    ['bad base64', 'Secret', '{"data":{"a":"a*b="}}', `Secret ${handled} Secret: illegal base64 data at input byte 1`],
    [
      'a fraction for int-or-string',
      'Deployment',
      '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0.5}}}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 0.5 into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32`,
    ],
    [
      'another kind',
      'Deployment',
      '{"apiVersion":"v1","kind":"Pod"}',
      `Pod ${handled} Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion`,
    ],
    [
      'a kind that does not exist',
      'Deployment',
      '{"apiVersion":"apps/v1","kind":"Foo"}',
      `Foo ${handled} Deployment: no kind "Foo" is registered for version "apps/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
    ],
    [
      'nonsense instead of JSON',
      'Pod',
      'hello',
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value (68656c6c6f)",
    ],
    [
      'an empty body',
      'Pod',
      '',
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      'a list as body',
      'Pod',
      '[]',
      'the object provided is unrecognized (must be of type Pod): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
    ],
    [
      'a group version of three parts',
      'Pod',
      '{"apiVersion":"a/b/c"}',
      'the object provided is unrecognized (must be of type Pod): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})',
    ],
  ])('%s', (_name, kind, body, message) => {
    expect(refusal(() => decode(kind, body))).toBe(message);
  });

  test('the same kind in another version of its group', () => {
    const hpa = {
      group: 'autoscaling',
      version: 'v2',
      kind: 'HorizontalPodAutoscaler',
      schema: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
    };
    const bytes = Buffer.from('{"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler"}');
    expect(refusal(() => codec.decodeBody({ bytes, mediaType: 'application/json' }, hpa, 'Warn'))).toBe(
      'the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)',
    );
  });
});

describe('unknown and repeated fields', () => {
  const body =
    '{"spec":{"foo":1,"replicas":1,"replicas":2,"template":{"spec":{"containers":[{"image":"a","imgae":"b"}],"bar":{"x":1,"x":2}}}},"baz":1}';
  const problems = [
    'unknown field "spec.foo"',
    'duplicate field "spec.replicas"',
    'unknown field "spec.template.spec.containers[0].imgae"',
    'unknown field "spec.template.spec.bar"',
    'unknown field "baz"',
  ];

  test('warn once each', () => {
    const { object, warnings } = decode('Deployment', body, 'Warn');
    expect(warnings).toEqual(problems);
    expect(object).toMatchObject({ spec: { replicas: 2, template: { spec: { containers: [{ image: 'a' }] } } } });
    expect(JSON.stringify(object)).not.toMatch(/foo|imgae|bar|baz/);
  });

  test('are refused when strict, all named', () => {
    expect(refusal(() => decode('Deployment', body, 'Strict'))).toBe(
      `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ${problems.join(', ')}`,
    );
  });

  test('go unmentioned when ignored', () => {
    expect(decode('Deployment', body, 'Ignore').warnings).toEqual([]);
  });

  test('names differ in case', () => {
    expect(decode('Pod', '{"Spec":{}}').warnings).toEqual(['unknown field "Spec"']);
  });

  test('repeated labels are named, and what is inside a raw value is not looked at', () => {
    expect(decode('Pod', '{"metadata":{"labels":{"a":"1","a":"2"}}}').warnings).toEqual(['duplicate field "metadata.labels.a"']);
    expect(decode('ControllerRevision', '{"data":{"a":"1","a":"2"}}').warnings).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['{"spec":{"a":1},"spec":{"b":1}}', ['unknown field "spec.a"', 'duplicate field "spec"', 'unknown field "spec.b"']],
    [
      '{"spec":{"containers":[{"name":"a","nme":"x"}],"containers":[{"name":"b"}]}}',
      ['unknown field "spec.containers[0].nme"', 'duplicate field "spec.containers"'],
    ],
    ['{"spec":{"x":1,"x":2}}', ['unknown field "spec.x"']],
  ])('every value that comes for a key is looked at: %s', (text, warnings) => {
    expect(decode('Pod', text).warnings).toEqual(warnings);
  });

  test.each<[string, string]>([
    ['{"spec":{"nodeName":5,"nodeName":"b"}}', 'json: cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string'],
    [
      '{"metadata":{"labels":{"a":1},"labels":{"b":"2"}}}',
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"1x","cpu":"1"}}}]}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('a value of a wrong type is refused although another comes after it: %s', (text, why) => {
    expect(refusal(() => decode('Pod', text, 'Ignore'))).toBe(`Pod in version "v1" cannot be handled as a Pod: ${why}`);
  });

  test.each<[string, string]>([
    [
      '{"spec":{"volumes":[{"configMap":{"name":5}}]}}',
      'number into Go struct field ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.LocalObjectReference.name of type string',
    ],
    ['{"metadata":{"creationTimestamp":5}}', 'number into Go struct field ObjectMeta.metadata.creationTimestamp of type string'],
    [
      '{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":true}}}]}}',
      'bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32',
    ],
    [
      '{"status":{"nodeAllocatableResourceClaimStatuses":[{"resources":5}]}}',
      'number into Go struct field NodeAllocatableResourceClaimStatus.status.nodeAllocatableResourceClaimStatuses.resources of type map[v1.ResourceName]resource.Quantity',
    ],
    [
      '{"spec":{"nodeName":5,"activeDeadlineSeconds":"x"},"metadata":{"creationTimestamp":"x"}}',
      'number into Go struct field PodSpec.spec.nodeName of type string',
    ],
  ])('the first wrong type is named as Go names it: %s', (text, why) => {
    expect(refusal(() => decode('Pod', text))).toBe(`Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ${why}`);
  });

  test.each<[KindName, string, string]>([
    [
      'SubjectAccessReview',
      '{"spec":{"extra":5}}',
      'number into Go struct field SubjectAccessReviewSpec.spec.extra of type map[string]v1.ExtraValue',
    ],
    [
      'SubjectAccessReview',
      '{"spec":{"extra":{"a":5}}}',
      'number into Go struct field SubjectAccessReviewSpec.spec.extra of type v1.ExtraValue',
    ],
    ['ConfigMap', '{"binaryData":{"a":[256]}}', 'number 256 into Go struct field ConfigMap.binaryData of type uint8'],
  ])('names of maps, lists and bytes: %s %s', (kind, text, why) => {
    expect(refusal(() => decode(kind, text))).toContain(`json: cannot unmarshal ${why}`);
  });

  test('bytes may come as a list of numbers', () => {
    expect(decode('ConfigMap', '{"binaryData":{"a":[1,null,255]}}').object).toMatchObject({ binaryData: { a: 'AQD/' } });
  });

  test('at most 100 are told', () => {
    const fields = Array.from({ length: 5_000 }, (_, index) => `"x${index}":1`);
    expect(decode('Pod', `{${fields.join(',')}}`).warnings).toHaveLength(100);
  });

  test('__proto__ is one of them, and a name like any other among labels', () => {
    const { object, warnings } = decode('Pod', '{"__proto__":{"a":1},"metadata":{"labels":{"__proto__":"x"}}}');
    expect(warnings).toEqual(['unknown field "__proto__"']);
    expect(JSON.stringify(object.metadata.labels)).toBe('{"__proto__":"x"}');
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  });
});

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
