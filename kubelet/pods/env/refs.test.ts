import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { fieldValue } from './field-ref.ts';
import { resourceValue } from './resource-ref.ts';

const pod: Pod = {
  metadata: {
    name: 'p',
    namespace: 'ns',
    uid: 'u-1',
    labels: { b: '2', a: '1' },
    annotations: { 'example.com/x': 'line\n"quoted"\u0001' },
  },
  spec: { containers: [], nodeName: 'n1', serviceAccountName: 'sa' },
};
const addresses = { podIps: ['10.244.0.5', 'fd00::5'], hostIps: ['192.168.1.2', 'fd01::2'] };

test.each([
  ['metadata.name', 'p'],
  ['metadata.namespace', 'ns'],
  ['metadata.uid', 'u-1'],
  ["metadata.labels['a']", '1'],
  ["metadata.labels['absent']", ''],
  ["metadata.labels['__proto__']", ''],
  ['metadata.labels', 'a="1"\nb="2"'],
  ["metadata.annotations['example.com/x']", 'line\n"quoted"\u0001'],
  ['metadata.annotations', 'example.com/x="line\\n\\"quoted\\"\\x01"'],
  ['spec.nodeName', 'n1'],
  ['spec.serviceAccountName', 'sa'],
  ['status.podIP', '10.244.0.5'],
  ['status.podIPs', '10.244.0.5,fd00::5'],
  ['status.hostIP', '192.168.1.2'],
  ['status.hostIPs', '192.168.1.2,fd01::2'],
])('%s', (path, expected) => expect(fieldValue(pod, path, addresses)).toBe(expected));

test('an unknown path is refused', () => {
  expect(() => fieldValue(pod, 'spec.hostname', addresses)).toThrow('unsupported fieldPath: spec.hostname');
});

test.each<[resource: string, divisor: string | undefined, expected: string]>([
  ['requests.cpu', undefined, '1'],
  ['requests.cpu', '1m', '250'],
  ['limits.cpu', '1m', '2000'],
  ['limits.memory', '1Mi', '64'],
  ['limits.memory', undefined, '67108864'],
  ['requests.memory', '1', '0'],
  ['limits.ephemeral-storage', '1Gi', '10'],
])('%s / %s', (resource, divisor, expected) => {
  const container = { name: 'c', resources: { requests: { cpu: '250m' }, limits: { memory: '64Mi' } } };
  const allocatable = { cpu: '2', memory: '8Gi', 'ephemeral-storage': '10Gi' };
  expect(resourceValue(container, { resource, ...(divisor === undefined ? {} : { divisor }) }, allocatable)).toBe(expected);
});

test('an unknown resource is refused', () => {
  expect(() => resourceValue({ name: 'c' }, { resource: 'limits.gpu' }, {})).toThrow('unsupported container resource : limits.gpu');
});
