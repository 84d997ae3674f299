// Trees and problems as short texts, for tests.
import type { CelProblem, Expr, LiteralValue } from './ast.ts';
import { parseType } from './declarations.ts';
import type { VariableDeclaration } from './types.ts';

/** Every node is followed by its place: `_+_(1@0, x@4)@2`. */
export function showTree(expr: Expr): string {
  return `${showNode(expr)}@${expr.at}`;
}

function showNode(expr: Expr): string {
  switch (expr.kind) {
    case 'literal':
      return showLiteral(expr.literal);
    case 'identifier':
      return expr.name;
    case 'select':
      return `${expr.testOnly ? 'has ' : ''}${showTree(expr.operand)}.${expr.field}`;
    case 'call':
      return `${expr.target === undefined ? '' : `${showTree(expr.target)}.`}${expr.function}(${expr.args.map(showTree).join(', ')})`;
    case 'list':
      return `[${expr.elements.map((element, index) => `${expr.optional.includes(index) ? '?' : ''}${showTree(element)}`).join(', ')}]`;
    case 'map':
      return `{${expr.entries.map((entry) => showEntry(entry, showTree(entry.key))).join(', ')}}`;
    case 'struct':
      return `${expr.typeName}{${expr.fields.map((field) => showEntry(field, field.name)).join(', ')}}`;
    case 'comprehension': {
      const { variable, variable2, accumulator, range, initial, condition, step, result } = expr;
      const names = [variable, ...(variable2 === undefined ? [] : [variable2]), accumulator].join(' ');
      return `fold(${names}: ${[range, initial, condition, step, result].map(showTree).join(', ')})`;
    }
  }
}

function showEntry({ at, value, optional }: { at: number; value: Expr; optional: boolean }, key: string): string {
  return `${optional ? '?' : ''}${key} :@${at} ${showTree(value)}`;
}

function showLiteral(literal: LiteralValue): string {
  switch (literal.type) {
    case 'null':
      return 'null';
    case 'string':
      return JSON.stringify(literal.value);
    case 'bytes':
      return `b[${literal.value.join(' ')}]`;
    case 'uint':
      return `${literal.value}u`;
    case 'double':
      return `double(${Object.is(literal.value, -0) ? '-0' : literal.value})`;
    default:
      return String(literal.value);
  }
}

const operandTokens = "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";

/** `place: message` per problem; what can begin an expression is written `OPERAND`. */
export function listProblems(problems: readonly CelProblem[]): string[] {
  return problems.map(
    ({ at, message }) => `${at ?? 'nowhere'}: ${message.replace('Syntax error: ', 'S: ').replace(operandTokens, 'OPERAND')}`,
  );
}

/** `name: type; name: type`. */
export function variablesOf(text: string): VariableDeclaration[] {
  const declarations = text === '' ? [] : text.split('; ');
  return declarations.map((declaration) => {
    const colon = declaration.indexOf(': ');
    return { name: declaration.slice(0, colon), type: parseType(declaration.slice(colon + 2)) };
  });
}
