// Bodies as kubectl 1.33 sent them.
import { describe, expect, test } from 'vitest';
import { createCodec } from './codec.ts';
import { goBodies } from './protobuf-samples.ts';

const codec = createCodec();
const mediaType = 'application/vnd.kubernetes.protobuf';

const deployment = `
  azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EsQBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEpIBCAMSDAoKCgNhcHASA3dlYhp4ChwKABIAGgAiACoA
  MgA4AEIAWgoKA2FwcBIDd2ViElgSOgoFaGVsbG8SEGNveHN3YWluL2hlbGxvOjEqADILCgAQABiQPyIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgA
  ggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=`;
const secret = 'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA=';
const token = `
  azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBItChAKABIAGgAiACoAMgA4AEIAEhMaDgoDUG9kEgJ2MRoBcCIAINgEGgQKABIAGgAi
  AA==`;
const service = `
  azhzAAoNCgJ2MRIHU2VydmljZRJmChsKAXgSABoAIgAqADIAOABCAFoICgNhcHASAXgSQwoeCgc4MC1odHRwEgNUQ1AYUCIKCAEQABoEaHR0cCgAEggKA2FwcBIBeBoA
  IglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==`;
const review = `
  azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABCABIeChwKB2RlZmF1bHQSA2dldBoA
  IgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=`;

const cases: [string, { group: string; version: string; kind: string; schema: string }, string, object][] = [
  [
    'a Deployment',
    { group: 'apps', version: 'v1', kind: 'Deployment', schema: 'io.k8s.api.apps.v1.Deployment' },
    deployment,
    {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        strategy: {},
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'hello', image: 'coxswain/hello:1', ports: [{ containerPort: 8080 }], resources: {} }] },
        },
      },
      status: {},
    },
  ],
  [
    'a Secret: bytes in a map',
    { group: '', version: 'v1', kind: 'Secret', schema: 'io.k8s.api.core.v1.Secret' },
    secret,
    { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' }, data: { a: 'Yg==' } },
  ],
  [
    'a TokenRequest: numbers and references',
    {
      group: 'authentication.k8s.io',
      version: 'v1',
      kind: 'TokenRequest',
      schema: 'io.k8s.api.authentication.v1.TokenRequest',
    },
    token,
    { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' }, expirationSeconds: 600 } },
  ],
  [
    'a Service: a target port by name',
    { group: '', version: 'v1', kind: 'Service', schema: 'io.k8s.api.core.v1.Service' },
    service,
    {
      metadata: { name: 'x', labels: { app: 'x' } },
      spec: { ports: [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http' }], selector: { app: 'x' }, type: 'ClusterIP' },
    },
  ],
  [
    'a SelfSubjectAccessReview',
    {
      group: 'authorization.k8s.io',
      version: 'v1',
      kind: 'SelfSubjectAccessReview',
      schema: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
    },
    review,
    { spec: { resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } } },
  ],
];

describe('protobuf bodies', () => {
  test.each(cases)('%s', (_name, kind, base64, expected) => {
    const { object, warnings } = codec.decodeBody({ bytes: Buffer.from(base64, 'base64'), mediaType }, kind, 'Warn');
    expect(object).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  test.each(cases)('%s is written as it came, byte for byte', (_name, kind, base64) => {
    const bytes = Buffer.from(base64, 'base64');
    const { object } = codec.decodeBody({ bytes, mediaType }, kind, 'Strict');
    expect(codec.protobuf.envelope(kind, kind.schema, object).toString('hex')).toBe(bytes.toString('hex'));
  });

  test.each(Object.entries(goBodies))('%s of Go comes and goes, byte for byte', (schema, base64) => {
    const bytes = Buffer.from(base64, 'base64');
    const kind = codec.schemas.kindOf(schema);
    if (kind === undefined) throw new Error('no such kind');
    const { object } = codec.decodeBody({ bytes, mediaType }, { ...kind, schema }, 'Strict');
    expect(codec.protobuf.envelope(kind, schema, object).toString('hex')).toBe(bytes.toString('hex'));
  });

  test('leave nothing behind that JSON would not have', () => {
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment', schema: 'io.k8s.api.apps.v1.Deployment' };
    const { object } = codec.decodeBody({ bytes: Buffer.from(deployment, 'base64'), mediaType }, kind, 'Strict');
    expect(JSON.parse(JSON.stringify(object))).toEqual(cases[0]?.[3]);
  });

  test.each<[string, Buffer, RegExp]>([
    ['no envelope', Buffer.from('{}'), /does not appear to be a protobuf message, expected prefix \[107 56 115 0\]/],
    ['cut short', Buffer.from(secret, 'base64').subarray(0, 30), /unexpected EOF/],
    ['a wrong type', Buffer.from('6b3873000a0c0a0276311206536563726574120208 01'.replace(' ', ''), 'hex'), /wrong wireType/],
    ['a huge length', Buffer.from('6b38730012ffffffff0f', 'hex'), /unexpected EOF/],
  ])('refused: %s', (_name, bytes, why) => {
    const kind = { group: '', version: 'v1', kind: 'Secret', schema: 'io.k8s.api.core.v1.Secret' };
    expect(() => codec.decodeBody({ bytes, mediaType }, kind, 'Warn')).toThrow(why);
  });
});
