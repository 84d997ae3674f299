// Rules in the form in which they are asked: short lists stay lists, long ones become sets, so that what a request costs does not grow
// with the size of a role.
import type { V1PolicyRule } from '#api/generated/types.ts';
import type { AuthorizationRequest } from '../contract.ts';
import { urlCovers } from './rules.ts';

/** Says whether a request is allowed. */
export type Matcher = (request: AuthorizationRequest) => boolean;

type Includes = (value: string) => boolean;

const longList = 16;

/** Whether one of these rules allows a request. */
export function compileRules(rules: readonly V1PolicyRule[]): Matcher {
  const forResources = rules.flatMap((rule) => ((rule.resources?.length ?? 0) === 0 ? [] : [resourceMatcher(rule)]));
  const forPaths = rules.flatMap((rule) => ((rule.nonResourceURLs?.length ?? 0) === 0 ? [] : [pathMatcher(rule)]));
  return (request) => {
    for (const matches of request.isResource ? forResources : forPaths) if (matches(request)) return true;
    return false;
  };
}

function resourceMatcher({ verbs, apiGroups = [], resources = [], resourceNames = [] }: V1PolicyRule): Matcher {
  const hasVerb = anyOr(verbs);
  const hasGroup = anyOr(apiGroups);
  const hasResource = anyOr(resources);
  const hasName = resourceNames.length === 0 ? () => true : includes(resourceNames);
  return ({ verb, group, resource, subresource, name }) =>
    hasVerb(verb) &&
    hasGroup(group) &&
    (subresource === '' ? hasResource(resource) : hasResource(`${resource}/${subresource}`) || hasResource(`*/${subresource}`)) &&
    hasName(name);
}

function pathMatcher({ verbs, nonResourceURLs = [] }: V1PolicyRule): Matcher {
  const hasVerb = anyOr(verbs);
  const isExact = includes(nonResourceURLs);
  const patterns = nonResourceURLs.filter((url) => url.endsWith('*'));
  return ({ verb, path }) => hasVerb(verb) && (isExact(path) || patterns.some((url) => urlCovers(url, path)));
}

/** `*` stands for everything. */
function anyOr(list: readonly string[]): Includes {
  return list.includes('*') ? () => true : includes(list);
}

function includes(list: readonly string[]): Includes {
  const [only] = list;
  if (list.length === 1) return (value) => value === only;
  if (list.length < longList) return (value) => list.includes(value);
  const set = new Set(list);
  return (value) => set.has(value);
}
