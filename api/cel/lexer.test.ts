import { expect, test } from 'vitest';
import type { CelProblem } from './ast.ts';
import { Lexer } from './lexer.ts';
import { Source } from './source.ts';
import { tokenType } from './tokens.ts';

function cut(text: string): { tokens: string[]; problems: string[] } {
  const problems: CelProblem[] = [];
  const lexer = new Lexer(new Source(text), (problem) => problems.push(problem));
  const names = new Map(Object.entries(tokenType).map(([name, type]) => [type, name]));
  const tokens: string[] = [];
  for (let token = lexer.next(); token.type !== tokenType.endOfText; token = lexer.next())
    tokens.push(`${names.get(token.type)} ${token.text}`);
  return { tokens, problems: problems.map(({ at, message }) => `${at} ${message.slice(message.indexOf("'"))}`) };
}

test.each([
  ['1 1u 0x1F 0xfU 1.5 1e3 1.5e-3 .5', ['int 1', 'uint 1u', 'int 0x1F', 'uint 0xfU', 'float 1.5', 'float 1e3', 'float 1.5e-3', 'float .5']],
  ['1.e3', ['int 1', 'dot .', 'identifier e3']],
  ['0xg 1e+', ['int 0', 'identifier xg', 'int 1', 'identifier e', 'plus +']],
  ['1.5u', ['float 1.5', 'identifier u']],
  ['in inn true null_', ['in in', 'identifier inn', 'true true', 'identifier null_']],
  ['<=<!==', ['lessEquals <=', 'less <', 'notEquals !=', 'equals ='].slice(0, 3)],
  ['a // b\n// c', ['identifier a']],
  ['"a\\"b"', ['string "a\\"b"']],
  ["''", ["string ''"]],
  ["'''a''b'''", ["string '''a''b'''"]],
  ["'''a", ["string ''"]],
  ['"""\\""""', ['string """\\""""']],
  ["r'\\' b'x' Br'\\d' rb'x'", ["string r'\\'", "bytes b'x'", "bytes Br'\\d'", 'identifier rb', "string 'x'"]],
  ['`a-b.c/d e`', ['escapedIdentifier `a-b.c/d e`']],
])('%s is cut into tokens', (text, tokens) => {
  expect(cut(text).tokens).toEqual(tokens);
});

test.each([
  ['a & b', ["2 '& '"], ['identifier a', 'identifier b']],
  ['a &b', ["2 '&b'"], ['identifier a']],
  ['a =', ["2 '='"], ['identifier a']],
  ['$a', ["0 '$'"], ['identifier a']],
  ['"abc', ["0 '\"abc'"], []],
  ["'a\nb'", ["0 ''a\n'", "4 '''"], ['identifier b']],
  ["'\\q' + 1", ["0 ''\\q'", "3 '' + 1'"], []],
  ["'\\x4g'", ["0 ''\\x4g'", "5 '''"], []],
  ['`a b', ["0 '`a b'"], []],
  ['``', ["0 '``'"], []],
  ['😀a', ["0 '😀'"], ['identifier a']],
])('%s has text that is no token', (text, problems, tokens) => {
  expect(cut(text)).toEqual({ problems, tokens });
});
