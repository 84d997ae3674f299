// Keys whose values a pod's own labels give: by them it keeps to, or away from, pods of its kind.
import type { V1LabelSelector } from '#api/generated/types.ts';
import { qualifiedName } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid } from '../../meta/field-problem.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

interface LabelKeys {
  readonly labelSelector?: Unchecked<V1LabelSelector> | undefined;
  readonly matchLabelKeys?: readonly string[] | undefined;
  readonly mismatchLabelKeys?: readonly string[] | undefined;
}

/** They need a selector, may not overlap, and may not say what the selector says already. */
export function validateLabelKeys({ labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: LabelKeys, path: string): FieldProblem[] {
  return [
    ...validateNames(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`),
    ...validateNames(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`),
    ...validateOnce(matchLabelKeys, labelSelector ?? {}, path),
    ...matchLabelKeys.flatMap((key, at) =>
      mismatchLabelKeys.includes(key)
        ? [invalid(`${path}.matchLabelKeys[${at}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys')]
        : [],
    ),
  ];
}

function validateNames(keys: readonly string[], selector: LabelKeys['labelSelector'], path: string): FieldProblem[] {
  if (keys.length === 0) return [];
  if (selector === undefined) return [forbiddenField(path, 'must not be specified when labelSelector is not set')];
  return keys.flatMap((key, at) => qualifiedName(`${path}[${at}]`, key));
}

/** The keys have been put into a new pod's selector by now, so one that is there twice came from its maker, too. The path is upstream's. */
function validateOnce(
  keys: readonly string[],
  { matchLabels = {}, matchExpressions = [] }: Unchecked<V1LabelSelector>,
  path: string,
): FieldProblem[] {
  const seen = new Set(Object.keys(matchLabels));
  return matchExpressions.flatMap(({ key = '' }) => {
    const isRepeated = seen.has(key) && keys.includes(key);
    seen.add(key);
    return isRepeated ? [invalid(`${path}[${keys.lastIndexOf(key)}]`, key, 'exists in both matchLabelKeys and labelSelector')] : [];
  });
}
