import type { V1ValidatingAdmissionPolicyBinding } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { duplicate, type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { bindingColumns, policiesNotYet, validateBindingFrame } from './policies.ts';
import { defaultMatchResources, warnOfStaticName } from './rules.ts';

export interface ValidatingAdmissionPolicyBinding extends V1ValidatingAdmissionPolicyBinding {
  metadata: ObjectMeta;
}

const actionNames = ['Audit', 'Deny', 'Warn'];
const bothText =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  scope: 'cluster',
  names: { plural: 'validatingadmissionpolicybindings', categories: ['api-extensions'] },
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [({ spec }) => defaultMatchResources(spec.matchResources)],
  validate: ({ spec }) => [...validateBindingFrame(spec), ...validateActions(spec.validationActions ?? [])],
  notYet: () => policiesNotYet,
  warnings: warnOfStaticName,
  columns: bindingColumns,
});

function validateActions(actions: readonly string[]): FieldProblem[] {
  const field = 'spec.validationActions';
  const problems = actions.flatMap((action, at) => [
    ...(actionNames.includes(action) ? [] : [notSupported(`${field}[${at}]`, action, actionNames)]),
    ...(actions.indexOf(action) < at ? [duplicate(`${field}[${at}]`, action)] : []),
  ]);
  if (actions.includes('Deny') && actions.includes('Warn')) problems.push(invalid(field, actions, bothText));
  return actions.length === 0 ? [...problems, required(field, 'at least one validation action is required')] : problems;
}
