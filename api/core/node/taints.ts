import type { V1Taint } from '#api/generated/types.ts';
import { invalidEach, oneOf } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid } from '../../meta/field-problem.ts';
import { labelValueProblems, qualifiedNameProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

/** Effects of taints and tolerations. */
const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Each key once for every effect. */
export function validateTaints(taints: readonly Unchecked<V1Taint>[], path: string): FieldProblem[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, at) => {
    const { key = '', value = '', effect } = taint;
    const problems = invalidEach(`${path}[${at}].key`, key, qualifiedNameProblems(key));
    const texts = labelValueProblems(value);
    if (texts.length > 0) problems.push(invalid(`${path}[${at}].value`, value, texts.join(';')));
    problems.push(...oneOf(`${path}[${at}].effect`, effect, taintEffects));
    const identity = `${key}:${effect}`;
    if (seen.has(identity)) {
      // As Go prints it.
      const shown = { Key: key, Value: value, Effect: effect ?? '', TimeAdded: taint.timeAdded ?? null };
      const twice = duplicate(`${path}[${at}]`, shown);
      problems.push({ ...twice, message: `${twice.message}: taints must be unique by key and effect pair` });
    }
    seen.add(identity);
    return problems;
  });
}
