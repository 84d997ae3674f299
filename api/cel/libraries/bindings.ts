// `cel.bind(name, value, expression)`.
import type { Expr } from '../ast.ts';
import { type Macro, type MacroNodes, present, variableName } from '../macros.ts';
import type { Library } from '../types.ts';

export function bindingLibrary(): Library {
  return { functions: [], variables: [], macros: bindingMacros };
}

const bindingMacros: readonly Macro[] = [{ name: 'bind', isMember: true, args: 3, expand: expandBind }];

/** Others may have members that are called `bind`. */
function expandBind(make: MacroNodes, [variable, value, scope]: readonly Expr[], target: Expr): Expr | undefined {
  if (target.kind !== 'identifier' || target.name !== 'cel') return undefined;
  const name = variableName(variable, 'cel.bind() variable names must be simple identifiers');
  return make.bind(name, present(value), present(scope));
}
