// Pods behind scheduling gates may still narrow down where they go.
import type { V1NodeSelectorTerm, V1PodSpec } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, invalid } from '../../meta/field-problem.ts';
import { mapForm } from '../../meta/go-form.ts';
import { shownTerm } from '../shown.ts';

const requiredField = 'requiredDuringSchedulingIgnoredDuringExecution';

/** Checks node selector and node affinity, and puts both back in `next`, so that the rest can be compared. */
export function validateGatedChange(next: V1PodSpec, prev: V1PodSpec): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!equalValues(next.nodeSelector, prev.nodeSelector)) {
    problems.push(...validateNodeSelector(next.nodeSelector ?? {}, prev.nodeSelector ?? {}));
    if (prev.nodeSelector === undefined) delete next.nodeSelector;
    else next.nodeSelector = prev.nodeSelector;
  }
  if (!equalValues(next.affinity?.nodeAffinity, prev.affinity?.nodeAffinity)) {
    problems.push(...validateNodeAffinity(next, prev));
    const { nodeAffinity: _changed, ...others } = next.affinity ?? {};
    // One that came with nothing else goes whole.
    if (prev.affinity === undefined && Object.keys(others).length === 0) delete next.affinity;
    else next.affinity = prev.affinity?.nodeAffinity === undefined ? others : { ...others, nodeAffinity: prev.affinity.nodeAffinity };
  }
  return problems;
}

function validateNodeSelector(next: Record<string, string>, prev: Record<string, string>): FieldProblem[] {
  const changed = Object.entries(prev).filter(([key, value]) => next[key] !== value);
  if (changed.length === 0) return [];
  return [invalid('spec.nodeSelector', mapForm(next), 'only additions to spec.nodeSelector are allowed (no mutations or deletions)')];
}

function validateNodeAffinity(next: V1PodSpec, prev: V1PodSpec): FieldProblem[] {
  const path = `spec.affinity.nodeAffinity.${requiredField}.nodeSelectorTerms`;
  const before = prev.affinity?.nodeAffinity?.[requiredField]?.nodeSelectorTerms;
  const now = next.affinity?.nodeAffinity?.[requiredField]?.nodeSelectorTerms ?? [];
  if (before === undefined || before.length === 0) return [];
  if (now.length !== before.length) {
    return [invalid(path, now.map(shownTerm), 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')];
  }
  return before.flatMap((old, at) => {
    const term = now[at] ?? {};
    // What selects nothing may not come to select something.
    return isEmpty(old) === isEmpty(term) && isNarrowed(term, old, 'matchExpressions') && isNarrowed(term, old, 'matchFields')
      ? []
      : [invalid(`${path}[${at}]`, shownTerm(term), 'only additions are allowed (no mutations or deletions)')];
  });
}

function isEmpty({ matchExpressions, matchFields }: V1NodeSelectorTerm): boolean {
  return (matchExpressions?.length ?? 0) === 0 && (matchFields?.length ?? 0) === 0;
}

/** Old requirements stay, in their places; new ones may follow. */
function isNarrowed(next: V1NodeSelectorTerm, prev: V1NodeSelectorTerm, list: 'matchExpressions' | 'matchFields'): boolean {
  return (prev[list] ?? []).every((old, at) => equalValues(next[list]?.[at], old));
}
