// Upstream's extensions of lists; `sortBy` is a macro.
import type { Expr } from '../ast.ts';
import { type Macro, MacroProblem, type MacroNodes, standardMacros } from '../macros.ts';

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

export const listMacros: readonly Macro[] = [{ name: 'sortBy', isMember: true, args: 2, expand: expandSortBy }];
