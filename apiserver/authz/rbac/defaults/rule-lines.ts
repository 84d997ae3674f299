import type { V1PolicyRule } from '#api/generated/types.ts';

/** How tables of roles write the core group, whose name is empty. */
const coreGroup = 'core';
/** Stands in the place of groups where a line is about URLs. */
const urlMark = 'URLs';

/**
 * Reads one line of a table of roles: `verbs | groups | resources`, `verbs | groups | resources | names` or `verbs | URLs | paths`,
 * each a list of words. Lists keep the order of the line, which is the order that upstream publishes.
 */
export function ruleOf(line: string): V1PolicyRule {
  const [verbs = [], groups = [], things = [], names = []] = line.split('|').map((part) => part.trim().split(/\s+/));
  if (groups[0] === urlMark) return { nonResourceURLs: things, verbs };
  return {
    apiGroups: groups.map((group) => (group === coreGroup ? '' : group)),
    ...(names.length === 0 ? {} : { resourceNames: names }),
    resources: things,
    verbs,
  };
}
