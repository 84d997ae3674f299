import { addAll } from './add-all.ts';
import type { V1Condition } from '#api/generated/types.ts';
import { invalidEach, qualifiedName } from './field-checks.ts';
import { duplicate, type FieldProblem, invalid, notSupported, required, tooLong } from './field-problem.ts';
import { byteLength, regexText } from './names.ts';
import type { Unchecked } from './unchecked.ts';

const statuses = ['False', 'True', 'Unknown'];
const reasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^(?:${reasonFormat})$`);
const reasonText =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
const reasonLimitBytes = 1_024;
const messageLimitBytes = 32 * 1_024;

/** What conditions of all kinds share. Times are RFC 3339 texts. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The condition of a type, if there. */
export function findCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when the condition is there and has status "True". */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * A list with `next` in place of the condition of its type, or behind the others. Keeps the old transition time where the status
 * is the same. Neither argument is changed.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C): C[] {
  const list = conditions ?? [];
  const previous = findCondition(list, next.type);
  if (previous === undefined) return [...list, next];
  const kept =
    previous.status === next.status && (previous.lastTransitionTime ?? '') !== ''
      ? { ...next, lastTransitionTime: previous.lastTransitionTime }
      : next;
  return list.map((condition) => (condition.type === next.type ? kept : condition));
}

/** A list without the condition of a type. */
export function withoutCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/** Conditions of the common type, as newer kinds have them (apimachinery/pkg/apis/meta/v1/validation). */
export function validateConditions(conditions: readonly Unchecked<V1Condition>[] | undefined, path: string): FieldProblem[] {
  const list = conditions ?? [];
  return list.flatMap((condition, at) => {
    const isRepeated = list.findIndex(({ type }) => type === condition.type) < at;
    const problems = isRepeated ? [duplicate(`${path}[${at}].type`, condition.type ?? '')] : [];
    return [...problems, ...validateCondition(condition, `${path}[${at}]`)];
  });
}

function validateCondition(condition: Unchecked<V1Condition>, path: string): FieldProblem[] {
  const { type = '', status = '', observedGeneration = 0, lastTransitionTime, reason = '', message = '' } = condition;
  const problems = qualifiedName(`${path}.type`, type);
  if (!statuses.includes(status)) problems.push(notSupported(`${path}.status`, status, statuses));
  if (observedGeneration < 0) {
    problems.push(invalid(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'));
  }
  if (!lastTransitionTime) problems.push(required(`${path}.lastTransitionTime`, 'must be set'));
  if (reason === '') {
    problems.push(required(`${path}.reason`, 'must be set'));
  } else {
    const texts = reasonPattern.test(reason)
      ? []
      : [regexText(reasonText, reasonFormat, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')];
    addAll(problems, invalidEach(`${path}.reason`, reason, texts));
    if (byteLength(reason) > reasonLimitBytes) problems.push(tooLong(`${path}.reason`, reasonLimitBytes));
  }
  if (byteLength(message) > messageLimitBytes) problems.push(tooLong(`${path}.message`, messageLimitBytes));
  return problems;
}
