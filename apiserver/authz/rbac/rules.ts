// Which rules others hold already (upstream's pkg/registry/rbac/validation and component-helpers/auth/rbac/validation).
import type { V1PolicyRule } from '#api/generated/types.ts';

/** How many single rights a role's rules may come to before they are only judged as a whole: lists multiply. */
const atomLimit = 10_000;

/**
 * Those of `wanted`, taken apart as far as rules go, that `held` does not cover. Rules that come to too many single rights are not taken
 * apart: they are missing unless one held rule covers all of them.
 */
export function missingRules(held: readonly V1PolicyRule[], wanted: readonly V1PolicyRule[]): V1PolicyRule[] {
  let budget = atomLimit;
  return wanted.flatMap((given) => {
    const rule = withoutRepeats(given);
    if (held.some((one) => covers(one, rule))) return [];
    budget -= atomCount(rule);
    if (budget < 0) return [rule];
    return [...atoms(rule)].filter((atom) => !held.some((one) => covers(one, atom)));
  });
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, one text for each group, resource and name; sorted. */
export function rulesText(rules: readonly V1PolicyRule[]): string[] {
  const merged = new Map<string, V1PolicyRule>();
  const apart: V1PolicyRule[] = [];
  for (const { verbs, ...rest } of rules) {
    const key = JSON.stringify(rest);
    const known = merged.get(key);
    // Rules about URLs stay apart, as upstream leaves them.
    if (rest.nonResourceURLs !== undefined) apart.push({ ...rest, verbs });
    else if (known === undefined) merged.set(key, { ...rest, verbs: [...verbs] });
    else for (const verb of verbs) known.verbs.push(verb);
  }
  return [...new Set([...apart, ...merged.values()].map(ruleText))].toSorted();
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

/** Whether a URL of a rule, which may end in `*`, covers a path. */
export function urlCovers(url: string, path: string): boolean {
  return url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')));
}

function withoutRepeats({ verbs, ...lists }: V1PolicyRule): V1PolicyRule {
  const once = Object.entries(lists).map(([name, list]) => [name, [...new Set(list as string[])]]);
  return { ...(Object.fromEntries(once) as Omit<V1PolicyRule, 'verbs'>), verbs: [...new Set(verbs)] };
}

/** How many rules `atoms` makes of one. */
function atomCount({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: V1PolicyRule): number {
  return verbs.length * (apiGroups.length * resources.length * Math.max(1, resourceNames.length) + nonResourceURLs.length);
}

/** One rule for each group, resource, name and verb, or URL and verb. */
function* atoms({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
}: V1PolicyRule): Generator<V1PolicyRule> {
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        const atom = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (resourceNames.length === 0) yield atom;
        for (const name of resourceNames) yield { ...atom, resourceNames: [name] };
      }
    }
  }
  for (const url of nonResourceURLs) for (const verb of verbs) yield { nonResourceURLs: [url], verbs: [verb] };
}

function covers(rule: V1PolicyRule, atom: V1PolicyRule): boolean {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const has = (held: readonly string[], wanted: readonly string[] = []): boolean => wanted.every((one) => includes(held, one));
  const names = atom.resourceNames ?? [];
  return (
    has(rule.verbs, atom.verbs) &&
    has(apiGroups, atom.apiGroups) &&
    (atom.resources ?? []).every(
      (one) => includes(resources, one) || (one.includes('/') && resources.includes(`*/${one.slice(one.indexOf('/') + 1)}`)),
    ) &&
    (resourceNames.length === 0 || (names.length > 0 && names.every((name) => resourceNames.includes(name)))) &&
    (atom.nonResourceURLs ?? []).every((url) => nonResourceURLs.some((held) => urlCovers(held, url)))
  );
}

function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: V1PolicyRule): string {
  const parts = {
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  };
  const texts = Object.entries(parts).flatMap(([name, list = []]) => (list.length === 0 ? [] : [`${name}:${quotedList(list)}`]));
  return `{${texts.join(', ')}}`;
}

/** A list as Go's %q shows it: `["a" "b"]`. */
export function quotedList(list: readonly string[]): string {
  return `[${list.map((one) => JSON.stringify(one)).join(' ')}]`;
}
