// From the text of an expression to a checked tree, or to what is wrong with it as upstream shows it.
import { type CheckedExpression, check } from './checker.ts';
import type { Environment } from './environment.ts';
import { checkLiterals } from './literal-checks.ts';
import { parse } from './parser.ts';
import { showProblems, Source } from './source.ts';
import type { CelType } from './types.ts';

export type Compilation =
  | { readonly expression: CheckedExpression; readonly type: CelType }
  /** One problem below the other, each with its line and a pointer. */
  | { readonly problem: string };

export function compile(text: string, environment: Environment): Compilation {
  const source = new Source(text);
  const { expr, problems } = parse(source, { macros: environment.macros, optionalSyntax: environment.hasOptionals });
  if (expr === undefined) return { problem: showProblems(source, problems) };
  const expression = check(expr, environment);
  if (!('expr' in expression)) return { problem: showProblems(source, expression) };
  const wrong = checkLiterals(expression);
  if (wrong.length > 0) return { problem: showProblems(source, wrong) };
  return { expression, type: expression.types.get(expression.expr) ?? { kind: 'dyn' } };
}
