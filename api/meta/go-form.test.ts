import { expect, test } from 'vitest';
import { mapForm, selectorForm } from './go-form.ts';

test('maps are shown by their keys in order', () => {
  expect(JSON.stringify(mapForm({ b: '1', a: '2' }))).toBe('{"a":"2","b":"1"}');
  expect(mapForm(undefined)).toBeNull();
});

test.each<[string, object, string]>([
  ['nothing', {}, '{}'],
  ['empty parts', { matchLabels: {}, matchExpressions: [] }, '{}'],
  [
    'both parts, in whatever order they came',
    { matchExpressions: [{ values: [], operator: 'Exists', key: 'k' }], matchLabels: { b: '1', a: '2' } },
    '{"matchLabels":{"a":"2","b":"1"},"matchExpressions":[{"key":"k","operator":"Exists"}]}',
  ],
  [
    'values',
    { matchExpressions: [{ key: 'k', operator: 'In', values: ['b', 'a'] }] },
    '{"matchExpressions":[{"key":"k","operator":"In","values":["b","a"]}]}',
  ],
])('a selector: %s', (_name, selector, shown) => {
  expect(JSON.stringify(selectorForm(selector))).toBe(shown);
});
