import type { V1AuditAnnotation, V1ExpressionWarning, V1ValidatingAdmissionPolicy, V1Validation } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { validateConditions } from '../meta/conditions.ts';
import { oneOfIfSet, qualifiedName } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import { byteLength } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { keepMetaInStatus } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { policiesNotYet, policyColumns, validatePolicyFrame } from './policies.ts';
import { defaultMatchResources, warnOfStaticName } from './rules.ts';

export interface ValidatingAdmissionPolicy extends V1ValidatingAdmissionPolicy {
  metadata: ObjectMeta;
}

const maxAuditAnnotations = 20;
const valueLimitBytes = 5 * 1_024;
const lineBreak = /[\n\r]/;
const someText = 'validations or auditAnnotations must contain at least one item';

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  scope: 'cluster',
  names: { plural: 'validatingadmissionpolicies', categories: ['api-extensions'] },
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [
    ({ spec = {} }) => {
      spec.failurePolicy ??= 'Fail';
      defaultMatchResources(spec.matchConstraints);
    },
  ],
  prepareCreate: (created) => {
    created.status = {};
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === 'status') keepMetaInStatus(next.metadata, prev.metadata);
  },
  validate: validatePolicy,
  notYet: () => policiesNotYet,
  warnings: warnOfStaticName,
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
  columns: policyColumns({
    name: 'Validations',
    type: 'integer',
    description: 'Validations indicates the number of validation rules defined in this configuration',
    value: ({ spec }) => spec?.validations?.length ?? 0,
  }),
});

function validatePolicy(
  { metadata, spec = {}, status }: Unchecked<ValidatingAdmissionPolicy>,
  { subresource }: WriteContext,
): FieldProblem[] {
  if (subresource === 'status') return validateStatus(status ?? {});
  const { validations = [], auditAnnotations = [] } = spec;
  const problems = validatePolicyFrame(spec);
  if (validations.length === 0 && auditAnnotations.length === 0) {
    return [...problems, required('spec.validations', someText), required('spec.auditAnnotations', someText)];
  }
  validations.forEach((validation, at) => problems.push(...validateValidation(validation, `spec.validations[${at}]`)));
  if (auditAnnotations.length > maxAuditAnnotations) {
    const text = `must not have more than ${maxAuditAnnotations} auditAnnotations`;
    problems.push(
      invalid(
        'spec.auditAnnotations',
        auditAnnotations.map((one) => goTree(one, { Key: '', ValueExpression: '' })),
        text,
      ),
    );
  }
  auditAnnotations.forEach((annotation, at) => {
    const path = `spec.auditAnnotations[${at}]`;
    problems.push(...validateAuditAnnotation(annotation, metadata?.name ?? '', path));
    const isRepeated = auditAnnotations.findIndex(({ key }) => key === annotation.key) < at;
    if (isRepeated) problems.push(duplicate(`${path}.key`, annotation.key ?? ''));
  });
  return problems;
}

function validateValidation(validation: Unchecked<V1Validation>, path: string): FieldProblem[] {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  const problems: FieldProblem[] = [];
  if (expression.trim() === '') problems.push(required(`${path}.expression`, 'expression is not specified'));
  if (messageExpression !== '' && messageExpression.trim() === '') {
    problems.push(invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  }
  if (message !== '' && message.trim() === '') problems.push(invalid(`${path}.message`, message, 'must be non-empty if specified'));
  else if (lineBreak.test(message.trim())) problems.push(invalid(`${path}.message`, message, 'must not contain line breaks'));
  return [...problems, ...oneOfIfSet(`${path}.reason`, reason, ['Forbidden', 'Invalid', 'RequestEntityTooLarge'])];
}

function validateAuditAnnotation(annotation: Unchecked<V1AuditAnnotation>, policy: string, path: string): FieldProblem[] {
  const { key = '', valueExpression = '' } = annotation;
  const problems =
    policy === '' ? [invalid(`${path}.key`, key, 'requires metadata.name be non-empty')] : qualifiedName(`${path}.key`, `${policy}/${key}`);
  const field = `${path}.valueExpression`;
  const text = valueExpression.trim();
  if (text === '') problems.push(required(field, 'valueExpression is not specified'));
  else if (byteLength(text) > valueLimitBytes) problems.push(required(field, `must not exceed ${valueLimitBytes} bytes in length`));
  return problems;
}

function validateStatus({ typeChecking, conditions }: Unchecked<NonNullable<ValidatingAdmissionPolicy['status']>>): FieldProblem[] {
  return [
    ...(typeChecking?.expressionWarnings ?? []).flatMap((warning, at) =>
      validateExpressionWarning(warning, `status.typeChecking.expressionWarnings[${at}]`),
    ),
    ...validateConditions(conditions, 'status.conditions'),
  ];
}

function validateExpressionWarning({ warning = '', fieldRef = '' }: Unchecked<V1ExpressionWarning>, path: string): FieldProblem[] {
  const problems = warning === '' ? [required(`${path}.warning`)] : [];
  return fieldRef.trim() === '' ? [...problems, required(`${path}.fieldRef`)] : problems;
}
