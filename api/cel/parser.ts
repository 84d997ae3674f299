// From text to the tree of an expression: recognizes the syntax, then reads literals and expands macros. Whatever the text, the outcome is a
// tree or problems with upstream's messages.
import type { CelProblem, Expr, LiteralValue, MapEntry, Offset, StructField } from './ast.ts';
import { readLiteral } from './literals.ts';
import { type Macro, MacroNodes, MacroProblem, standardMacros } from './macros.ts';
import { recognize } from './recognizer.ts';
import type { Source } from './source.ts';
import * as syntax from './syntax-tree.ts';
import type { Token } from './tokens.ts';

export interface ParseOptions {
  /** Besides those of the language. */
  readonly macros?: readonly Macro[];
  /** `a.?b`, `a[?b]`, `[?a]`, `{?a: b}`. */
  readonly optionalSyntax?: boolean;
  readonly maxCodePoints?: number;
  readonly maxNodes?: number;
}

/** Either a tree or at least one problem. */
export type ParseResult =
  | { readonly expr: Expr; readonly problems: readonly [] }
  | { readonly expr: undefined; readonly problems: readonly CelProblem[] };

const limits = { recursion: 250, reportedErrors: 100, recoveries: 30, skippedTokens: 256 };
const defaultMaxCodePoints = 100_000;
const defaultMaxNodes = 100_000;

export function parse(source: Source, options: ParseOptions = {}): ParseResult {
  const { maxCodePoints = defaultMaxCodePoints } = options;
  if (source.length > maxCodePoints) {
    const message = `expression code point size exceeds limit: size: ${source.length}, limit ${maxCodePoints}`;
    return { expr: undefined, problems: [{ at: undefined, message }] };
  }
  const problems: CelProblem[] = [];
  const tree = recognize(source, problems, limits);
  const expr = tree === undefined ? undefined : new TreeBuilder(problems, options).build(tree);
  return expr === undefined || problems.length > 0 ? { expr: undefined, problems } : { expr, problems: [] };
}

/** Words that are kept for languages into which expressions are translated. They are good names of fields. */
const reservedNames = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '),
);

/** How deep these lie in each other is limited. */
const countedKinds: ReadonlySet<syntax.SyntaxNode['kind']> = new Set(['conditional', 'binary', 'select', 'memberCall', 'index']);

class TooDeep extends Error {}

class TreeBuilder {
  readonly #problems: CelProblem[];
  readonly #macros: ReadonlyMap<string, Macro>;
  readonly #hasOptionals: boolean;
  readonly #maxNodes: number;
  #nodes = 0;
  #depth = 0;

  constructor(problems: CelProblem[], { macros = [], optionalSyntax = false, maxNodes = defaultMaxNodes }: ParseOptions) {
    this.#problems = problems;
    this.#macros = new Map([...standardMacros, ...macros].map((macro) => [macroKey(macro.name, macro.args, macro.isMember), macro]));
    this.#hasOptionals = optionalSyntax;
    this.#maxNodes = maxNodes;
  }

  /** Undefined where the tree is too deep. */
  build(node: syntax.SyntaxNode): Expr | undefined {
    try {
      return this.#expr(node);
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error;
      this.#problems.push({ at: undefined, message: 'max recursion depth exceeded' });
      return undefined;
    }
  }

  #expr(node: syntax.SyntaxNode | undefined): Expr {
    if (node === undefined || !countedKinds.has(node.kind)) return this.#exprOf(node);
    this.#depth += 1;
    if (this.#depth > limits.recursion) throw new TooDeep();
    const expr = this.#exprOf(node);
    this.#depth -= 1;
    return expr;
  }

  #exprs(nodes: readonly syntax.SyntaxNode[]): Expr[] {
    const exprs: Expr[] = [];
    for (const node of nodes) exprs.push(this.#expr(node));
    return exprs;
  }

