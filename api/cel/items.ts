// The parts of the grammar that hold several items: arguments, lists, maps and messages. A comma may follow the last item, except in
// arguments.
import { first, follow, place } from './grammar.ts';
import type { Expectation, TokenReader } from './recovery.ts';
import type { Entries, FieldName, MessageNode, OptionalField, OptionalNode, SyntaxNode } from './syntax-tree.ts';
import { type Token, type TokenType, tokenType as t } from './tokens.ts';

/** What these rules need of the others. */
export interface Rules {
  readonly tokens: TokenReader;
  expression(after: Expectation): SyntaxNode;
}

/** Where a rule puts its node: of several the last one counts, also when the rule fails behind it. */
export interface Slot {
  node: SyntaxNode;
}

export function recognizeArgs(rules: Rules): SyntaxNode[] {
  const { tokens } = rules;
  const args: SyntaxNode[] = [];
  if (!tokens.isAtFirstOf(first.expression)) return args;
  tokens.enter('exprList', follow.args);
  args.push(rules.expression(follow.arg));
  while (tokens.isAt(t.comma)) {
    tokens.take();
    args.push(rules.expression(follow.arg));
  }
  tokens.leave('exprList');
  return args;
}

export function recognizeMessage(rules: Rules, slot: Slot, nameTokens: number): void {
  const { tokens } = rules;
  const start = tokens.current;
  let typeName = '';
  for (let taken = 0; taken < nameTokens; taken += 1) typeName += tokens.take().text;
  const node: MessageNode = { kind: 'message', start, typeName, open: tokens.take() };
  slot.node = node;
  tokens.sync(place.fields);
  if (tokens.isAtFirstOf(first.optionalField)) {
    node.entries = { start: tokens.current, keys: [], colons: [], values: [] };
    fields(rules, node.entries);
  }
  endOfItems(tokens, place.messageComma, place.messageEnd, t.rightBrace);
}

function fields(rules: Rules, entries: Entries<OptionalField>): void {
  const { tokens } = rules;
  tokens.enter('fieldInitializerList', follow.messageEntries);
  try {
    entries.keys.push(optionalField(tokens));
    colonAndValue(rules, entries, place.firstFieldColon);
    while (isAtNextItem(tokens, first.optionalField)) {
      tokens.take();
      entries.keys.push(optionalField(tokens));
      colonAndValue(rules, entries, place.fieldColon);
    }
  } catch (error) {
    tokens.recoverFrom(error);
  }
  tokens.leave('fieldInitializerList');
}

function colonAndValue(rules: Rules, entries: Entries<unknown>, colon: Expectation): void {
  const { tokens } = rules;
  entries.colons.push(tokens.expect(colon, t.colon, first.expression));
  entries.values.push(rules.expression(follow.value));
}

export function recognizeList(rules: Rules, slot: Slot): void {
  const { tokens } = rules;
  const elements: OptionalNode[] = [];
  slot.node = { kind: 'list', start: tokens.take(), elements };
  tokens.sync(place.elements);
  if (tokens.isAtFirstOf(first.optionalExpression)) {
    tokens.enter('listInit', follow.listElements);
    elements.push(optionalExpression(rules, follow.element));
    while (isAtNextItem(tokens, first.optionalExpression)) {
      tokens.take();
      elements.push(optionalExpression(rules, follow.element));
    }
    tokens.leave('listInit');
  }
  endOfItems(tokens, place.listComma, place.listEnd, t.rightBracket);
}

export function recognizeMap(rules: Rules, slot: Slot): void {
  const { tokens } = rules;
  const entries: Entries<OptionalNode> = { start: tokens.current, keys: [], colons: [], values: [] };
  slot.node = { kind: 'map', start: tokens.take(), entries };
  tokens.sync(place.entries);
  if (tokens.isAtFirstOf(first.optionalExpression)) mapEntries(rules, entries);
  endOfItems(tokens, place.mapComma, place.mapEnd, t.rightBrace);
}

function mapEntries(rules: Rules, entries: Entries<OptionalNode>): void {
  const { tokens } = rules;
  tokens.enter('mapInitializerList', follow.mapEntries);
  try {
    entries.keys.push(optionalExpression(rules, follow.key));
    colonAndValue(rules, entries, place.firstKeyColon);
    while (isAtNextItem(tokens, first.optionalExpression)) {
      tokens.take();
      entries.keys.push(optionalExpression(rules, follow.key));
      colonAndValue(rules, entries, place.keyColon);
    }
  } catch (error) {
    tokens.recoverFrom(error);
  }
  tokens.leave('mapInitializerList');
}

function endOfItems(tokens: TokenReader, comma: Expectation, end: Expectation, type: TokenType): void {
  tokens.sync(comma);
  if (tokens.isAt(t.comma)) tokens.take();
  tokens.expect(end, type, follow.whenFalse);
}

function optionalExpression(rules: Rules, after: Expectation): OptionalNode {
  const { tokens } = rules;
  const node: OptionalNode = { start: tokens.current };
  tokens.enter('optExpr', after);
  try {
    tokens.sync(first.optionalExpression);
    const question = takeQuestion(tokens);
    if (question !== undefined) node.question = question;
    node.value = rules.expression(follow.optionalValue);
  } catch (error) {
    tokens.recoverFrom(error);
  }
  tokens.leave('optExpr');
  return node;
}

function optionalField(tokens: TokenReader): OptionalField {
  const node: OptionalField = { start: tokens.current };
  tokens.enter('optField', follow.key);
  try {
    tokens.sync(first.optionalField);
    node.isOptional = takeQuestion(tokens) !== undefined;
    node.field = recognizeFieldName(tokens, follow.fieldName);
  } catch (error) {
    tokens.recoverFrom(error);
  }
  tokens.leave('optField');
  return node;
}

export function recognizeFieldName(tokens: TokenReader, after: Expectation): FieldName {
  const node: FieldName = { start: tokens.current };
  tokens.enter('escapeIdent', after);
  try {
    tokens.sync(first.fieldName);
    if (!tokens.isAtFirstOf(first.fieldName)) throw tokens.noAlternative(0, first.fieldName);
    node.name = tokens.take();
  } catch (error) {
    tokens.recoverFrom(error);
  }
  tokens.leave('escapeIdent');
  return node;
}

export function takeQuestion(tokens: TokenReader): Token | undefined {
  return tokens.isAt(t.question) ? tokens.take() : undefined;
}

/** At a comma that another item follows, and not just the end. */
function isAtNextItem(tokens: TokenReader, item: Expectation): boolean {
  return tokens.isAt(t.comma) && item.tokens.has(tokens.peek(1).type);
}
