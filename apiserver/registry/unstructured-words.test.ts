import { expect, test } from 'vitest';
import { unstructuredWords } from './unstructured-words.ts';

test.each([
  ['string into Go struct field DeploymentSpec.spec.replicas of type int32', 'unrecognized type: int32'],
  ['number into Go struct field EnvVar.spec.env.value of type string', 'unrecognized type: string'],
  ['number 5 into Go struct field ServicePort.spec.ports.protocol of type v1.Protocol', 'unrecognized type: string'],
  ['object into Go struct field PodSpec.spec.containers of type []v1.Container', 'cannot restore slice from map'],
  ['number into Go struct field ConfigMap.data of type map[string]string', 'cannot restore map from int64'],
  ['array into Go struct field Pod.spec of type v1.PodSpec', 'cannot restore struct from: slice'],
])('%s', (what, wanted) => {
  expect(unstructuredWords(`json: cannot unmarshal ${what}`)).toBe(wanted);
});

test('other problems keep their words', () => {
  expect(unstructuredWords('quantities must match')).toBe('quantities must match');
});
