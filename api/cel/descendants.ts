// The parts of an expression, innermost first, from left to right.
import type { Expr } from './ast.ts';

/** All parts with the expression itself last. Parsers bound the depth. */
export function descendants(expr: Expr): Expr[] {
  const found: Expr[] = [];
  const visit = (part: Expr): void => {
    for (const child of children(part)) visit(child);
    found.push(part);
  };
  visit(expr);
  return found;
}

export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'comprehension':
      return [expr.range, expr.initial, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}
