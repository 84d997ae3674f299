// What is checked of values that an expression spells out, once its types are known: that times, durations and patterns are some, that
// lists and maps hold values of one type, and that texts given to `format` fit their arguments. Upstream: cel-go/cel/validator.go.
import type { Call, CelProblem, Expr, Literal } from './ast.ts';
import type { CheckedExpression } from './checker.ts';
import { ConversionProblem, convert } from './conversions.ts';
import { children, descendants } from './descendants.ts';
import { formatProblem } from './format-check.ts';
import { regexProblem } from './regex-syntax.ts';
import { isExactly, optionalOf } from './substitutions.ts';
import { formatType } from './type-text.ts';
import type { CelType } from './types.ts';

const nothing: ReadonlySet<Expr> = new Set();

/** All problems, check by check. */
export function checkLiterals(checked: CheckedExpression): CelProblem[] {
  const parts = descendants(checked.expr);
  const calls = parts.filter((part) => part.kind === 'call');
  const exempt = calls.some((call) => call.function === 'format') ? formatArguments(checked.expr) : nothing;
  return [
    ...checkArguments(calls, 'duration', isConvertible),
    ...checkArguments(calls, 'timestamp', isConvertible),
    ...checkArguments(calls, 'matches', (_name, { literal }) => literal.type !== 'string' || regexProblem(literal.value) === undefined),
    ...parts.flatMap((part) => (part.kind === 'list' && !exempt.has(part) ? checkElements(part, checked) : [])),
    ...parts.flatMap((part) => (part.kind === 'map' && !exempt.has(part) ? checkEntries(part, checked) : [])),
    ...calls.flatMap((call) => formatProblem(call, checked) ?? []),
  ];
}

/** The first argument, whatever it is to the function: that of `matches(text, pattern)` is the text. */
function checkArguments(calls: readonly Call[], name: string, isGood: (name: string, literal: Literal) => boolean): CelProblem[] {
  return calls.flatMap(({ function: called, args: [first] }) => {
    if (called !== name || first?.kind !== 'literal' || isGood(name, first)) return [];
    return [{ at: first.at, message: `invalid ${name} argument` }];
  });
}

function isConvertible(name: string, { literal }: Literal): boolean {
  try {
    convert(name, literal);
    return true;
  } catch (err) {
    if (err instanceof ConversionProblem) return false;
    throw err;
  }
}

/** Everything within calls of `format`, whose arguments differ in type by nature. */
function formatArguments(expr: Expr): ReadonlySet<Expr> {
  const found = new Set<Expr>();
  const visit = (part: Expr, isWithin: boolean): void => {
    if (isWithin) found.add(part);
    const isFormat = part.kind === 'call' && part.function === 'format';
    for (const child of children(part)) visit(child, isWithin || isFormat);
  };
  visit(expr, false);
  return found;
}

function checkElements({ elements, optional }: Expr & { kind: 'list' }, { types }: CheckedExpression): CelProblem[] {
  let first: CelType | undefined;
  for (const [at, element] of elements.entries()) {
    const type = entryType(types.get(element), optional.includes(at));
    first ??= type;
    if (!isEquivalent(first, type)) return [mismatch(element, first, type)];
  }
  return [];
}

function checkEntries({ entries }: Expr & { kind: 'map' }, { types }: CheckedExpression): CelProblem[] {
  const [first] = entries;
  if (first === undefined) return [];
  const keyType = entryType(types.get(first.key), false);
  const valueType = entryType(types.get(first.value), first.optional);
  return entries.flatMap(({ key, value, optional }) => {
    const [ownKey, ownValue] = [entryType(types.get(key), false), entryType(types.get(value), optional)];
    return [
      ...(isEquivalent(keyType, ownKey) ? [] : [mismatch(key, keyType, ownKey)]),
      ...(isEquivalent(valueType, ownValue) ? [] : [mismatch(value, valueType, ownValue)]),
    ];
  });
}

function entryType(type: CelType | undefined, isOptional: boolean): CelType {
  const known: CelType = type ?? { kind: 'dyn' };
  return isOptional ? (optionalOf(known) ?? known) : known;
}

/** Free variables are `dyn` by now, so types are equivalent where they are the same. */
function isEquivalent(left: CelType, right: CelType): boolean {
  return isExactly(left, right);
}

function mismatch(part: Expr, expected: CelType, actual: CelType): CelProblem {
  return { at: part.at, message: `expected type '${formatType(expected)}' but found '${formatType(actual)}'` };
}
