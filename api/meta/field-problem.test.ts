import { expect, test } from 'vitest';
import { forbiddenField, invalid, invalidObject } from './field-problem.ts';

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
