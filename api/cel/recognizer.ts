// CEL's grammar, one function per rule (https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax). Every choice is made by one
// or two tokens; only a name needs to be looked through to its end, to see whether it is a message's.
import type { CelProblem, Offset } from './ast.ts';
import { first, follow, place } from './grammar.ts';
import {
  recognizeArgs,
  recognizeFieldName,
  recognizeList,
  recognizeMap,
  recognizeMessage,
  type Rules,
  type Slot,
  takeQuestion,
} from './items.ts';
import { type Expectation, Hopeless, type RecognitionLimits, TokenReader } from './recovery.ts';
import type { Source } from './source.ts';
import {
  beforeText,
  type ConditionalNode,
  type GlobalCallNode,
  type IndexNode,
  type LogicNode,
  type MemberCallNode,
  type PrefixNode,
  type SelectNode,
  type SyntaxNode,
} from './syntax-tree.ts';
import { type TokenType, tokenType as t } from './tokens.ts';

/** Problems are added to `problems`. Undefined where the recognition was given up. */
export function recognize(source: Source, problems: CelProblem[], limits: RecognitionLimits): SyntaxNode | undefined {
  try {
    return new Recognizer(new TokenReader(source, problems, limits)).start();
  } catch (error) {
    if (error instanceof Hopeless) return undefined;
    throw error;
  }
}

const numbers: ReadonlySet<TokenType> = new Set([t.int, t.float]);

/** How tightly the operators of a calculation bind. */
const precedences = new Map<TokenType, number>([
  [t.plus, 1],
  [t.minus, 1],
  [t.star, 2],
  [t.slash, 2],
  [t.percent, 2],
]);

/**
 * Rules that can fail recover themselves, so whoever called them goes on as if they had not. One frame of the stack per rule is what keeps
 * the deepest nesting far from its end.
 */
class Recognizer implements Rules {
  readonly tokens: TokenReader;

  constructor(tokens: TokenReader) {
    this.tokens = tokens;
  }

  start(): SyntaxNode {
    this.tokens.enter('start', follow.start);
    const node = this.expression(follow.wholeExpression);
    try {
      this.tokens.expect(place.endOfText, t.endOfText, follow.start);
    } catch (error) {
      this.tokens.recoverFrom(error);
    }
    this.tokens.leave('start');
    return node;
  }

  expression(after: Expectation): SyntaxNode {
    this.tokens.enter('expr', after);
    let node = this.#or(follow.condition);
    if (this.tokens.isAt(t.question)) {
      const conditional: ConditionalNode = { kind: 'conditional', start: node.start, condition: node, operator: this.tokens.take() };
      node = conditional;
      conditional.whenTrue = this.#or(follow.whenTrue);
      try {
        this.tokens.expect(place.conditionalColon, t.colon, first.expression);
        conditional.whenFalse = this.expression(follow.whenFalse);
      } catch (error) {
        this.tokens.recoverFrom(error);
      }
    }
    this.tokens.leave('expr');
    return node;
  }

  #or(after: Expectation): SyntaxNode {
    this.tokens.enter('conditionalOr', after);
    let node = this.#and();
    if (this.tokens.isAt(t.or)) {
      const logic: LogicNode = { kind: 'logic', start: node.start, function: '_||_', terms: [node], operators: [] };
      node = logic;
      while (this.tokens.isAt(t.or)) {
        logic.operators.push(this.tokens.take());
        logic.terms.push(this.#and());
      }
    }
    this.tokens.leave('conditionalOr');
    return node;
  }

  #and(): SyntaxNode {
    this.tokens.enter('conditionalAnd', follow.orTerm);
    let node = this.#relation(0, follow.andTerm);
    if (this.tokens.isAt(t.and)) {
      const logic: LogicNode = { kind: 'logic', start: node.start, function: '_&&_', terms: [node], operators: [] };
      node = logic;
      while (this.tokens.isAt(t.and)) {
        logic.operators.push(this.tokens.take());
        logic.terms.push(this.#relation(0, follow.andTerm));
      }
    }
    this.tokens.leave('conditionalAnd');
    return node;
  }

