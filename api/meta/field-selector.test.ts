import { expect, test } from 'vitest';
import { statefulSet } from '../apps/stateful-set.ts';
import { job } from '../batch/job/job.ts';
import { certificateSigningRequest } from '../certificates/certificate-signing-request.ts';
import { configMap } from '../core/config-map.ts';
import type { KindDefinition } from '../kind.ts';
import { resourceSlice } from '../resource/resource-slice.ts';
import { checkFieldSelector, parseFieldSelector } from './field-selector.ts';

const running: Record<string, string> = { 'status.phase': 'Running', 'spec.nodeName': 'a' };
const valueOf = (field: string): string => running[field] ?? '';

test.each([
  ['', true],
  ['status.phase=Running', true],
  ['status.phase==Running,spec.nodeName=a', true],
  ['status.phase!=Running', false],
  ['spec.nodeName=', false],
  ['spec.nodeName=a\\,b', false],
])('%s: %s', (text, expected) => {
  expect(parseFieldSelector(text).matches(valueOf)).toBe(expected);
});

test.each([
  ['abc', "invalid selector: 'abc'; can't understand 'abc'"],
  ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
])('%s is refused', (text, message) => {
  expect(() => parseFieldSelector(text)).toThrow(message);
});

test('exact values serve indexes', () => {
  const selector = parseFieldSelector('spec.nodeName=n1,status.phase!=Failed');
  expect(selector.exact('spec.nodeName')).toBe('n1');
  expect(selector.exact('status.phase')).toBeUndefined();
});

test('unknown fields are refused as upstream does', () => {
  checkFieldSelector(configMap, parseFieldSelector('metadata.name=a,metadata.namespace=b'));
  expect(() => checkFieldSelector(configMap, parseFieldSelector('data.x=1'))).toThrow(
    '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  );
});

test.each([
  [certificateSigningRequest, 'metadata.name=a,spec.signerName=b', 'metadata.namespace=a', 'field label not supported: metadata.namespace'],
  [
    resourceSlice,
    'spec.driver=a,spec.nodeName=b',
    'spec.pool.name=a',
    'field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.pool.name',
  ],
  [statefulSet, 'metadata.name=a,status.successful=', 'spec.a=b', 'field label not supported for appsv1.StatefulSet: spec.a'],
  [job, 'metadata.namespace=a,status.successful=1', 'spec.a=b', 'field label "spec.a" not supported for batchv1.Job'],
])('each kind has its words', (definition, known, unknown, text) => {
  const kind = definition as unknown as KindDefinition;
  checkFieldSelector(kind, parseFieldSelector(known));
  expect(() => checkFieldSelector(kind, parseFieldSelector(unknown))).toThrow(expect.objectContaining({ message: text }));
});
