// What the functions of cel-go's extensions cost, by their overloads: sets, and lists as of the third version of that library.
// Upstream: cel-go/ext/sets.go, lists.go.
import type { CallCost, CostNode, ModelledCall } from './cost.ts';
import { add, fixed, largest, multiply, type Range, scale } from './estimate.ts';
import { traversal } from './core-costs.ts';

const one = fixed(1n);
const newList = fixed(10n);
const sortOverload = /^list_(?<type>.+)_(?<how>sort|sortByAssociatedKeys)$/;

/** Undefined where none of the extensions has the overload. */
export function extensionCost({ overload, target, args }: ModelledCall, sizeOf: (node: CostNode) => Range): CallCost | undefined {
  const [first, second] = args;
  switch (overload) {
    case 'list_sets_contains_list':
    case 'list_sets_intersects_list':
    case 'list_sets_equivalent_list': {
      if (first === undefined || second === undefined) return undefined;
      const pairs = multiply(sizeOf(first), sizeOf(second));
      return { cost: add(scale(pairs, overload === 'list_sets_equivalent_list' ? 2 : 1), one) };
    }
    case 'lists_range':
      return first === undefined ? undefined : makesList(1, fixed(literalCount(first) ?? largest));
  }
  if (target === undefined) return undefined;
  const size = sizeOf(target);
  switch (overload) {
    case 'list_slice': {
      const end = literalCount(second) ?? size.max;
      return makesList(1, fixed(BigInt.asUintN(64, end - (literalCount(first) ?? 0n))));
    }
    case 'list_reverse':
      return makesList(1, size);
    case 'list_flatten':
    case 'list_flatten_int':
      return makesList(first === undefined ? 1 : Number(literalCount(first) ?? largest), size);
    case 'list_distinct': {
      const element = target.type.kind === 'list' ? target.type.element.kind : 'dyn';
      return makesList(comparison(element), multiply(size, size));
    }
    default:
      return sortCost(overload, size, first, sizeOf);
  }
}

/** Every element is compared with every other; with keys, those are. */
function sortCost(overload: string, size: Range, keys: CostNode | undefined, sizeOf: (node: CostNode) => Range): CallCost | undefined {
  const { type = '', how } = sortOverload.exec(overload)?.groups ?? {};
  if (how === undefined) return undefined;
  const count = how === 'sort' || keys === undefined ? size : sizeOf(keys);
  return makesList(comparison(type), multiply(count, count));
}

function comparison(type: string): number {
  return type === 'string' || type === 'bytes' ? 2 + traversal : 2;
}

function makesList(factor: number, size: Range): CallCost {
  return { cost: add(add(scale(size, factor), newList), one), size };
}

/** A number that the expression tells; a negative one counts as none. */
function literalCount(node: CostNode | undefined): bigint | undefined {
  const { expr } = node ?? {};
  if (expr?.kind !== 'literal' || expr.literal.type !== 'int') return undefined;
  return expr.literal.value < 0n ? 0n : expr.literal.value;
}
