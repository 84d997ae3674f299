// What policies and their bindings have in common, whether they judge or change (pkg/apis/admissionregistration/validation/validation.go).
import type { V1LabelSelector, V1MatchResources, V1ParamKind, V1ParamRef, V1Variable } from '#api/generated/types.ts';
import type { Column } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { invalidEach, oneOf, validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../meta/field-problem.ts';
import { dns1035LabelProblems, dnsSubdomainProblems, nameIsPathSegment } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { failurePolicies, validateMatchConditions, validateMatchResources } from './rules.ts';

/** Why no policy can be taken yet. */
export const policiesNotYet = 'CEL expressions of admission policies are not evaluated';

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

interface PolicySpec {
  failurePolicy?: string;
  matchConditions?: { name: string; expression: string }[];
  matchConstraints?: V1MatchResources;
  paramKind?: V1ParamKind;
  variables?: V1Variable[];
}

interface BindingSpec {
  matchResources?: V1MatchResources;
  paramRef?: V1ParamRef;
  policyName?: string;
}

interface Binding extends KubeObject {
  spec?: BindingSpec;
}

/** What a policy applies to and what it is given; what it does with that is its kind's affair. */
export function validatePolicyFrame(spec: Unchecked<PolicySpec>, { forMutation = false } = {}): FieldProblem[] {
  const { failurePolicy, paramKind, matchConstraints, matchConditions, variables = [] } = spec;
  const problems = oneOf('spec.failurePolicy', failurePolicy, failurePolicies);
  if (paramKind !== undefined) problems.push(...validateParamKind(paramKind, 'spec.paramKind'));
  if (matchConstraints === undefined) {
    problems.push(required('spec.matchConstraints'));
  } else {
    problems.push(...validateMatchResources(matchConstraints, 'spec.matchConstraints', { forMutation }));
    if ((matchConstraints.resourceRules ?? []).length === 0) problems.push(required('spec.matchConstraints.resourceRules'));
  }
  problems.push(...validateMatchConditions(matchConditions, 'spec.matchConditions'));
  variables.forEach((variable, at) => problems.push(...validateVariable(variable, `spec.variables[${at}]`)));
  return problems;
}

function validateVariable({ name = '', expression = '' }: Unchecked<V1Variable>, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (name.trim() === '') problems.push(required(`${path}.name`, 'name is not specified'));
  else if (!identifier.test(name) || reserved.has(name)) problems.push(invalid(`${path}.name`, name, 'must be a valid CEL identifier'));
  if (expression.trim() === '') problems.push(required(`${path}.expression`, 'expression is not specified'));
  return problems;
}

function validateParamKind({ apiVersion = '', kind = '' }: Unchecked<V1ParamKind>, path: string): FieldProblem[] {
  const problems = apiVersion === '' ? [required(`${path}.apiVersion`)] : validateGroupVersion(apiVersion, `${path}.apiVersion`);
  if (kind === '') return [...problems, required(`${path}.kind`)];
  const texts = dns1035LabelProblems(kind.toLowerCase());
  if (texts.length === 0) return problems;
  return [...problems, invalid(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${texts.join(',')}`)];
}

function validateGroupVersion(text: string, field: string): FieldProblem[] {
  const parts = text === '/' ? [''] : text.split('/');
  if (parts.length > 2) return [invalid(field, text, `unexpected GroupVersion string: ${text}`)];
  const [group, version] = [parts.length === 2 ? (parts[0] ?? '') : '', parts.at(-1) ?? ''];
  const problems: FieldProblem[] = [];
  const groupTexts = group === '' ? [] : dnsSubdomainProblems(group);
  if (groupTexts.length > 0) problems.push(invalid(field, group, groupTexts.join(',')));
  if (version === '') return [...problems, invalid(field, text, 'version must be specified')];
  const texts = dns1035LabelProblems(version);
  return texts.length === 0 ? problems : [...problems, invalid(field, version, texts.join(','))];
}

/** The policy that is bound, with what, for what. */
export function validateBindingFrame(spec: Unchecked<BindingSpec>, { forMutation = false } = {}): FieldProblem[] {
  const { policyName = '', paramRef, matchResources } = spec;
  const field = 'spec.policyName';
  return [
    ...(policyName === '' ? [required(field)] : invalidEach(field, policyName, dnsSubdomainProblems(policyName))),
    ...(paramRef === undefined ? [] : validateParamRef(paramRef, 'spec.paramRef')),
    ...(matchResources === undefined ? [] : validateMatchResources(matchResources, 'spec.matchResources', { forMutation })),
  ];
}

function validateParamRef({ name = '', selector, parameterNotFoundAction }: Unchecked<V1ParamRef>, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const exclusive = 'name and selector are mutually exclusive';
  if (name !== '') {
    problems.push(...invalidEach(`${path}.name`, name, nameIsPathSegment(name, false)));
    if (selector !== undefined) problems.push(forbiddenField(`${path}.name`, exclusive));
  }
  if (selector !== undefined) {
    problems.push(...validateLabelSelector(selector, `${path}.selector`));
    if (name !== '') problems.push(forbiddenField(`${path}.selector`, exclusive));
  }
  if (name === '' && selector === undefined) problems.push(required(path, 'one of name or selector must be specified'));
  return [...problems, ...oneOf(`${path}.parameterNotFoundAction`, parameterNotFoundAction, ['Deny', 'Allow'])];
}

/** Columns of a policy: `count` says how many rules it has. */
export function policyColumns<T extends KubeObject & { spec?: PolicySpec }>(count: Column<T>): Column<T>[] {
  return [
    nameColumn,
    count,
    {
      name: 'ParamKind',
      description: 'ParamKind specifies the kind of resources used to parameterize this policy',
      value: ({ spec }) => {
        const kind = spec?.paramKind;
        return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;
      },
    },
    ageColumn,
  ];
}

export const bindingColumns: Column<Binding>[] = [
  nameColumn,
  {
    name: 'PolicyName',
    description: 'PolicyName indicates the policy definition which the policy binding binded to',
    value: ({ spec }) => spec?.policyName ?? '',
  },
  {
    name: 'ParamRef',
    description: 'ParamRef indicates the param resource which sets the configration param',
    value: ({ spec }) => paramText(spec?.paramRef),
  },
  ageColumn,
];

/** Whether the parameters have a namespace cannot be seen here: without one they get `*`. */
function paramText(ref: V1ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
  return ref?.selector === undefined ? '<unset>' : goSelectorText(ref.selector);
}

/** A selector as Go prints the struct. */
function goSelectorText({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): string {
  const labels = Object.keys(matchLabels)
    .toSorted()
    .map((key) => `${key}: ${matchLabels[key]},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const list = `[]LabelSelectorRequirement{${expressions.join('')}}`;
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:${list},}`;
}
