import type { V1MutatingAdmissionPolicyBinding } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { bindingColumns, policiesNotYet, validateBindingFrame } from './policies.ts';
import { defaultMatchResources, warnOfStaticName } from './rules.ts';

export interface MutatingAdmissionPolicyBinding extends V1MutatingAdmissionPolicyBinding {
  metadata: ObjectMeta;
}

export const mutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  scope: 'cluster',
  names: { plural: 'mutatingadmissionpolicybindings', categories: ['api-extensions'] },
  schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [({ spec }) => defaultMatchResources(spec?.matchResources)],
  validate: ({ spec = {} }) => validateBindingFrame(spec, { forMutation: true }),
  notYet: () => policiesNotYet,
  warnings: warnOfStaticName,
  columns: bindingColumns,
});
