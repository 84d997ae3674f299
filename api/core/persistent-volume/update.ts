// What may change of a volume once it is there, and what the server writes by itself.
import type { V1NodeSelectorRequirement, V1PersistentVolumeSpec, V1VolumeNodeAffinity } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid } from '../../meta/field-problem.ts';
import { immutableText, validateImmutable } from '../../meta/object-meta.ts';
import { timeText } from '../../meta/time-text.ts';
import { stableLabels } from '../node/labels.ts';
import { specDiff } from '../pod/spec-diff.ts';
import { shownAffinity } from '../shown.ts';
import type { PersistentVolume } from './persistent-volume.ts';
import { persistentSources } from './sources.ts';

/** Notes when a volume's phase changes, unless the writer says so itself. */
export function keepPhaseTime(next: PersistentVolume, prev: PersistentVolume, nowMs: number): void {
  const before = prev.status ?? {};
  const status = (next.status ??= {});
  const { lastPhaseTransitionTime } = status;
  if (status.phase !== before.phase) {
    const isSaid = lastPhaseTransitionTime !== undefined && lastPhaseTransitionTime !== before.lastPhaseTransitionTime;
    if (!isSaid) status.lastPhaseTransitionTime = timeText(nowMs);
  } else if (lastPhaseTransitionTime === undefined && before.lastPhaseTransitionTime !== undefined) {
    status.lastPhaseTransitionTime = before.lastPhaseTransitionTime;
  }
}

export function validateVolumeUpdate({ spec: next }: PersistentVolume, { spec: prev }: PersistentVolume): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const before = sourceOf(prev);
  const now = sourceOf(withoutNewExpandSecret(next, prev));
  if (!equalValues(now, before)) {
    const text = `spec.persistentvolumesource is immutable after creation\n${specDiff(before, now)}`;
    problems.push(forbiddenField('spec.persistentvolumesource', text));
  }
  problems.push(...validateImmutable(next.volumeMode, prev.volumeMode, 'volumeMode'));
  if (prev.nodeAffinity !== undefined) problems.push(...validateAffinityUpdate(next.nodeAffinity, prev.nodeAffinity));
  if (prev.volumeAttributesClassName !== undefined && next.volumeAttributesClassName === undefined) {
    problems.push(forbiddenField('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return problems;
}

/** The members that say what the volume is. */
function sourceOf(spec: V1PersistentVolumeSpec): Partial<V1PersistentVolumeSpec> {
  const kinds = new Set<string>(persistentSources.map(({ kind }) => kind));
  return Object.fromEntries(Object.entries(spec).filter(([member]) => kinds.has(member)));
}

/** The Secret for growing may be added later, but not changed. */
function withoutNewExpandSecret(next: V1PersistentVolumeSpec, prev: V1PersistentVolumeSpec): V1PersistentVolumeSpec {
  if (next.csi === undefined || prev.csi === undefined || prev.csi.controllerExpandSecretRef !== undefined) return next;
  const { controllerExpandSecretRef: _added, ...csi } = next.csi;
  return { ...next, csi };
}

/** Old names of well-known labels may give way to today's. */
function validateAffinityUpdate(next: V1VolumeNodeAffinity | undefined, prev: V1VolumeNodeAffinity): FieldProblem[] {
  if (equalValues(next, prev) || equalValues(next, withStableLabels(prev, next))) return [];
  return [invalid('nodeAffinity', next && shownAffinity(next), `${immutableText}, except for updating from beta label to GA`)];
}

function withStableLabels(prev: V1VolumeNodeAffinity, next: V1VolumeNodeAffinity | undefined): V1VolumeNodeAffinity {
  const terms = prev.required?.nodeSelectorTerms.map((term, at) => {
    const now = next?.required?.nodeSelectorTerms[at];
    return {
      ...term,
      matchExpressions: renamed(term.matchExpressions, now?.matchExpressions),
      matchFields: renamed(term.matchFields, now?.matchFields),
    };
  });
  return terms === undefined ? prev : { required: { nodeSelectorTerms: terms } };
}

function renamed(
  prev: readonly V1NodeSelectorRequirement[] = [],
  next: readonly V1NodeSelectorRequirement[] = [],
): V1NodeSelectorRequirement[] {
  return prev.map((one, at) => {
    const key = next[at]?.key;
    return key !== undefined && stableLabels[one.key] === key ? { ...one, key } : one;
  });
}