  #relation(precedence: number, after: Expectation): SyntaxNode {
    this.tokens.enter('relation', after);
    let node = this.#calculation(0, follow.relationTerm);
    while (precedence <= 1 && follow.relationTerm.tokens.has(this.tokens.current.type)) {
      const operator = this.tokens.take();
      node = { kind: 'binary', start: node.start, operator, left: node, right: this.#relation(2, follow.relationTerm) };
    }
    this.tokens.leave('relation');
    return node;
  }

  #calculation(precedence: number, after: Expectation): SyntaxNode {
    this.tokens.enter('calc', after);
    let node = this.#unary();
    for (;;) {
      const own = precedences.get(this.tokens.current.type) ?? -1;
      if (own < precedence) break;
      const operator = this.tokens.take();
      node = { kind: 'binary', start: node.start, operator, left: node, right: this.#calculation(own + 1, follow.calculationTerm) };
    }
    this.tokens.leave('calc');
    return node;
  }

  #unary(): SyntaxNode {
    this.tokens.enter('unary', follow.calculationTerm);
    const slot = this.#slot(this.tokens.current.start);
    try {
      this.tokens.sync(first.unary);
      const { type } = this.tokens.current;
      if (type === t.not) this.#not(slot);
      else if (type === t.minus && !this.#isNegativeNumber(first.unary)) this.#negation(slot);
      else if (first.unary.tokens.has(type)) slot.node = this.#member();
      else throw this.tokens.noAlternative(0, first.unary);
    } catch (error) {
      this.tokens.recoverFrom(error);
    }
    this.tokens.leave('unary');
    return slot.node;
  }

