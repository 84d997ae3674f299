// What is found wrong with a checked expression when a program is built of it: conversions of values that are spelled out and fail,
// patterns that are no regular expressions, names of types that no value has. Upstream: cel-go/interpreter, planner.go and decorators.go.
import type { Call, Expr } from './ast.ts';
import type { CheckedExpression } from './checker.ts';
import { type Constant, ConversionProblem, convert, isConversion } from './conversions.ts';
import { descendants } from './descendants.ts';
import type { Environment } from './environment.ts';
import { regexProblem } from './regex-syntax.ts';

/** Functions that match their first argument after the receiver as a pattern. */
const matchers: ReadonlySet<string> = new Set(['matches', 'find', 'findAll']);

const indexes: ReadonlySet<string> = new Set(['_[_]', '_[?_]']);

/** What cannot be a key or an index, by the names that messages call it. */
const goTypes: Readonly<Record<string, string>> = {
  bytes: 'types.Bytes',
  null: 'types.Null',
  timestamp: 'types.Timestamp',
  duration: 'types.Duration',
  list: '*types.baseList',
  map: '*types.baseMap',
  type: '*types.Type',
};

/** The first problem, innermost parts first; undefined where the program can be built. */
export function programProblem(checked: CheckedExpression, environment: Environment): string | undefined {
  const constants = new Map<Expr, Constant>();
  for (const expr of descendants(checked.expr)) {
    try {
      const problem = partProblem(expr, checked, environment, constants);
      if (problem !== undefined) return problem;
    } catch (err) {
      if (err instanceof ConversionProblem) return err.message;
      throw err;
    }
  }
  return undefined;
}

/** Notes the value of the part where it is known. */
function partProblem(expr: Expr, checked: CheckedExpression, environment: Environment, constants: Map<Expr, Constant>): string | undefined {
  switch (expr.kind) {
    case 'literal':
      constants.set(expr, expr.literal);
      return undefined;
    case 'identifier': {
      const number = checked.constants.get(expr);
      if (number !== undefined) constants.set(expr, { type: 'int', value: number });
      if (checked.types.get(expr)?.kind !== 'type') return undefined;
      if (!environment.isTypeName(expr.name)) return `reference to undefined type: ${expr.name}`;
      constants.set(expr, { type: 'type' });
      return undefined;
    }
    case 'list':
      if (expr.elements.every((element) => constants.has(element)) && expr.optional.length === 0) constants.set(expr, { type: 'list' });
      return undefined;
    case 'map':
      if (expr.entries.every(({ key, value, optional }) => constants.has(key) && constants.has(value) && !optional)) {
        constants.set(expr, { type: 'map' });
      }
      return undefined;
    case 'call':
      return callProblem(expr, checked, constants);
    default:
      return undefined;
  }
}

function callProblem(expr: Call, checked: CheckedExpression, constants: Map<Expr, Constant>): string | undefined {
  const args = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
  const [first, second] = args;
  const value = first === undefined ? undefined : constants.get(first);
  if (isConversion(expr.function) && args.length === 1 && value !== undefined) {
    constants.set(expr, convert(expr.function, value));
  }
  const overloads = checked.overloads.get(expr);
  // Nothing is in an empty list.
  if (second?.kind === 'list' && second.elements.length === 0 && overloads?.length === 1 && overloads[0] === 'in_list') {
    constants.set(expr, { type: 'bool', value: false });
  }
  const index = second === undefined || !indexes.has(expr.function) ? undefined : constants.get(second);
  const notAnIndex = index === undefined ? undefined : goTypes[index.type];
  if (notAnIndex !== undefined) return `invalid qualifier type: ${notAnIndex}`;
  const pattern = second === undefined ? undefined : constants.get(second);
  return matchers.has(expr.function) && pattern?.type === 'string' ? regexProblem(pattern.value) : undefined;
}
