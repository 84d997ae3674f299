import { describe, expect, test } from 'vitest';
import { bindingLibrary } from './libraries/bindings.ts';
import { listLibrary } from './libraries/lists.ts';
import { optionalLibrary } from './libraries/optional-types.ts';
import { twoVariableLibrary } from './libraries/two-variable-comprehensions.ts';
import { type ParseOptions, parse } from './parser.ts';
import { problems, problemsWithoutOptionals } from './parser-problems.cases.ts';
import { trees } from './parser-trees.cases.ts';
import { showProblems, Source } from './source.ts';
import { listProblems, showTree } from './testing.ts';

const everything: ParseOptions = {
  optionalSyntax: true,
  macros: [bindingLibrary(), listLibrary(), optionalLibrary(), twoVariableLibrary()].flatMap(({ macros = [] }) => macros),
};

function outcome(text: string, options = everything): string[] {
  const { expr, problems } = parse(new Source(text), options);
  return expr === undefined ? listProblems(problems) : [showTree(expr)];
}

describe('what can be read', () => {
  test.each(trees)('%s', (text, tree) => {
    expect(outcome(text)).toEqual([tree]);
  });
});

describe('what cannot', () => {
  test.each(problems.map(([text, ...expected]) => [text, expected] as const))('%s', (text, expected) => {
    expect(outcome(text)).toEqual(expected);
  });

  test.each(problemsWithoutOptionals.map(([text, ...expected]) => [text, expected] as const))('%s without optionals', (text, expected) => {
    expect(outcome(text, {})).toEqual(expected);
  });

  test('macros of libraries are functions where the library is missing', () => {
    expect(outcome('cel.bind(x, 1, x)', {})).toEqual(['cel@0.bind(x@9, 1@12, x@15)@8']);
  });
});

describe('limits', () => {
  const nested = (depth: number): string => '('.repeat(depth) + 'a'.concat(')'.repeat(depth));

  test('rules lie in themselves up to 250 times', () => {
    expect(outcome(nested(249))).toEqual(['a@249']);
    expect(outcome(nested(250))).toEqual(['nowhere: expression recursion limit exceeded: 250']);
    expect(outcome('('.repeat(50_000))).toEqual(['nowhere: expression recursion limit exceeded: 250']);
  });

  test('trees are up to 250 deep', () => {
    expect(outcome(`1${' + 1'.repeat(250)}`)[0]).toMatch(/@998$/);
    expect(outcome(`1${' + 1'.repeat(251)}`)).toEqual(['nowhere: max recursion depth exceeded']);
    expect(outcome(`a${'.b'.repeat(251)}`)).toEqual(['nowhere: max recursion depth exceeded']);
  });

  test('chains of && and || are balanced, so they may be long', () => {
    expect(parse(new Source(`a${' || a'.repeat(10_000)}`)).problems).toEqual([]);
  });

  test('texts have up to 100000 code points', () => {
    expect(outcome('a'.repeat(100_000))).toHaveLength(1);
    const message = 'nowhere: expression code point size exceeds limit: size: 100001, limit 100000';
    expect(outcome('😀'.repeat(100_001))).toEqual([message]);
  });

  test('macros make no more nodes than allowed', () => {
    const message = "expression count exceeds limit of 20 while expanding macro 'map'";
    expect(outcome('a.map(x, x).map(x, x).map(x, x)', { maxNodes: 20 })).toEqual([`15: ${message}`, `25: ${message}`]);
  });

  test('a hundred syntax errors are enough', () => {
    const found = outcome('$ '.repeat(1000));
    expect([found.length, found.at(-1)]).toEqual([101, '200: S: More than 100 syntax errors']);
  });

  test('thirty recoveries are enough', () => {
    expect(outcome('[.]'.repeat(60)).at(-1)).toMatch(/error recovery attempt limit exceeded: 30$/);
  });

  test('a recovery skips 256 tokens', () => {
    expect(outcome(`a b${' b'.repeat(300)}`).at(-1)).toBe('nowhere: error recovery token lookahead limit exceeded: 256');
  });
});

describe('whatever the text', () => {
  const pieces = [
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '.',
    ',',
    ':',
    '?',
    '!',
    '-',
    '&&',
    '&',
    '==',
    'in',
    ' a ',
    ' if ',
    '1',
    '2u',
    '"s"',
    "'",
    '"""',
    '`b`',
    'f(',
    '\n',
  ];

  /** The same texts in every run: a linear congruential generator chooses the pieces. */
  function textOf(seed: number): string {
    let state = seed * 2_654_435_761;
    const next = (bound: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * bound);
    };
    return Array.from({ length: 1 + next(40) }, () => pieces[next(pieces.length)]).join('');
  }

  test('there is a tree or a problem, and every problem can be shown', () => {
    for (let seed = 1; seed <= 1500; seed += 1) {
      const source = new Source(textOf(seed));
      const { expr, problems: found } = parse(source, everything);
      expect(expr !== undefined || found.length > 0, source.text).toBe(true);
      expect(showProblems(source, found).split('ERROR: ').length - 1, source.text).toBe(found.length);
    }
  });

  test('what can be read cannot be read any more where a bracket is missing', () => {
    for (const [text] of trees.filter(([text]) => /^[^"'`]*\)$/.test(text) && !text.includes('//'))) {
      expect(outcome(text.slice(0, -1)).at(-1), text).toMatch(/^\d+: S: /);
    }
  });
});
