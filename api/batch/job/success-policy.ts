// When an Indexed Job counts as done although indexes are left.
import type { V1SuccessPolicy, V1SuccessPolicyRule } from '#api/generated/types.ts';
import { notNegative } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, required, tooLong, tooMany } from '../../meta/field-problem.ts';
import { byteLength } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { countIndexes } from './indexes.ts';

const maxRules = 20;
const indexesLimitBytes = 64 * 1_024;

/** `completions` undefined is refused elsewhere. */
export function validateSuccessPolicy(
  { rules = [] }: Unchecked<V1SuccessPolicy>,
  completions: number | undefined,
  path: string,
): FieldProblem[] {
  const field = `${path}.rules`;
  if (rules.length === 0) return [required(field, 'at least one rules must be specified when the successPolicy is specified')];
  const problems = rules.length > maxRules ? [tooMany(field, rules.length, maxRules)] : [];
  if (completions === undefined) return problems;
  return [...problems, ...rules.flatMap((rule, at) => validateRule(rule, completions, `${field}[${at}]`))];
}

function validateRule(
  { succeededCount, succeededIndexes }: Unchecked<V1SuccessPolicyRule>,
  completions: number,
  path: string,
): FieldProblem[] {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    return [required(path, 'at least one of succeededCount or succeededIndexes must be specified')];
  }
  const problems: FieldProblem[] = [];
  let total = 0;
  if (succeededIndexes !== undefined) {
    const field = `${path}.succeededIndexes`;
    if (byteLength(succeededIndexes) > indexesLimitBytes) problems.push(tooLong(field, indexesLimitBytes));
    const counted = countIndexes(succeededIndexes, completions);
    if ('total' in counted) total = counted.total;
    else problems.push(invalid(field, succeededIndexes, `error parsing succeededIndexes: ${counted.problem}`));
  }
  if (succeededCount === undefined) return problems;
  const field = `${path}.succeededCount`;
  const bound = (max: number, what: string): void => {
    if (succeededCount > max) problems.push(invalid(field, succeededCount, `must be less than or equal to ${max} (${what})`));
  };
  problems.push(...notNegative(field, succeededCount));
  bound(completions, 'the number of specified completions');
  if (succeededIndexes !== undefined) bound(total, 'the number of indexes in the specified succeededIndexes field');
  return problems;
}