  #not(slot: Slot): void {
    const node: PrefixNode = { kind: 'prefix', start: this.tokens.current, function: '!_', operators: [] };
    slot.node = node;
    while (this.tokens.isAt(t.not)) {
      node.operators.push(this.tokens.take());
      this.tokens.syncRepetition(first.afterNot);
    }
    node.operand = this.#member();
  }

  /** Of several signs before a number the last one is not the number's. */
  #negation(slot: Slot): void {
    const node: PrefixNode = { kind: 'prefix', start: this.tokens.current, function: '-_', operators: [] };
    slot.node = node;
    node.operators.push(this.tokens.take());
    while (this.tokens.isAt(t.minus)) {
      this.#requireAfterMinus(place.minusOrOperand);
      node.operators.push(this.tokens.take());
    }
    node.operand = this.#member();
  }

  /** A single sign before a number is the number's. */
  #isNegativeNumber(at: Expectation): boolean {
    this.#requireAfterMinus(at);
    return numbers.has(this.tokens.peek(1).type);
  }

  #requireAfterMinus(at: Expectation): void {
    const { type } = this.tokens.peek(1);
    if (!first.primary.tokens.has(type)) throw this.tokens.noAlternative(1, at);
  }

  #member(): SyntaxNode {
    this.tokens.enter('member', follow.unaryOperand);
    const slot: Slot = { node: this.#primary() };
    try {
      for (;;) {
        if (this.tokens.isAt(t.leftBracket)) this.#index(slot);
        else if (this.tokens.isAt(t.dot)) this.#selectOrCall(slot);
        else break;
      }
    } catch (error) {
      this.tokens.recoverFrom(error);
    }
    this.tokens.leave('member');
    return slot.node;
  }

  #index(slot: Slot): void {
    const node: IndexNode = { kind: 'index', start: slot.node.start, operand: slot.node, operator: this.tokens.take() };
    slot.node = node;
    this.tokens.sync(place.index);
    node.isOptional = takeQuestion(this.tokens) !== undefined;
    node.index = this.expression(follow.index);
    this.tokens.expect(place.indexEnd, t.rightBracket, follow.member);
  }

  #selectOrCall(slot: Slot): void {
    const operand = slot.node;
    const next = this.tokens.peek(1).type;
    if (!first.optionalField.tokens.has(next)) throw this.tokens.noAlternative(1, place.memberStep);
    const operator = this.tokens.take();
    const isCall = next === t.identifier && this.tokens.peek(1).type === t.leftParenthesis;
    if (!isCall) {
      const node: SelectNode = { kind: 'select', start: operand.start, operand, operator };
      slot.node = node;
      node.isOptional = takeQuestion(this.tokens) !== undefined;
      node.field = recognizeFieldName(this.tokens, follow.field);
      return;
    }
    const name = this.tokens.take();
    const node: MemberCallNode = { kind: 'memberCall', start: operand.start, operand, name, open: this.tokens.take(), args: [] };
    slot.node = node;
    this.tokens.sync(place.memberArgs);
    node.args = recognizeArgs(this);
    this.tokens.expect(place.memberCallEnd, t.rightParenthesis, follow.member);
  }

  #primary(): SyntaxNode {
    this.tokens.enter('primary', follow.member);
    const slot = this.#slot(beforeText);
    try {
      this.tokens.sync(first.primary);
      const { type } = this.tokens.current;
      if (type === t.dot || type === t.identifier) this.#named(slot);
      else if (type === t.leftParenthesis) this.#parenthesized(slot);
      else if (type === t.leftBracket) recognizeList(this, slot);
      else if (type === t.leftBrace) recognizeMap(this, slot);
      else if (first.primary.tokens.has(type)) slot.node = this.#literal();
      else throw this.tokens.noAlternative(0, first.primary);
    } catch (error) {
      this.tokens.recoverFrom(error);
    }
    this.tokens.leave('primary');
    return slot.node;
  }

  #parenthesized(slot: Slot): void {
    this.tokens.take();
    slot.node = this.expression(follow.parenthesized);
    this.tokens.expect(place.parenthesis, t.rightParenthesis, follow.whenFalse);
  }

  /** A variable, a call, or a message's type with its fields; the members of a variable are not this rule's. */
  #named(slot: Slot): void {
    const start = this.tokens.current;
    const isAbsolute = this.tokens.isAt(t.dot);
    if (isAbsolute && this.tokens.peek(1).type !== t.identifier) throw this.tokens.noAlternative(1, first.primary);
    let behind = isAbsolute ? 2 : 1;
    const isCall = this.tokens.peek(behind).type === t.leftParenthesis;
    while (this.tokens.peek(behind).type === t.dot && this.tokens.peek(behind + 1).type === t.identifier) behind += 2;
    if (this.tokens.peek(behind).type === t.leftBrace) return recognizeMessage(this, slot, behind);
    if (isAbsolute) this.tokens.take();
    const name = this.tokens.take();
    if (!isCall) {
      slot.node = { kind: 'name', start, isAbsolute, name };
      return;
    }
    const node: GlobalCallNode = { kind: 'globalCall', start, isAbsolute, name, open: this.tokens.take(), args: [] };
    slot.node = node;
    this.tokens.sync(place.args);
    node.args = recognizeArgs(this);
    this.tokens.expect(place.callEnd, t.rightParenthesis, follow.whenFalse);
  }

  #literal(): SyntaxNode {
    this.tokens.enter('literal', follow.literal);
    const slot = this.#slot(beforeText);
    try {
      const { start } = slot.node;
      const isNegative = start.type === t.minus;
      if (isNegative && !numbers.has(this.tokens.peek(1).type)) throw this.tokens.noAlternative(1, place.literal);
      if (isNegative) this.tokens.take();
      slot.node = { kind: 'literal', start, isNegative, token: this.tokens.take() };
    } catch (error) {
      this.tokens.recoverFrom(error);
    }
    this.tokens.leave('literal');
    return slot.node;
  }

  #slot(at: Offset): Slot {
    return { node: { kind: 'nothing', start: this.tokens.current, at } };
  }
}
