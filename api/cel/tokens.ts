// The tokens of CEL, numbered as in upstream's grammar: the numbers say in which order messages list what was expected.

export const tokenType = {
  endOfText: -1,
  equals: 1,
  notEquals: 2,
  in: 3,
  less: 4,
  lessEquals: 5,
  greaterEquals: 6,
  greater: 7,
  and: 8,
  or: 9,
  leftBracket: 10,
  rightBracket: 11,
  leftBrace: 12,
  rightBrace: 13,
  leftParenthesis: 14,
  rightParenthesis: 15,
  dot: 16,
  comma: 17,
  minus: 18,
  not: 19,
  question: 20,
  colon: 21,
  plus: 22,
  star: 23,
  slash: 24,
  percent: 25,
  true: 26,
  false: 27,
  null: 28,
  float: 31,
  int: 32,
  uint: 33,
  string: 34,
  bytes: 35,
  identifier: 36,
  escapedIdentifier: 37,
} as const;

export type TokenType = (typeof tokenType)[keyof typeof tokenType];

export interface Token {
  readonly type: TokenType;
  readonly start: number;
  /** Of the place behind the token. */
  readonly end: number;
  readonly text: string;
}

const t = tokenType;

export const signs = new Map<string, TokenType>([
  ['==', t.equals],
  ['!=', t.notEquals],
  ['<', t.less],
  ['<=', t.lessEquals],
  ['>=', t.greaterEquals],
  ['>', t.greater],
  ['&&', t.and],
  ['||', t.or],
  ['[', t.leftBracket],
  [']', t.rightBracket],
  ['{', t.leftBrace],
  ['}', t.rightBrace],
  ['(', t.leftParenthesis],
  [')', t.rightParenthesis],
  ['.', t.dot],
  [',', t.comma],
  ['-', t.minus],
  ['!', t.not],
  ['?', t.question],
  [':', t.colon],
  ['+', t.plus],
  ['*', t.star],
  ['/', t.slash],
  ['%', t.percent],
]);

export const keywords = new Map<string, TokenType>([
  ['in', t.in],
  ['true', t.true],
  ['false', t.false],
  ['null', t.null],
]);

const names = new Map<TokenType, string>([
  [t.endOfText, '<EOF>'],
  [t.float, 'NUM_FLOAT'],
  [t.int, 'NUM_INT'],
  [t.uint, 'NUM_UINT'],
  [t.string, 'STRING'],
  [t.bytes, 'BYTES'],
  [t.identifier, 'IDENTIFIER'],
  [t.escapedIdentifier, 'ESC_IDENTIFIER'],
]);
for (const [text, type] of [...signs, ...keywords]) names.set(type, `'${text}'`);

/** How messages write a set of tokens. */
export function describeTokens(types: ReadonlySet<TokenType>): string {
  const described = [...types].sort((a, b) => a - b).map((type) => names.get(type) ?? '');
  return described.length === 1 ? described.join('') : `{${described.join(', ')}}`;
}
