// The tree of a CEL expression (https://github.com/google/cel-spec/blob/master/doc/langdef.md). Macros are expanded by the parser: what
// remains are identifiers, literals, selections, calls, aggregates and comprehensions.

/** A place in the source text: the offset of a code point, from 0. Lines and columns are derived from it (`source.ts`). */
export type Offset = number;

export type Expr = Literal | Identifier | Select | Call | ListLiteral | MapLiteral | StructLiteral | Comprehension;

/** CEL's 64-bit numbers are `bigint`s; the kind of the literal tells them apart. */
export type LiteralValue =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int' | 'uint'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array };

export interface Literal {
  readonly kind: 'literal';
  readonly at: Offset;
  readonly literal: LiteralValue;
}

export interface Identifier {
  readonly kind: 'identifier';
  readonly at: Offset;
  /** With a leading dot where the source has one: resolved from the root container only. */
  readonly name: string;
}

export interface Select {
  readonly kind: 'select';
  readonly at: Offset;
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)`: asks for presence, answers a bool. */
  readonly testOnly: boolean;
}

/** Operators are calls too, by the names of the specification: `_+_`, `_&&_`, `!_`, `_[_]`, `_?_:_`, `@in`, `_[?_]`, `_?._`. */
export interface Call {
  readonly kind: 'call';
  readonly at: Offset;
  readonly function: string;
  /** The receiver of `a.f(b)`. The checker drops it where `a.f` names a function in a namespace. */
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListLiteral {
  readonly kind: 'list';
  readonly at: Offset;
  readonly elements: readonly Expr[];
  /** Places of the elements that are left out where their optional is empty: `[?a]`. */
  readonly optional: readonly number[];
}

export interface MapLiteral {
  readonly kind: 'map';
  readonly at: Offset;
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly at: Offset;
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructLiteral {
  readonly kind: 'struct';
  readonly at: Offset;
  readonly typeName: string;
  readonly fields: readonly StructField[];
}

export interface StructField {
  readonly at: Offset;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

/** What the macros over lists and maps become: a fold of `range` into `accumulator`, which ends early when `condition` is false. */
export interface Comprehension {
  readonly kind: 'comprehension';
  readonly at: Offset;
  readonly range: Expr;
  /** The element of a list, the key of a map; with `variable2` the index or the key. */
  readonly variable: string;
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly initial: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** Something wrong with an expression, at a place of its source; without a place for the expression as a whole. */
export interface CelProblem {
  readonly at: Offset | undefined;
  readonly message: string;
}
