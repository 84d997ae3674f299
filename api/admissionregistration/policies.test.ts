import { expect, test } from 'vitest';
import type { KindDefinition } from '../kind.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { mutatingAdmissionPolicy } from './mutating-admission-policy.ts';
import { mutatingAdmissionPolicyBinding } from './mutating-admission-policy-binding.ts';
import { validatingAdmissionPolicy } from './validating-admission-policy.ts';
import { validatingAdmissionPolicyBinding } from './validating-admission-policy-binding.ts';

const rules = (operation: string): string =>
  `resourceRules: [{operations: [${operation}], apiGroups: [""], apiVersions: [v1], resources: [pods]}]`;
const match = `matchConstraints: {${rules('CREATE')}}`;
const spec = (more: string): string => `metadata: {name: a}\nspec: {${more}}`;
const judging = (more: string): string => spec(`${match}, ${more}`);
const some = 'validations or auditAnnotations must contain at least one item';
const notFound = 'parameterNotFoundAction: Deny';

test.each<[string, string, string[]]>([
  ['fine', judging('validations: [{expression: "true"}]'), []],
  [
    'empty',
    spec(''),
    [
      'spec.matchConstraints: Required value',
      `spec.validations: Required value: ${some}`,
      `spec.auditAnnotations: Required value: ${some}`,
    ],
  ],
  [
    'frame',
    spec('failurePolicy: No, paramKind: {apiVersion: a/b/c}, matchConstraints: {matchPolicy: No}, validations: [{expression: x}]'),
    [
      'spec.failurePolicy: Unsupported value: "No": supported values: "Fail", "Ignore"',
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'spec.paramKind.kind: Required value',
      'spec.matchConstraints.matchPolicy: Unsupported value: "No": supported values: "Equivalent", "Exact"',
      'spec.matchConstraints.resourceRules: Required value',
    ],
  ],
  [
    'names of resources',
    spec(
      'matchConstraints: {resourceRules: [{operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [pods], resourceNames: [a, a, b/c]}]}, validations: [{expression: x}]',
    ),
    [
      'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
      'spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: "b/c": may not contain \'/\'',
    ],
  ],
  [
    'variables',
    judging('variables: [{name: in, expression: x}, {name: " ", expression: ""}], validations: [{expression: x}]'),
    [
      'spec.variables[0].name: Invalid value: "in": must be a valid CEL identifier',
      'spec.variables[1].name: Required value: name is not specified',
      'spec.variables[1].expression: Required value: expression is not specified',
    ],
  ],
  [
    'validations',
    judging('validations: [{expression: " ", message: " ", messageExpression: " ", reason: Odd}, {expression: x, message: "a\\nb"}]'),
    [
      'spec.validations[0].expression: Required value: expression is not specified',
      'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
      'spec.validations[0].message: Invalid value: " ": must be non-empty if specified',
      'spec.validations[0].reason: Unsupported value: "Odd": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      'spec.validations[1].message: Invalid value: "a\\nb": must not contain line breaks',
    ],
  ],
  [
    'audit annotations',
    judging(`auditAnnotations: [{key: k, valueExpression: " "}, {key: k, valueExpression: ${'x'.repeat(5_121)}}]`),
    [
      'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
      'spec.auditAnnotations[1].valueExpression: Required value: must not exceed 5120 bytes in length',
      'spec.auditAnnotations[1].key: Duplicate value: "k"',
    ],
  ],
  [
    'many audit annotations',
    judging(`auditAnnotations: [${Array.from({ length: 21 }, (_, at) => `{key: k${at}, valueExpression: v}`).join()}]`),
    [
      `spec.auditAnnotations: Invalid value: ${JSON.stringify(Array.from({ length: 21 }, (_, at) => ({ Key: `k${at}`, ValueExpression: 'v' })))}: must not have more than 20 auditAnnotations`,
    ],
  ],
])('ValidatingAdmissionPolicy: %s', (_name, yaml, expected) => {
  expect(createProblems(validatingAdmissionPolicy, yaml)).toEqual(expected);
});

test('status of a ValidatingAdmissionPolicy', () => {
  const status = { typeChecking: { expressionWarnings: [{ fieldRef: ' ', warning: '' }] } };
  const change = (next: { status?: object }): void => void (next.status = status);
  expect(updateProblems(validatingAdmissionPolicy, judging('validations: [{expression: x}]'), change, 'status')).toEqual([
    'status.typeChecking.expressionWarnings[0].warning: Required value',
    'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
  ]);
});

