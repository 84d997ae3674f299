import { duplicate, type FieldProblem, required } from '../meta/field-problem.ts';

/** Each type of condition once, none without a type. */
export function validateConditionTypes(conditions: readonly { readonly type?: string }[]): FieldProblem[] {
  const seen = new Set<string>();
  return conditions.flatMap(({ type = '' }, at) => {
    const field = `status.conditions[${at}].type`;
    const problems = seen.has(type) ? [duplicate(field, type)] : [];
    seen.add(type);
    return type === '' ? [...problems, required(field)] : problems;
  });
}
