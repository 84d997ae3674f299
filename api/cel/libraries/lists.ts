// Upstream's extension of lists, in the third version; `sortBy` is a macro.
import type { Expr } from '../ast.ts';
import { declareFunctions } from '../declarations.ts';
import { type Macro, type MacroNodes, MacroProblem, standardMacros } from '../macros.ts';
import type { Library } from '../types.ts';

export function listLibrary(): Library {
  const sort = comparable.map(([name, type = name]) => `  list_${name}_sort: list(${type}).() -> list(${type})`);
  const sortByKeys = comparable.map(([name, type = name]) => `  list_${name}_sortByAssociatedKeys: list(A).(list(${type})) -> list(A)`);
  const text = [listFunctions, 'sort', ...sort, '@sortByAssociatedKeys', ...sortByKeys].join('\n');
  return { functions: declareFunctions(text), variables: [], macros: listMacros };
}

/** As overloads name them, and the types where those are called otherwise. */
const comparable: readonly (readonly [name: string, type?: string])[] = [
  ['int'],
  ['uint'],
  ['double'],
  ['bool'],
  ['google.protobuf.Duration', 'duration'],
  ['google.protobuf.Timestamp', 'timestamp'],
  ['string'],
  ['bytes'],
];

const listFunctions = `
lists.range
  lists_range: (int) -> list(int)
slice
  list_slice: list(A).(int, int) -> list(A)
flatten
  list_flatten: list(list(A)).() -> list(A)
  list_flatten_int: list(dyn).(int) -> list(dyn)
distinct
  list_distinct: list(A).() -> list(A)
reverse
  list_reverse: list(A).() -> list(A)`;

const input = '@__sortBy_input__';
const sortable: ReadonlySet<Expr['kind']> = new Set(['list', 'select', 'identifier', 'comprehension', 'call']);

/** Sorts by the keys that the expression gives for the elements. */
function expandSortBy(make: MacroNodes, args: readonly Expr[], target: Expr): Expr | undefined {
  if (!sortable.has(target.kind)) {
    const message = 'sortBy can only be applied to a list, identifier, comprehension, call or select expression';
    throw new MacroProblem(target.at, message);
  }
  const map = standardMacros.find(({ name, args: count }) => name === 'map' && count === 2);
  const keys = map?.expand(make, args, make.identifier(input));
  if (keys === undefined) return undefined;
  return make.bind(input, target, make.memberCall('@sortByAssociatedKeys', make.identifier(input), keys));
}

const listMacros: readonly Macro[] = [{ name: 'sortBy', isMember: true, args: 2, expand: expandSortBy }];
