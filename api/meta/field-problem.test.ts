import { expect, test } from 'vitest';
import { forbiddenField, invalid, invalidObject, tooLong, tooMany } from './field-problem.ts';

test('a refusal says nothing about what it does not know', () => {
  const status = invalidObject({ group: 'authorization.k8s.io', kind: '' }, '', [
    forbiddenField('', 'one of both'),
    invalid('spec.a', 1, 'no'),
  ]);
  expect(status.toStatus()).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: '.authorization.k8s.io "" is invalid: [: Forbidden: one of both, spec.a: Invalid value: 1: no]',
    reason: 'Invalid',
    details: {
      group: 'authorization.k8s.io',
      causes: [
        { reason: 'FieldValueForbidden', message: 'Forbidden: one of both' },
        { reason: 'FieldValueInvalid', message: 'Invalid value: 1: no', field: 'spec.a' },
      ],
    },
    code: 422,
  });
});

test.each<[string, unknown, string]>([
  ['a pointer to nothing', undefined, 'null'],
  ['a list or map that is not there', null, 'null'],
  ['a text', 'a "b" \\ \t \x07 \x7f \u200b ä <', '"a \\"b\\" \\\\ \\t \\a \\x7f \\u200b ä <"'],
  ['a sign beyond the first plane', '\u{e0001}\u{1f600}', '"\\U000e0001\u{1f600}"'],
  ['an object', { a: '<&>' }, '{"a":"\\u003c\\u0026\\u003e"}'],
  ['a number', -1, '-1'],
])('%s as Go shows it', (_name, value, shown) => {
  expect(invalid('f', value, '').message).toBe(`Invalid value: ${shown}`);
});

test('one is none of many', () => {
  expect([tooLong('f', 1).message, tooLong('f', 2).message]).toEqual([
    'Too long: may not be more than 1 byte',
    'Too long: may not be more than 2 bytes',
  ]);
  expect([tooMany('f', 2, 1).message, tooMany('f', 3, 2).message]).toEqual([
    'Too many: 2: must have at most 1 item',
    'Too many: 3: must have at most 2 items',
  ]);
});
