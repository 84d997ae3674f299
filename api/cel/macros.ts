// Macros: calls that the parser replaces. Which ones there are is the environment's choice; here are those of the language itself.
import type { Call, Comprehension, Expr, Identifier, ListLiteral, Literal, LiteralValue, MapLiteral, Offset, Select } from './ast.ts';

export interface Macro {
  readonly name: string;
  /** Called as `target.name(…)`. */
  readonly isMember: boolean;
  readonly args: number;
  /** Undefined where the call is none of the macro's after all. Throws a `MacroProblem`. */
  readonly expand: (make: MacroNodes, args: readonly Expr[], target: Expr) => Expr | undefined;
}

/** The arguments are not what the macro takes. */
export class MacroProblem extends Error {
  readonly at: Offset;

  constructor(at: Offset, message: string) {
    super(message);
    this.at = at;
  }
}

/** Names that sources cannot write, so nothing is hidden by them. */
export const accumulator = '@result';
export const unusedVariable = '#unused';
/** What the accumulator was called before; still refused as a variable. */
const formerAccumulator = '__result__';

/** Makes the nodes of an expansion, all at the place of the macro's call. */
export class MacroNodes {
  readonly #at: Offset;
  readonly #count: () => void;

  /** `count` is called for every node that is made. */
  constructor(at: Offset, count: () => void) {
    this.#at = at;
    this.#count = count;
  }

  literal(literal: LiteralValue): Literal {
    return this.#counted({ kind: 'literal', at: this.#at, literal });
  }

  bool(value: boolean): Literal {
    return this.literal({ type: 'bool', value });
  }

  identifier(name: string): Identifier {
    return this.#counted({ kind: 'identifier', at: this.#at, name });
  }

  result(): Identifier {
    return this.identifier(accumulator);
  }

  call(name: string, ...args: readonly Expr[]): Call {
    return this.#counted({ kind: 'call', at: this.#at, function: name, target: undefined, args });
  }

  memberCall(name: string, target: Expr, ...args: readonly Expr[]): Call {
    return this.#counted({ kind: 'call', at: this.#at, function: name, target, args });
  }

  presenceTest({ operand, field }: Select): Select {
    return this.#counted({ kind: 'select', at: this.#at, operand, field, testOnly: true });
  }

  list(...elements: readonly Expr[]): ListLiteral {
    return this.#counted({ kind: 'list', at: this.#at, elements, optional: [] });
  }

  emptyMap(): MapLiteral {
    return this.#counted({ kind: 'map', at: this.#at, entries: [] });
  }

  comprehension(fold: Omit<Comprehension, 'kind' | 'at' | 'variable2'> & { readonly variable2?: string }): Comprehension {
    return this.#counted({ kind: 'comprehension', at: this.#at, variable2: undefined, ...fold });
  }

  /** `value` under a name within `scope`. */
  bind(name: string, value: Expr, scope: Expr): Comprehension {
    return this.comprehension({
      range: this.list(),
      variable: unusedVariable,
      accumulator: name,
      initial: value,
      condition: this.bool(false),
      step: this.identifier(name),
      result: scope,
    });
  }

  #counted<Node extends Expr>(node: Node): Node {
    this.#count();
    return node;
  }
}

/** What a macro over the elements of a range does, whether with one variable or two. */
export interface Fold {
  readonly initial: (make: MacroNodes) => Expr;
  readonly condition: (make: MacroNodes) => Expr;
  readonly step: (make: MacroNodes, args: readonly Expr[]) => Expr;
  readonly result: (make: MacroNodes) => Expr;
}

const always = (make: MacroNodes): Expr => make.bool(true);
const result = (make: MacroNodes): Expr => make.result();
const one = (make: MacroNodes): Expr => make.literal({ type: 'int', value: 1n });

export const all: Fold = {
  initial: always,
  condition: (make) => make.call('@not_strictly_false', make.result()),
  step: (make, [predicate]) => make.call('_&&_', make.result(), present(predicate)),
  result,
};

export const exists: Fold = {
  initial: (make) => make.bool(false),
  condition: (make) => make.call('@not_strictly_false', make.call('!_', make.result())),
  step: (make, [predicate]) => make.call('_||_', make.result(), present(predicate)),
  result,
};

export const existsOne: Fold = {
  initial: (make) => make.literal({ type: 'int', value: 0n }),
  condition: always,
  step: (make, [predicate]) => make.call('_?_:_', present(predicate), make.call('_+_', make.result(), one(make)), make.result()),
  result: (make) => make.call('_==_', make.result(), one(make)),
};

/** Gathers the last argument's values; with two arguments only where the first holds. */
export const gather: Fold = {
  initial: (make) => make.list(),
  condition: always,
  step: (make, args) => onlyWhere(make, args, make.call('_+_', make.result(), make.list(present(args.at(-1))))),
  result,
};

/** `step` where the first of two arguments holds, otherwise nothing changes. */
export function onlyWhere(make: MacroNodes, args: readonly Expr[], step: Expr): Expr {
  const [filter] = args;
  return args.length < 2 || filter === undefined ? step : make.call('_?_:_', filter, step, make.result());
}

export function present(arg: Expr | undefined): Expr {
  if (arg === undefined) throw new RangeError('a macro was given too few arguments');
  return arg;
}

/** The name that an argument declares. */
export function variableName(arg: Expr | undefined, otherwise: string): string {
  const given = present(arg);
  if (given.kind !== 'identifier') throw new MacroProblem(given.at, otherwise);
  return given.name;
}

export function refuseAccumulator(name: string, arg: Expr | undefined): void {
  if (name !== accumulator && name !== formerAccumulator) return;
  throw new MacroProblem(present(arg).at, 'iteration variable overwrites accumulator variable');
}

function fold(name: string, args: number, how: Fold, notAName: string): Macro {
  const expand: Macro['expand'] = (make, [variable, ...rest], range) => {
    const variableText = variableName(variable, notAName);
    refuseAccumulator(variableText, variable);
    const parts = { initial: how.initial(make), condition: how.condition(make), step: how.step(make, rest), result: how.result(make) };
    return make.comprehension({ range, variable: variableText, accumulator, ...parts });
  };
  return { name, isMember: true, args, expand };
}

function expandHas(make: MacroNodes, [argument]: readonly Expr[]): Expr {
  const selection = present(argument);
  if (selection.kind !== 'select') throw new MacroProblem(selection.at, 'invalid argument to has() macro');
  return make.presenceTest(selection);
}

function expandFilter(make: MacroNodes, [variable, predicate]: readonly Expr[], range: Expr): Expr {
  const name = variableName(variable, 'argument is not an identifier');
  refuseAccumulator(name, variable);
  const parts = { initial: make.list(), condition: always(make), step: gather.step(make, [present(predicate), present(variable)]) };
  return make.comprehension({ range, variable: name, accumulator, ...parts, result: make.result() });
}

const notSimple = 'argument must be a simple name';

export const standardMacros: readonly Macro[] = [
  { name: 'has', isMember: false, args: 1, expand: expandHas },
  fold('all', 2, all, notSimple),
  fold('exists', 2, exists, notSimple),
  fold('exists_one', 2, existsOne, notSimple),
  fold('map', 2, gather, 'argument is not an identifier'),
  fold('map', 3, gather, 'argument is not an identifier'),
  { name: 'filter', isMember: true, args: 2, expand: expandFilter },
];
