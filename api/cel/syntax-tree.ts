// What the recognizer makes of the tokens, before macros and literals are looked at. Where the text is wrong a node stays incomplete:
// members that may be absent are those of rules that were left early.
import type { Offset } from './ast.ts';
import type { Token } from './tokens.ts';

export type SyntaxNode =
  | ConditionalNode
  | LogicNode
  | BinaryNode
  | PrefixNode
  | SelectNode
  | MemberCallNode
  | IndexNode
  | NameNode
  | GlobalCallNode
  | ListNode
  | MapNode
  | MessageNode
  | LiteralNode
  | NothingNode;

interface Started {
  /** The first token: where messages about the whole node point. */
  readonly start: Token;
}

export interface ConditionalNode extends Started {
  readonly kind: 'conditional';
  readonly condition: SyntaxNode;
  readonly operator: Token;
  whenTrue?: SyntaxNode;
  whenFalse?: SyntaxNode;
}

export interface LogicNode extends Started {
  readonly kind: 'logic';
  readonly function: '_||_' | '_&&_';
  readonly terms: SyntaxNode[];
  /** One fewer than the terms. */
  readonly operators: Token[];
}

export interface BinaryNode extends Started {
  readonly kind: 'binary';
  readonly operator: Token;
  readonly left: SyntaxNode;
  readonly right: SyntaxNode;
}

/** Any number of `!` or of `-` before an operand. */
export interface PrefixNode extends Started {
  readonly kind: 'prefix';
  readonly function: '!_' | '-_';
  readonly operators: Token[];
  operand?: SyntaxNode;
}

export interface SelectNode extends Started {
  readonly kind: 'select';
  readonly operand: SyntaxNode;
  readonly operator: Token;
  isOptional?: boolean;
  field?: FieldName;
}

/** `name` is absent where something else stood there. */
export interface FieldName extends Started {
  name?: Token;
}

export interface MemberCallNode extends Started {
  readonly kind: 'memberCall';
  readonly operand: SyntaxNode;
  readonly name: Token;
  readonly open: Token;
  args: readonly SyntaxNode[];
}

export interface IndexNode extends Started {
  readonly kind: 'index';
  readonly operand: SyntaxNode;
  readonly operator: Token;
  isOptional?: boolean;
  index?: SyntaxNode;
}

export interface NameNode extends Started {
  readonly kind: 'name';
  readonly isAbsolute: boolean;
  readonly name: Token;
}

export interface GlobalCallNode extends Started {
  readonly kind: 'globalCall';
  readonly isAbsolute: boolean;
  readonly name: Token;
  readonly open: Token;
  args: readonly SyntaxNode[];
}

export interface ListNode extends Started {
  readonly kind: 'list';
  elements: readonly OptionalNode[];
}

/** `?x` or `x`. */
export interface OptionalNode extends Started {
  question?: Token;
  value?: SyntaxNode;
}

export interface MapNode extends Started {
  readonly kind: 'map';
  entries?: Entries<OptionalNode>;
}

export interface MessageNode extends Started {
  readonly kind: 'message';
  readonly typeName: string;
  readonly open: Token;
  entries?: Entries<OptionalField>;
}

/** Keys, colons and values in parallel; the last ones may be missing. */
export interface Entries<Key> extends Started {
  readonly keys: Key[];
  readonly colons: Token[];
  readonly values: SyntaxNode[];
}

export interface OptionalField extends Started {
  isOptional?: boolean;
  field?: FieldName;
}

export interface LiteralNode extends Started {
  readonly kind: 'literal';
  readonly isNegative: boolean;
  readonly token: Token;
}

/** A rule that recognized nothing; why has been reported. */
export interface NothingNode extends Started {
  readonly kind: 'nothing';
  /** Where messages about it point. */
  readonly at: Offset;
}

/** Where upstream sees what has no place: before the text. */
export const beforeText: Offset = -1;
