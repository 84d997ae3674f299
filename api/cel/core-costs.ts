// What the calls of the standard library cost. Upstream: functionCost in cel-go/checker/cost.go.
import type { Expr } from './ast.ts';
import type { CallCost, CostNode, ModelledCall } from './cost.ts';
import { type EntrySizes, unionOfEntries } from './cost-sizes.ts';
import { add, fixed, multiply, type Range, scale, union, unknown } from './estimate.ts';

/** Reading a text once, per character. */
export const traversal = 0.1;
/** Matching one character against a pattern, per character of the pattern. */
export const regexLength = 0.25;
const one = fixed(1n);

export interface CoreCallCost extends CallCost {
  /** Of the entries of a list or map that the call yields. */
  readonly entries?: EntrySizes;
}

/** `sum` is what all arguments cost together. The entries of a part of the expression come from `entriesOf`. */
export function coreCallCost(
  { overload, target, args }: ModelledCall,
  argCosts: readonly Range[],
  sum: Range,
  entriesOf: (arg: Expr) => EntrySizes | undefined,
): CoreCallCost {
  const [first, second, third] = args;
  const plain = { cost: add(one, sum) };
  switch (overload) {
    case 'string_format':
      return target === undefined ? plain : { cost: add(read(target), sum) };
    case 'starts_with_string':
    case 'ends_with_string':
      return first === undefined ? plain : { cost: add(read(first), sum) };
    case 'in_list':
      return second === undefined ? plain : { cost: add(scale(sizeOf(second), 1), sum) };
    case 'contains_string':
      return target === undefined || first === undefined ? plain : { cost: add(multiply(read(target), read(first)), sum) };
    case 'matches':
      return first === undefined || second === undefined ? plain : { cost: add(matchCost(first, second), sum) };
    case 'matches_string':
      return target === undefined || first === undefined ? plain : { cost: add(matchCost(target, first), sum) };
    case 'logical_or':
    case 'logical_and':
      return { cost: { min: argCosts[0]?.min ?? 0n, max: add(argCosts[0] ?? one, argCosts[1] ?? one).max } };
    case 'conditional': {
      const [condition = one, whenTrue = one, whenFalse = one] = argCosts;
      const size = union(sizeOf(second), sizeOf(third));
      const entries = unionOfEntries(entriesOfNode(second, entriesOf), entriesOfNode(third, entriesOf));
      return { cost: add(condition, union(whenTrue, whenFalse)), size, ...(entries === undefined ? {} : { entries }) };
    }
    case 'add_string':
    case 'add_bytes':
    case 'add_list': {
      const size = add(sizeOf(first), sizeOf(second));
      const entries = unionOfEntries(entriesOfNode(first, entriesOf), entriesOfNode(second, entriesOf));
      const cost = add(overload === 'add_list' ? one : scale(size, traversal), sum);
      return { cost, size, ...(entries === undefined ? {} : { entries }) };
    }
  }
  if (conversions.has(overload) && first !== undefined) return { ...converted(overload, sizeOf(first), sum) };
  if (comparesContents(overload)) return { cost: add(compareCost(sizeOf(first), sizeOf(second)), sum) };
  return plain;
}

/** Texts and bytes are compared from the beginning to where the shorter one ends; single values cost 1. */
function compareCost(left: Range, right: Range): Range {
  const max = left.max < right.max ? left.max : right.max;
  return scale({ min: max > 0n ? 1n : 0n, max }, traversal);
}

const comparison = /^(less|less_equals|greater|greater_equals)_(string|bytes)$/;

function comparesContents(overload: string): boolean {
  return overload === 'equals' || overload === 'not_equals' || comparison.test(overload);
}

const conversions: ReadonlySet<string> = new Set(['string_to_bytes', 'bytes_to_string', 'strings_quote']);

/** A character has up to four bytes, and a quoted one up to two characters. Sizes overflow here as upstream's do. */
function converted(overload: string, size: Range, sum: Range): CallCost {
  const cost = add(scale(size, traversal), sum);
  switch (overload) {
    case 'string_to_bytes':
      return { cost, size: { min: size.min, max: BigInt.asUintN(64, size.max * 4n) } };
    case 'bytes_to_string':
      return { cost, size: { min: size.min / 4n, max: size.max } };
    default:
      return { cost, size: { min: BigInt.asUintN(64, size.min + 2n), max: BigInt.asUintN(64, size.max * 2n + 2n) } };
  }
}

/** One more character than there are, so that an empty text does not make a long pattern free. */
export function matchCost(text: CostNode, pattern: CostNode): Range {
  return multiply(scale(add(sizeOf(text), one), traversal), scale(sizeOf(pattern), regexLength));
}

function read(node: CostNode): Range {
  return scale(sizeOf(node), traversal);
}

function sizeOf(node: CostNode | undefined): Range {
  return node?.size ?? unknown;
}

function entriesOfNode(node: CostNode | undefined, entriesOf: (arg: Expr) => EntrySizes | undefined): EntrySizes | undefined {
  return node?.expr === undefined ? undefined : entriesOf(node.expr);
}