  #exprOf(node: syntax.SyntaxNode | undefined): Expr {
    switch (node?.kind) {
      case 'conditional':
        return this.#conditional(node);
      case 'logic':
        return this.#logic(node);
      case 'binary':
        return this.#binary(node);
      case 'prefix':
        return this.#prefix(node);
      case 'select':
        return this.#select(node);
      case 'memberCall':
        return this.#memberCall(node);
      case 'index':
        return this.#index(node);
      case 'name':
        return this.#name(node);
      case 'globalCall':
        return this.#globalCall(node);
      case 'list':
        return this.#list(node);
      case 'map':
        return this.#map(node);
      case 'message':
        return this.#message(node);
      case 'literal':
        return this.#literal(node);
      default:
        return this.#nothing(node?.at ?? syntax.beforeText);
    }
  }

  #conditional({ condition, operator, whenTrue, whenFalse }: syntax.ConditionalNode): Expr {
    return this.#call(operator, '_?_:_', [this.#expr(condition), this.#expr(whenTrue), this.#expr(whenFalse)]);
  }

  /** As a balanced tree: long chains stay shallow. */
  #logic({ function: name, terms, operators }: syntax.LogicNode): Expr {
    const exprs = this.#exprs(terms);
    const balance = (from: number, to: number): Expr => {
      const middle = Math.floor((from + to + 1) / 2);
      const [operator, one, other] = [operators[middle], exprs[middle], exprs[middle + 1]];
      if (operator === undefined || one === undefined || other === undefined) throw new RangeError('an operator has two operands');
      const left = middle === from ? one : balance(from, middle - 1);
      const right = middle === to ? other : balance(middle + 1, to);
      return this.#call(operator, name, [left, right]);
    };
    return balance(0, operators.length - 1);
  }

  #binary({ operator, left, right }: syntax.BinaryNode): Expr {
    const name = operator.text === 'in' ? '@in' : `_${operator.text}_`;
    return this.#call(operator, name, [this.#expr(left), this.#expr(right)]);
  }

  /** Pairs of signs cancel each other. */
  #prefix({ function: name, operators, operand }: syntax.PrefixNode): Expr {
    const [operator] = operators;
    const expr = this.#expr(operand);
    return operators.length % 2 === 0 || operator === undefined ? expr : this.#call(operator, name, [expr]);
  }

  #select({ operand, operator, isOptional = false, field }: syntax.SelectNode): Expr {
    const expr = this.#expr(operand);
    if (field === undefined) return this.#nothing(operator.start);
    const name = this.#fieldName(field, field.start);
    if (!isOptional) return this.#made({ kind: 'select', at: operator.start, operand: expr, field: name ?? '', testOnly: false });
    if (!this.#hasOptionals) return this.#problem(operator.start, "unsupported syntax '.?'");
    return this.#call(operator, '_?._', [expr, this.#literalOf(field.start.start, { type: 'string', value: name ?? '' })]);
  }

  #memberCall({ operand, name, open, args }: syntax.MemberCallNode): Expr {
    const target = this.#expr(operand);
    const built = this.#exprs(args);
    const expanded = this.#expand(open, name.text, built, target);
    return expanded ?? this.#made({ kind: 'call', at: open.start, function: name.text, target, args: built });
  }

  #index({ operand, operator, isOptional = false, index }: syntax.IndexNode): Expr {
    const args = [this.#expr(operand), this.#expr(index)];
    if (isOptional && !this.#hasOptionals) return this.#problem(operator.start, "unsupported syntax '[?'");
    return this.#call(operator, isOptional ? '_[?_]' : '_[_]', args);
  }

  #name({ start, isAbsolute, name }: syntax.NameNode): Expr {
    if (reservedNames.has(name.text)) return this.#problem(start.start, `reserved identifier: ${name.text}`);
    return this.#made({ kind: 'identifier', at: name.start, name: isAbsolute ? `.${name.text}` : name.text });
  }

  #globalCall({ start, isAbsolute, name, open, args }: syntax.GlobalCallNode): Expr {
    if (reservedNames.has(name.text)) return this.#problem(start.start, `reserved identifier: ${name.text}`);
    const fullName = isAbsolute ? `.${name.text}` : name.text;
    const built = this.#exprs(args);
    return this.#expand(open, fullName, built) ?? this.#call(open, fullName, built);
  }

  #list({ start, elements }: syntax.ListNode): Expr {
    const optional: number[] = [];
    const exprs: Expr[] = [];
    for (const { question, value } of elements) {
      if (question !== undefined) optional.push(exprs.length);
      exprs.push(this.#expr(value));
      if (question !== undefined && !this.#hasOptionals) this.#problem(question.start, "unsupported syntax '?'");
    }
    return this.#made({ kind: 'list', at: start.start, elements: exprs, optional });
  }

  #map({ start, entries }: syntax.MapNode): Expr {
    const { keys, colons, values } = entries ?? { keys: [], colons: [], values: [] };
    const built: MapEntry[] = [];
    for (const [index, colon] of colons.entries()) {
      const [key, value] = [keys[index], values[index]];
      if (key === undefined || value === undefined) break;
      if (key.question !== undefined && !this.#hasOptionals) {
        this.#problem(key.start.start, "unsupported syntax '?'");
        continue;
      }
      this.#count();
      built.push({ at: colon.start, key: this.#expr(key.value), value: this.#expr(value), optional: key.question !== undefined });
    }
    return this.#made({ kind: 'map', at: start.start, entries: built });
  }

  #message({ typeName, open, entries }: syntax.MessageNode): Expr {
    return this.#made({ kind: 'struct', at: open.start, typeName, fields: entries === undefined ? [] : this.#fields(entries) });
  }

  #fields({ start, keys, colons, values }: syntax.Entries<syntax.OptionalField>): StructField[] {
    const fields: StructField[] = [];
    for (const [index, key] of keys.entries()) {
      const [colon, value] = [colons[index], values[index]];
      if (colon === undefined || value === undefined) break;
      const { isOptional = false, field } = key;
      if (isOptional && !this.#hasOptionals) {
        this.#problem(key.start.start, "unsupported syntax '?'");
        continue;
      }
      const name = this.#fieldName(field, start);
      if (name === undefined) continue;
      this.#count();
      fields.push({ at: colon.start, name, value: this.#expr(value), optional: isOptional });
    }
    return fields;
  }

  /** Back quotes are not part of the name. */
  #fieldName(field: syntax.FieldName | undefined, blame: Token): string | undefined {
    if (field?.name !== undefined) return field.name.text.replaceAll('`', '');
    this.#problem(blame.start, 'unsupported ident kind');
    return undefined;
  }

  #literal({ start, isNegative, token }: syntax.LiteralNode): Expr {
    const reading = readLiteral(token, isNegative);
    return 'problem' in reading ? this.#problem(start.start, reading.problem) : this.#literalOf(start.start, reading.value);
  }

  #literalOf(at: Offset, literal: LiteralValue): Expr {
    return this.#made({ kind: 'literal', at, literal });
  }

  #call(at: Token, name: string, args: readonly Expr[]): Expr {
    return this.#made({ kind: 'call', at: at.start, function: name, target: undefined, args });
  }

  /** Undefined where the call is no macro's. */
  #expand(open: Token, name: string, args: readonly Expr[], target?: Expr): Expr | undefined {
    const macro = this.#macros.get(macroKey(name, args.length, target !== undefined));
    if (macro === undefined) return undefined;
    this.#count();
    const tooMany = `expression count exceeds limit of ${this.#maxNodes} while expanding macro '${name}'`;
    if (this.#nodes > this.#maxNodes) return this.#problem(open.start, tooMany);
    try {
      const make = new MacroNodes(open.start, () => this.#count());
      const expr = macro.expand(make, args, target ?? this.#nothing(open.start));
      return this.#nodes > this.#maxNodes ? this.#problem(open.start, tooMany) : expr;
    } catch (error) {
      if (error instanceof MacroProblem) return this.#problem(error.at, error.message);
      throw error;
    }
  }

  /** Stands in for what could not be read; whoever made it knows of a problem. */
  #nothing(at: Offset): Expr {
    return { kind: 'literal', at, literal: { type: 'null' } };
  }

  #problem(at: Offset, message: string): Expr {
    this.#problems.push({ at, message });
    this.#count();
    return this.#nothing(at);
  }

  #made(expr: Expr): Expr {
    this.#count();
    return expr;
  }

  #count(): void {
    this.#nodes += 1;
  }
}

function macroKey(name: string, args: number, isMember: boolean): string {
  return `${name}:${args}:${isMember}`;
}
