// Where a pod wants to be: node affinity, and company of other pods.
import type {
  V1Affinity,
  V1NodeAffinity,
  V1NodeSelector,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PodAffinity,
  V1PodAffinityTerm,
} from '#api/generated/types.ts';
import { invalidEach, qualifiedName, validateLabelSelector } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateLabelKeys } from './label-keys.ts';

const requiredField = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredField = 'preferredDuringSchedulingIgnoredDuringExecution';
const weightText = 'must be in the range 1-100';
const operatorText = 'not a valid selector operator';

/** All affinities of a pod. */
export function validateAffinity(affinity: Unchecked<V1Affinity> | undefined, path: string): FieldProblem[] {
  if (affinity === undefined) return [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  return [
    ...(nodeAffinity === undefined ? [] : validateNodeAffinity(nodeAffinity, `${path}.nodeAffinity`)),
    ...(podAffinity === undefined ? [] : validatePodAffinity(podAffinity, `${path}.podAffinity`)),
    ...(podAntiAffinity === undefined ? [] : validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`)),
  ];
}

function validateNodeAffinity(affinity: Unchecked<V1NodeAffinity>, path: string): FieldProblem[] {
  const must = affinity[requiredField];
  const problems = must === undefined ? [] : validateNodeSelector(must, `${path}.${requiredField}`);
  for (const [at, { weight = 0, preference = {} }] of (affinity[preferredField] ?? []).entries()) {
    const own = `${path}.${preferredField}[${at}]`;
    if (weight <= 0 || weight > 100) problems.push(invalid(`${own}.weight`, weight, weightText));
    problems.push(...validateTerm(preference, 'any', `${own}.preference`));
  }
  return problems;
}

/** Whether values must be valid label values: not in preferred terms. */
type Values = 'of labels' | 'any';

/** A selector of nodes, such as a volume may have. */
export function validateNodeSelector({ nodeSelectorTerms = [] }: Unchecked<V1NodeSelector>, path: string): FieldProblem[] {
  const field = `${path}.nodeSelectorTerms`;
  if (nodeSelectorTerms.length === 0) return [required(field, 'must have at least one node selector term')];
  return nodeSelectorTerms.flatMap((term, at) => validateTerm(term, 'of labels', `${field}[${at}]`));
}

function validateTerm(
  { matchExpressions = [], matchFields = [] }: Unchecked<V1NodeSelectorTerm>,
  allowed: Values,
  path: string,
): FieldProblem[] {
  return [
    ...matchExpressions.flatMap((one, at) => validateExpression(one, allowed, `${path}.matchExpressions[${at}]`)),
    ...matchFields.flatMap((one, at) => validateMatchField(one, `${path}.matchFields[${at}]`)),
  ];
}

function validateExpression(
  { key = '', operator = '', values = [] }: Unchecked<V1NodeSelectorRequirement>,
  allowed: Values,
  path: string,
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const field = `${path}.values`;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) problems.push(required(field, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) problems.push(forbiddenField(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) problems.push(required(field, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else {
    problems.push(invalid(`${path}.operator`, operator, operatorText));
  }
  problems.push(...qualifiedName(`${path}.key`, key));
  if (allowed === 'any') return problems;
  values.forEach((value, at) => problems.push(...invalidEach(`${field}[${at}]`, value, labelValueProblems(value))));
  return problems;
}

/** Fields of a node, of which there is one: its name. */
function validateMatchField({ key = '', operator = '', values = [] }: Unchecked<V1NodeSelectorRequirement>, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    problems.push(invalid(`${path}.operator`, operator, operatorText));
  } else if (values.length !== 1) {
    const text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    problems.push(required(`${path}.values`, text));
  }
  if (key !== 'metadata.name') return [...problems, invalid(`${path}.key`, key, 'not a valid field selector key')];
  values.forEach((value, at) => problems.push(...invalidEach(`${path}.values[${at}]`, value, dnsSubdomainProblems(value))));
  return problems;
}

function validatePodAffinity(affinity: Unchecked<V1PodAffinity>, path: string): FieldProblem[] {
  return [
    ...(affinity[requiredField] ?? []).flatMap((term, at) => validatePodTerm(term, `${path}.${requiredField}[${at}]`)),
    ...(affinity[preferredField] ?? []).flatMap(({ weight = 0, podAffinityTerm = {} }, at) => {
      const own = `${path}.${preferredField}[${at}]`;
      const problems = weight <= 0 || weight > 100 ? [invalid(`${own}.weight`, weight, weightText)] : [];
      return [...problems, ...validatePodTerm(podAffinityTerm, `${own}.podAffinityTerm`)];
    }),
  ];
}

function validatePodTerm(term: Unchecked<V1PodAffinityTerm>, path: string): FieldProblem[] {
  const { labelSelector, namespaceSelector, namespaces = [], topologyKey = '' } = term;
  return [
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...namespaces.flatMap((name) => invalidEach(`${path}.namespace`, name, dnsLabelProblems(name))),
    ...validateLabelKeys(term, path),
    ...(topologyKey === '' ? [required(`${path}.topologyKey`, 'can not be empty')] : []),
    ...qualifiedName(`${path}.topologyKey`, topologyKey),
  ];
}