test.each<[string, string, string[]]>([
  ['fine', `policyName: p, validationActions: [Deny], paramRef: {name: n, ${notFound}}`, []],
  ['empty', '', ['spec.policyName: Required value', 'spec.validationActions: Required value: at least one validation action is required']],
  [
    'actions',
    'policyName: p, validationActions: [Deny, Warn, Warn, Odd]',
    [
      'spec.validationActions[2]: Duplicate value: "Warn"',
      'spec.validationActions[3]: Unsupported value: "Odd": supported values: "Audit", "Deny", "Warn"',
      'spec.validationActions: Invalid value: ["Deny","Warn","Warn","Odd"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
  ],
  [
    'name and selector',
    'policyName: p, validationActions: [Deny], paramRef: {name: a/b, selector: {}, parameterNotFoundAction: No}',
    [
      'spec.paramRef.name: Invalid value: "a/b": may not contain \'/\'',
      'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
      'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "No": supported values: "Deny", "Allow"',
    ],
  ],
  [
    'neither',
    'policyName: p, validationActions: [Deny], paramRef: {}',
    ['spec.paramRef: Required value: one of name or selector must be specified', 'spec.paramRef.parameterNotFoundAction: Required value'],
  ],
])('ValidatingAdmissionPolicyBinding: %s', (_name, more, expected) => {
  expect(createProblems(validatingAdmissionPolicyBinding, spec(more))).toEqual(expected);
});

const mutation = 'mutations: [{patchType: JSONPatch, jsonPatch: {expression: x}}], reinvocationPolicy: Never';
test.each<[string, string, string[]]>([
  ['fine', `${match}, ${mutation}`, []],
  [
    'nothing to do',
    match,
    ['spec.mutations: Required value: mutations must contain at least one item', 'spec.reinvocationPolicy: Required value'],
  ],
  [
    'what is deleted',
    `matchConstraints: {${rules('DELETE')}}, ${mutation}`,
    ['spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'],
  ],
  [
    'mutations',
    `${match}, reinvocationPolicy: Odd, mutations: [{}, {patchType: Odd}, {patchType: JSONPatch, applyConfiguration: {}}, {patchType: ApplyConfiguration, applyConfiguration: {}}]`,
    [
      'spec.mutations[0].patchType: Required value',
      'spec.mutations[1].patchType: Unsupported value: "Odd": supported values: "ApplyConfiguration", "JSONPatch"',
      'spec.mutations[2].jsonPatch: Required value: must be specified when patchType is JSONPatch',
      'spec.mutations[2].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      'spec.mutations[3].applyConfiguration.expression: Required value',
      'spec.reinvocationPolicy: Unsupported value: "Odd": supported values: "IfNeeded", "Never"',
    ],
  ],
])('MutatingAdmissionPolicy: %s', (_name, more, expected) => {
  expect(createProblems(mutatingAdmissionPolicy, spec(more))).toEqual(expected);
});

test('MutatingAdmissionPolicyBinding: only what is not deleted', () => {
  expect(createProblems(mutatingAdmissionPolicyBinding, spec(`policyName: p, matchResources: {${rules('DELETE')}}`))).toEqual([
    'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
  ]);
});

test('defaults', () => {
  const frame = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, resourceRules: [{ scope: '*' }] };
  for (const kind of [validatingAdmissionPolicy, mutatingAdmissionPolicy] as unknown as KindDefinition[]) {
    expect(decoded(kind, spec(match))).toMatchObject({ spec: { failurePolicy: 'Fail', matchConstraints: frame } });
  }
  for (const kind of [validatingAdmissionPolicyBinding, mutatingAdmissionPolicyBinding] as unknown as KindDefinition[]) {
    expect(decoded(kind, spec(`policyName: p, matchResources: {${rules('CREATE')}}`))).toMatchObject({ spec: { matchResources: frame } });
  }
});

test('columns', () => {
  const policy = judging('paramKind: {apiVersion: v1, kind: ConfigMap}, validations: [{expression: x}]');
  expect(row(validatingAdmissionPolicy, decoded(validatingAdmissionPolicy, policy))).toMatchObject({
    Validations: 1,
    ParamKind: 'v1/ConfigMap',
  });
  expect(row(mutatingAdmissionPolicy, decoded(mutatingAdmissionPolicy, spec(mutation)))).toMatchObject({
    Mutations: 1,
    ParamKind: '<unset>',
  });
  const selector = '{matchLabels: {b: c}, matchExpressions: [{key: k, operator: In, values: [x, y]}]}';
  const text =
    '&LabelSelector{MatchLabels:map[string]string{b: c,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}';
  for (const [ref, shown] of [
    ['{name: n}', '*/n'],
    ['{name: n, namespace: m}', 'm/n'],
    [`{selector: ${selector}}`, text],
  ]) {
    const binding = decoded(mutatingAdmissionPolicyBinding, spec(`policyName: p, paramRef: ${ref}`));
    expect(row(mutatingAdmissionPolicyBinding, binding)).toMatchObject({ PolicyName: 'p', ParamRef: shown });
  }
});
