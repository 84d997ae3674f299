// Which requests of whom a flow schema matches (pkg/apis/flowcontrol/validation/validation.go).
import type {
  FlowcontrolV1Subject,
  V1NonResourcePolicyRule,
  V1PolicyRulesWithSubjects,
  V1ResourcePolicyRule,
} from '#api/generated/types.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';

const supportedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const subjectKinds = ['Group', 'ServiceAccount', 'User'];
const subjectParts = { User: 'user', Group: 'group', ServiceAccount: 'serviceAccount' } as const;

export function validateFlowRules(rules: readonly Unchecked<V1PolicyRulesWithSubjects>[], path: string): FieldProblem[] {
  return rules.flatMap(({ subjects = [], resourceRules = [], nonResourceRules = [] }, at) => {
    const own = `${path}[${at}]`;
    const problems = subjects.flatMap((subject, index) => validateSubject(subject, `${own}.subjects[${index}]`));
    if (subjects.length === 0) problems.push(required(`${own}.subjects`, 'subjects must contain at least one value'));
    if (resourceRules.length + nonResourceRules.length === 0) {
      problems.push(required(own, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
    }
    resourceRules.forEach((rule, index) => problems.push(...validateResourceRule(rule, `${own}.resourceRules[${index}]`)));
    nonResourceRules.forEach((rule, index) => problems.push(...validateUrlRule(rule, `${own}.nonResourceRules[${index}]`)));
    return problems;
  });
}

function validateSubject(subject: Unchecked<FlowcontrolV1Subject>, path: string): FieldProblem[] {
  const { kind = '' } = subject;
  if (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount') return [notSupported(`${path}.kind`, kind, subjectKinds)];
  const problems = validateSubjectPart(subject, kind, `${path}.${subjectParts[kind]}`);
  // In the order in which upstream looks for what does not belong there.
  for (const other of ['ServiceAccount', 'User', 'Group'] as const) {
    const part = subjectParts[other];
    if (other === kind || subject[part] === undefined) continue;
    problems.push(forbiddenField(`${path}.${part}`, `${part} is forbidden when subject kind is not '${other}'`));
  }
  return problems;
}

function validateSubjectPart(subject: Unchecked<FlowcontrolV1Subject>, kind: keyof typeof subjectParts, path: string): FieldProblem[] {
  const part = subject[subjectParts[kind]];
  if (part === undefined) return [required(path, `${subjectParts[kind]} is required when subject kind is '${kind}'`)];
  const { name = '' } = part;
  const problems = name === '' ? [required(`${path}.name`)] : [];
  if (kind !== 'ServiceAccount') return problems;
  if (name !== '' && name !== '*') problems.push(...invalidEach(`${path}.name`, name, nameIsDnsSubdomain(name, false)));
  const namespace = subject.serviceAccount?.namespace ?? '';
  if (namespace === '') problems.push(required(`${path}.namespace`, 'must specify namespace for service account'));
  else problems.push(...invalidEach(`${path}.namespace`, namespace, nameIsDnsLabel(namespace, false)));
  return problems;
}

function validateVerbs(verbs: readonly string[], path: string): FieldProblem[] {
  if (verbs.length === 0) return [required(path, 'verbs must contain at least one value')];
  if (verbs.includes('*')) return aloneIfAny(verbs, path, 'verbs');
  return verbs.every((verb) => supportedVerbs.includes(verb)) ? [] : [notSupported(path, verbs, supportedVerbs)];
}

function aloneIfAny(values: readonly string[], path: string, what: string): FieldProblem[] {
  if (values.length < 2 || !values.includes('*')) return [];
  return [invalid(path, values, `if '*' is present, must not specify other ${what}`)];
}

function validateResourceRule(rule: Unchecked<V1ResourcePolicyRule>, path: string): FieldProblem[] {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope = false } = rule;
  const problems = [
    ...validateVerbs(verbs, `${path}.verbs`),
    ...(apiGroups.length === 0 ? [required(`${path}.apiGroups`, 'resource rules must supply at least one api group')] : []),
    ...aloneIfAny(apiGroups, `${path}.apiGroups`, 'api groups'),
    ...(resources.length === 0 ? [required(`${path}.resources`, 'resource rules must supply at least one resource')] : []),
    ...aloneIfAny(resources, `${path}.resources`, 'resources'),
  ];
  const field = `${path}.namespaces`;
  if (namespaces.length === 0 && !clusterScope) {
    return [...problems, required(field, 'resource rules that are not cluster scoped must supply at least one namespace')];
  }
  if (namespaces.includes('*')) return [...problems, ...aloneIfAny(namespaces, field, 'namespaces')];
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return [
    ...problems,
    ...namespaces.flatMap((one, at) => nameIsDnsLabel(one, false).map((text) => invalid(`${field}[${at}]`, one, intro + text))),
  ];
}

function validateUrlRule({ verbs = [], nonResourceURLs = [] }: Unchecked<V1NonResourcePolicyRule>, path: string): FieldProblem[] {
  const field = `${path}.nonResourceURLs`;
  const problems = validateVerbs(verbs, `${path}.verbs`);
  if (nonResourceURLs.length === 0) return [...problems, required(field, 'nonResourceURLs must contain at least one value')];
  if (nonResourceURLs.includes('*')) return [...problems, ...aloneIfAny(nonResourceURLs, field, 'non-resource URLs')];
  return [...problems, ...nonResourceURLs.flatMap((url, at) => urlProblem(url).map((text) => invalid(`${field}[${at}]`, url, text)))];
}

function urlProblem(url: string): string[] {
  if (url === '') return ['must not be empty'];
  if (url === '/') return [];
  if (!url.startsWith('/')) return ['must start with slash'];
  if (url.includes(' ')) return ['must not contain white-space'];
  if (url.includes('//')) return ['must not contain double slash'];
  const star = url.indexOf('*');
  return star < 0 || (star === url.length - 1 && url.endsWith('/*')) ? [] : ['wildcard can only do suffix matching'];
}
