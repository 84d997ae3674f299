import type { V1MutatingAdmissionPolicy, V1Mutation } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { oneOf } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { policiesNotYet, policyColumns, validatePolicyFrame } from './policies.ts';
import { defaultMatchResources, reinvocationPolicies, warnOfStaticName } from './rules.ts';

export interface MutatingAdmissionPolicy extends V1MutatingAdmissionPolicy {
  metadata: ObjectMeta;
}

/** Patch type -> the part that says how. */
const patchParts = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

export const mutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  scope: 'cluster',
  names: { plural: 'mutatingadmissionpolicies', categories: ['api-extensions'] },
  schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [
    ({ spec = {} }) => {
      spec.failurePolicy ??= 'Fail';
      defaultMatchResources(spec.matchConstraints);
    },
  ],
  validate: validatePolicy,
  notYet: () => policiesNotYet,
  warnings: warnOfStaticName,
  columns: policyColumns({
    name: 'Mutations',
    type: 'integer',
    description: 'Mutation indicates the number of mutations rules defined in this configuration',
    value: ({ spec }) => spec?.mutations?.length ?? 0,
  }),
});

function validatePolicy({ spec = {} }: Unchecked<MutatingAdmissionPolicy>): FieldProblem[] {
  const { mutations = [], reinvocationPolicy } = spec;
  const problems = validatePolicyFrame(spec, { forMutation: true });
  if (mutations.length === 0) problems.push(required('spec.mutations', 'mutations must contain at least one item'));
  mutations.forEach((mutation, at) => problems.push(...validateMutation(mutation, `spec.mutations[${at}]`)));
  return [...problems, ...oneOf('spec.reinvocationPolicy', reinvocationPolicy, reinvocationPolicies)];
}

function validateMutation(mutation: Unchecked<V1Mutation>, path: string): FieldProblem[] {
  const { patchType = '' } = mutation;
  if (patchType === '') return [required(`${path}.patchType`)];
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    return [notSupported(`${path}.patchType`, patchType, Object.keys(patchParts))];
  }
  const [own, other] = [patchParts[patchType], patchParts[patchType === 'JSONPatch' ? 'ApplyConfiguration' : 'JSONPatch']];
  const problems: FieldProblem[] = [];
  if (mutation[own] === undefined) problems.push(required(`${path}.${own}`, `must be specified when patchType is ${patchType}`));
  else if ((mutation[own].expression ?? '').trim() === '') problems.push(required(`${path}.${own}.expression`));
  if (mutation[other] !== undefined) {
    problems.push(invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
  }
  return problems;
}
