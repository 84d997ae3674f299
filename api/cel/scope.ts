// Names within an expression: the variables of its comprehensions, and paths that may be names of a namespace.
import type { Expr } from './ast.ts';
import type { CelType } from './types.ts';

/** The variables of comprehensions, innermost first. */
export interface Scope {
  readonly outer: Scope | undefined;
  readonly variables: ReadonlyMap<string, CelType>;
}

/** The innermost variable of the name; a leading dot does not count. */
export function findLocal(innermost: Scope | undefined, name: string): CelType | undefined {
  const bare = name.startsWith('.') ? name.slice(1) : name;
  for (let scope = innermost; scope !== undefined; scope = scope.outer) {
    const type = scope.variables.get(bare);
    if (type !== undefined) return type;
  }
  return undefined;
}

/** `a.b.c` as a name, with the identifier at its beginning; undefined for anything else. */
export function qualifiedName(expr: Expr): { readonly root: string; readonly name: string } | undefined {
  const fields: string[] = [];
  let at = expr;
  while (at.kind === 'select') {
    if (at.testOnly) return undefined;
    fields.push(at.field);
    at = at.operand;
  }
  if (at.kind !== 'identifier') return undefined;
  return { root: at.name, name: [at.name, ...fields.reverse()].join('.') };
}
