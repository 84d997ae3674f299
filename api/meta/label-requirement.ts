import { labelValueProblems, qualifiedNameProblems } from './names.ts';

export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** The selector is malformed; the message is upstream's and belongs into a 400 answer. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

/** A checked requirement. Throws SelectorError with every problem, as upstream's NewRequirement does. */
export function requirement(key: string, operator: SelectorOperator, values: readonly string[]): Requirement {
  const problems: string[] = [];
  const keyProblems = qualifiedNameProblems(key);
  if (keyProblems.length > 0) problems.push(`key: Invalid value: ${JSON.stringify(key)}: ${keyProblems.join('; ')}`);
  const countProblem = valueCountProblem(operator, values);
  if (countProblem !== undefined) problems.push(`values: Invalid value: ${JSON.stringify(values)}: ${countProblem}`);
  values.forEach((value, at) => {
    if ((operator === 'gt' || operator === 'lt') && !/^[-+]?[0-9]+$/.test(value)) {
      problems.push(`values[${at}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`);
    }
  });
  values.forEach((value, at) => {
    const texts = labelValueProblems(value);
    if (texts.length > 0) problems.push(`values[${at}][${key}]: Invalid value: ${JSON.stringify(value)}: ${texts.join('; ')}`);
  });
  if (problems.length > 0) throw new SelectorError(problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
  return { key, operator, values };
}

function valueCountProblem(operator: SelectorOperator, { length }: readonly string[]): string | undefined {
  if (operator === 'in' || operator === 'notin') return length === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
  if (operator === 'exists' || operator === '!') return length > 0 ? 'values set must be empty for exists and does not exist' : undefined;
  if (length === 1) return undefined;
  const isBound = operator === 'gt' || operator === 'lt';
  return isBound ? "for 'Gt', 'Lt' operators, exactly one value is required" : 'exact-match compatibility requires one single value';
}

/** One requirement as a closure. */
export function compileRequirement({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const [first = ''] = values;
  switch (operator) {
    case '=':
    case '==':
      return (labels) => lookUp(labels, key) === first;
    case '!=':
      return (labels) => lookUp(labels, key) !== first;
    case 'in': {
      const set = new Set<string | undefined>(values);
      return (labels) => set.has(lookUp(labels, key));
    }
    case 'notin': {
      const set = new Set<string | undefined>(values);
      return (labels) => !set.has(lookUp(labels, key));
    }
    case 'exists':
      return (labels) => Object.hasOwn(labels, key);
    case '!':
      return (labels) => !Object.hasOwn(labels, key);
    case 'gt':
    case 'lt': {
      const bound = BigInt(first);
      return (labels) => {
        const value = lookUp(labels, key);
        if (value === undefined || !/^[-+]?[0-9]+$/.test(value)) return false;
        return operator === 'gt' ? BigInt(value) > bound : BigInt(value) < bound;
      };
    }
  }
}

function lookUp(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** The normal text form. */
export function requirementText({ key, operator, values }: Requirement): string {
  const list = values.toSorted().join(',');
  if (operator === '!') return `!${key}`;
  if (operator === 'exists') return key;
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${list})`;
  return `${key}${operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator}${list}`;
}
