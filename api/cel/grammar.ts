// What can stand where in the rules of CEL's grammar, for the recognizer's choices and for what messages say was expected.
import type { Expectation } from './recovery.ts';
import { type TokenType, tokenType as t } from './tokens.ts';

const literals = [t.minus, t.float, t.int, t.uint, t.string, t.bytes, t.true, t.false, t.null];
const primaries = [t.dot, t.identifier, t.leftParenthesis, t.leftBracket, t.leftBrace, ...literals];
const expressions = [...primaries, t.not];

function here(...tokens: readonly TokenType[]): Expectation {
  return { tokens: new Set(tokens), canEnd: false };
}

function hereOrEnd(...tokens: readonly TokenType[]): Expectation {
  return { tokens: new Set(tokens), canEnd: true };
}

const afterMember = hereOrEnd(t.dot, t.leftBracket);
const afterListItem = hereOrEnd(t.comma);

/** What can begin a rule. */
export const first = {
  expression: here(...expressions),
  unary: here(...expressions),
  afterNot: here(...expressions),
  primary: here(...primaries),
  optionalExpression: here(t.question, ...expressions),
  optionalField: here(t.question, t.identifier, t.escapedIdentifier),
  fieldName: here(t.identifier, t.escapedIdentifier),
};

/** What can stand behind the part of a rule that is named. */
export const follow = {
  start: hereOrEnd(),
  wholeExpression: here(t.endOfText),
  condition: hereOrEnd(t.question),
  whenTrue: here(t.colon),
  whenFalse: hereOrEnd(),
  orTerm: hereOrEnd(t.or),
  andTerm: hereOrEnd(t.and),
  relationTerm: hereOrEnd(t.equals, t.notEquals, t.in, t.less, t.lessEquals, t.greaterEquals, t.greater),
  calculationTerm: hereOrEnd(t.star, t.slash, t.percent, t.plus, t.minus),
  unaryOperand: hereOrEnd(),
  member: afterMember,
  field: afterMember,
  index: here(t.rightBracket),
  args: here(t.rightParenthesis),
  parenthesized: here(t.rightParenthesis),
  listElements: here(t.comma, t.rightBracket),
  mapEntries: here(t.comma, t.rightBrace),
  messageEntries: here(t.comma, t.rightBrace),
  arg: afterListItem,
  element: afterListItem,
  value: afterListItem,
  key: here(t.colon),
  optionalValue: hereOrEnd(),
  fieldName: hereOrEnd(),
  literal: hereOrEnd(),
};

/** Places where one token belongs. Each is an object of its own: the recovery tells places apart by them. */
export const place = {
  endOfText: here(t.endOfText),
  conditionalColon: here(t.colon),
  memberCallEnd: here(t.rightParenthesis),
  indexEnd: here(t.rightBracket),
  callEnd: here(t.rightParenthesis),
  parenthesis: here(t.rightParenthesis),
  listEnd: here(t.rightBracket),
  mapEnd: here(t.rightBrace),
  messageEnd: here(t.rightBrace),
  firstFieldColon: here(t.colon),
  fieldColon: here(t.colon),
  firstKeyColon: here(t.colon),
  keyColon: here(t.colon),
  memberArgs: here(t.rightParenthesis, ...expressions),
  args: here(t.rightParenthesis, ...expressions),
  index: here(t.question, ...expressions),
  elements: here(t.question, ...expressions, t.comma, t.rightBracket),
  listComma: here(t.comma, t.rightBracket),
  entries: here(t.question, ...expressions, t.comma, t.rightBrace),
  mapComma: here(t.comma, t.rightBrace),
  fields: here(t.question, t.identifier, t.escapedIdentifier, t.comma, t.rightBrace),
  messageComma: here(t.comma, t.rightBrace),
  minusOrOperand: here(...expressions),
  memberStep: here(t.dot, t.leftBracket),
  literal: here(...literals),
};
