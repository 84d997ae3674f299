// Which requests are audited, and how much of them: the first rule that matches decides (apiserver/pkg/audit/policy/checker.go).
import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/contract.ts';
import type { Level, Stage } from './contract.ts';

export interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A rule as it stands in a policy's file. */
export interface PolicyRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

export interface PolicyDocument {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

/** How a request is audited. */
export interface AuditScope {
  readonly level: Level;
  readonly omitStages: ReadonlySet<Stage>;
  readonly omitManagedFields: boolean;
}

/** Finds out how a request is audited; without a user where authentication failed. */
export type AuditPolicy = (info: RequestInfo, user: UserInfo | undefined) => AuditScope;

type Test = (info: RequestInfo, user: UserInfo | undefined) => boolean;

export function compilePolicy({ rules, omitStages = [], omitManagedFields = false }: PolicyDocument): AuditPolicy {
  const compiled = rules.map((rule) => ({
    matches: testsOf(rule),
    scope: {
      level: rule.level,
      omitStages: new Set([...omitStages, ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
    },
  }));
  const otherwise: AuditScope = { level: 'None', omitStages: new Set(omitStages), omitManagedFields };
  return (info, user) => compiled.find(({ matches }) => matches.every((test) => test(info, user)))?.scope ?? otherwise;
}

/** All that a rule asks for. */
function testsOf({ users = [], userGroups = [], verbs = [], ...what }: PolicyRule): Test[] {
  const tests: Test[] = [];
  const [names, groups, wanted] = [new Set(users), new Set(userGroups), new Set(verbs)];
  if (wanted.size > 0) tests.push(({ verb }) => wanted.has(verb));
  if (names.size > 0) tests.push((_info, user) => user !== undefined && names.has(user.name));
  if (groups.size > 0) tests.push((_info, user) => user?.groups.some((group) => groups.has(group)) === true);
  const { namespaces = [], resources = [], nonResourceURLs = [] } = what;
  if (namespaces.length > 0 || resources.length > 0) {
    tests.push(({ isResource }) => isResource);
    const places = new Set(namespaces);
    if (places.size > 0) tests.push(({ namespace }) => places.has(namespace));
    const some = resources.map(resourceTest);
    if (some.length > 0) tests.push((info) => some.some((test) => test(info)));
  } else if (nonResourceURLs.length > 0) {
    const paths = nonResourceURLs.map(pathTest);
    tests.push(({ isResource, path }) => !isResource && paths.some((test) => test(path)));
  }
  return tests;
}

function resourceTest({ group = '', resources = [], resourceNames = [] }: GroupResources): (info: RequestInfo) => boolean {
  const forms = new Set(resources);
  const names = new Set(resourceNames);
  return (info) => {
    if (group !== '*' && info.group !== group) return false;
    if (forms.size === 0) return true;
    if (names.size > 0 && !names.has(info.name)) return false;
    const { resource, subresource } = info;
    if (forms.has('*') || forms.has(`${resource}/*`)) return true;
    if (subresource === '') return forms.has(resource);
    return forms.has(`${resource}/${subresource}`) || forms.has(`*/${subresource}`);
  };
}

function pathTest(spec: string): (path: string) => boolean {
  if (!spec.endsWith('*')) return (path) => path === spec;
  const start = spec.replace(/\*+$/, '');
  return (path) => path.startsWith(start);
}
