import { expect, test } from 'vitest';
import { configMap } from '../core/config-map.ts';
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
