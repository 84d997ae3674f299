// The Pod Security Standards: which checks a level of a version consists of.
import type { V1ObjectMeta, V1PodSpec } from '#api/generated/types.ts';
import type { Check, CheckedLevel, CheckPod, CheckVersion, Violation } from './check.ts';
import { hostNamespaces, hostPathVolumes, hostPorts, hostProbesAndHostLifecycle } from './host-checks.ts';
import { procMount, procMountRestricted, restrictedVolumes, sysctls } from './kernel-checks.ts';
import type { LevelVersion } from './policy.ts';
import {
  allowPrivilegeEscalation,
  capabilitiesBaseline,
  capabilitiesRestricted,
  privileged,
  windowsHostProcess,
} from './privilege-checks.ts';
import { appArmorProfile, seccompProfileBaseline, seccompProfileRestricted, seLinuxOptions } from './profile-checks.ts';
import { runAsNonRoot, runAsUser } from './user-checks.ts';

/** All checks, those of the baseline first, each level by id: the order in which violations are listed. */
export const checks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfileBaseline,
  sysctls,
  windowsHostProcess,
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfileRestricted,
];

/** From this minor version on nothing has changed. */
const newest = Math.max(...checks.flatMap(({ versions }) => versions.map(({ since }) => since)));

/** What a pod breaks of a level; empty: nothing. */
export function violations({ level, minor }: LevelVersion, spec: V1PodSpec, metadata: V1ObjectMeta): Violation[] {
  if (level === 'privileged') return [];
  const found: Violation[] = [];
  for (const check of table[level][Math.min(minor, newest)] ?? []) {
    const violation = check(spec, metadata);
    if (violation !== undefined) found.push(violation);
  }
  return found;
}

/** The checks of each level by minor version. */
const table: Readonly<Record<CheckedLevel, readonly (readonly CheckPod[])[]>> = {
  baseline: versionsOf('baseline'),
  restricted: versionsOf('restricted'),
};

function versionsOf(level: CheckedLevel): CheckPod[][] {
  return Array.from({ length: newest + 1 }, (_, minor) => {
    const inForce = checks
      .filter((check) => check.level === 'baseline' || level === 'restricted')
      .flatMap(({ id, versions }): (CheckVersion & { id: string })[] => {
        const version = versions.findLast(({ since }) => since <= minor);
        return version === undefined ? [] : [{ ...version, id }];
      });
    const replaced = new Set(inForce.flatMap(({ replaces = [] }) => replaces));
    return inForce.filter(({ id }) => !replaced.has(id)).map(({ check }) => check);
  });
}

/** `reason (detail), reason (detail)`. */
export function violationsText(found: readonly Violation[]): string {
  return found.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
}
