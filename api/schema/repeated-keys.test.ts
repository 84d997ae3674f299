// What Go's decoder (sigs.k8s.io/json) makes of keys that come twice; the expectations are what it gave.
import { expect, test } from 'vitest';
import { pod } from '../core/pod/pod.ts';
import { createCodec } from './codec.ts';

const codec = createCodec();
const decode = (members: string, fieldValidation: 'Ignore' | 'Warn' = 'Ignore') =>
  codec.decodeBody(
    { bytes: Buffer.from(`{"kind":"Pod","apiVersion":"v1",${members}}`), mediaType: 'application/json' },
    pod,
    fieldValidation,
  );

test.each<[text: string, object: object]>([
  [
    '"metadata":{"name":"a","labels":{"x":"1","y":"2"}},"metadata":{"namespace":"n","labels":{"y":"3","z":"4"}}',
    { metadata: { name: 'a', namespace: 'n', labels: { x: '1', y: '3', z: '4' } } },
  ],
  ['"spec":{"nodeName":"a","hostNetwork":true},"spec":{"nodeName":"b"}', { spec: { containers: [], nodeName: 'b', hostNetwork: true } }],
  ['"spec":{"nodeName":"a"},"spec":null', { spec: { containers: [], nodeName: 'a' } }],
  ['"spec":{"nodeName":"a","nodeName":null}', { spec: { containers: [], nodeName: 'a' } }],
  ['"spec":{"priority":5,"priority":null}', { spec: { containers: [] } }],
  ['"spec":{"nodeSelector":{"a":"1"},"nodeSelector":null}', { spec: { containers: [] } }],
  [
    '"spec":{"securityContext":{"runAsUser":1,"runAsGroup":2},"securityContext":{"runAsUser":3}}',
    { spec: { containers: [], securityContext: { runAsUser: 3, runAsGroup: 2 } } },
  ],
  ['"spec":{"securityContext":{"runAsUser":1},"securityContext":null}', { spec: { containers: [] } }],
  [
    '"spec":{"containers":[],"tolerations":[{"key":"a","tolerationSeconds":3}],"tolerations":[{"operator":"Exists"}],"tolerations":[{"value":"v"},{"key":"w"}]}',
    { spec: { containers: [], tolerations: [{ key: 'a', tolerationSeconds: 3, operator: 'Exists', value: 'v' }, { key: 'w' }] } },
  ],
  [
    '"spec":{"volumes":[{"name":"v","secret":{"items":[{"key":"a","path":"b"}]}}]},"spec":{"volumes":[{"secret":{"items":[{"key":"c"}],"optional":true}}]}',
    { spec: { containers: [], volumes: [{ name: 'v', secret: { items: [{ key: 'c', path: 'b' }], optional: true } }] } },
  ],
  ['"metadata":{"finalizers":["a","b"],"finalizers":["c"]}', { metadata: { finalizers: ['c'] } }],
])('%s', (text, object) => {
  expect(decode(text).object).toMatchObject(object);
  const [property = ''] = Object.keys(object);
  expect(decode(text).object[property as 'metadata']).toEqual((object as Record<string, unknown>)[property]);
});

test('whoever asks is told of every repetition all the same', () => {
  const { warnings, object } = decode('"spec":{"x":1,"x":2,"nodeName":"q"},"spec":{"nodeName":"r","nodeName":"s","y":1}', 'Warn');
  expect(warnings).toEqual([
    'unknown field "spec.x"',
    'duplicate field "spec"',
    'duplicate field "spec.nodeName"',
    'unknown field "spec.y"',
  ]);
  expect(object).toMatchObject({ spec: { nodeName: 's' } });
});
