// What a namespace's pods would break of a level that is about to be enforced there.
import { setImmediate } from 'node:timers/promises';
import type { V1Pod } from '#api/generated/types.ts';
import { findController } from '#api/meta/owner-references.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { type LevelVersion, levelText } from './policy.ts';
import { violations } from './standards.ts';

const maxPods = 3_000;
const maxMs = 1_000;
/** Some milliseconds' worth of checks; then others get their turn. */
const turnPods = 100;

/** Warnings for the client who sets the level: one for all pods that break the same rules. */
export async function existingPodWarnings(
  namespace: string,
  enforce: LevelVersion,
  pods: readonly V1Pod[],
  clock: Clock,
): Promise<string[]> {
  const untilMs = clock.monotonicMs() + maxMs;
  const all = onePerControllerFirst(pods);
  const namesByText = new Map<string, string[]>();
  let checked = 0;
  for (const { spec, metadata = {} } of all.slice(0, maxPods)) {
    const reasons = spec === undefined ? [] : violations(enforce, spec, metadata).map(({ reason }) => reason);
    if (reasons.length > 0) {
      const text = reasons.join(', ');
      const names = namesByText.get(text) ?? [];
      names.push(metadata.name ?? '');
      namesByText.set(text, names);
    }
    checked++;
    if (checked % turnPods === 0) await setImmediate();
    if (clock.monotonicMs() > untilMs) break;
  }
  const warnings: string[] = [];
  if (checked < all.length) {
    warnings.push(`new PodSecurity enforce level only checked against the first ${checked} of ${all.length} existing pods`);
  }
  if (namesByText.size > 0) {
    warnings.push(
      `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level "${levelText(enforce)}"`,
    );
  }
  return [...warnings, ...[...namesByText].map(([text, names]) => `${whoText(names)}: ${text}`).sort()];
}

function whoText(names: readonly string[]): string {
  const first = names.toSorted()[0] ?? '';
  if (names.length === 1) return first;
  return `${first} (and ${names.length - 1} other pod${names.length === 2 ? '' : 's'})`;
}

/** Pods of one controller are alike: the first of each comes before the second of any. */
function onePerControllerFirst(pods: readonly V1Pod[]): V1Pod[] {
  const seen = new Set<string>();
  const later: V1Pod[] = [];
  const first = pods.filter((pod) => {
    const uid = findController(pod as KubeObject)?.uid;
    if (uid === undefined || !seen.has(uid)) {
      if (uid !== undefined) seen.add(uid);
      return true;
    }
    later.push(pod);
    return false;
  });
  return [...first, ...later];
}
