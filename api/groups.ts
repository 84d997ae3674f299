/** How high upstream ranks a group among groups, and a version among the versions of its group (cmd/kube-apiserver/app/aggregator.go). */
interface ApiPriority {
  readonly group: number;
  readonly version: number;
}

/** What is answered outside of the list that clients can see: it leads discovery and has no APIService of its own. */
export const apiRegistrationGroup = 'apiregistration.k8s.io';

const stableVersion = 15;
const groupPriorities: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'resource.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
};
/** Versions that are ranked otherwise than stable ones usually are. */
const versionPriorities: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'resource.k8s.io/v1': 20,
};

/** Undefined for groups that are none of upstream's own. */
export function priorityOf({ group, version }: { readonly group: string; readonly version: string }): ApiPriority | undefined {
  const own = Object.hasOwn(groupPriorities, group) ? groupPriorities[group] : undefined;
  return own === undefined ? undefined : { group: own, version: versionPriorities[`${group}/${version}`] ?? stableVersion };
}

/** Orders groups as discovery lists them: the core group, the one of APIServices, then by priority and name. */
export function compareGroups(left: string, right: string): number {
  const [a, b] = [rankOf(left), rankOf(right)];
  return a === b ? (left < right ? -1 : left > right ? 1 : 0) : b - a;
}

function rankOf(group: string): number {
  if (group === '') return Number.POSITIVE_INFINITY;
  if (group === apiRegistrationGroup) return Number.MAX_SAFE_INTEGER;
  return priorityOf({ group, version: 'v1' })?.group ?? 0;
}
