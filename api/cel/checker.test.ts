import { expect, test } from 'vitest';
import { problems, type CaseOptions, types } from './checker.cases.ts';
import { check } from './checker.ts';
import { declareFunctions, parseType } from './declarations.ts';
import { Environment } from './environment.ts';
import { bindingLibrary } from './libraries/bindings.ts';
import { testMessages } from './messages.cases.ts';
import { parse } from './parser.ts';
import { Source } from './source.ts';
import { standardLibrary } from './standard-library.ts';
import { variablesOf } from './testing.ts';
import { formatType } from './type-text.ts';
import { wellKnownConstants, wellKnownMessages, wellKnownTypes } from './well-known.ts';

const optionalType = { functions: [], variables: [{ name: 'optional_type', type: parseType('type(optional_type(dyn))') }] };

function environment({ variables = '', functions = [], ...options }: CaseOptions): Environment {
  const declared = functions.map((text) => text.replace(' ', '\n  ')).join('\n');
  return new Environment({
    ...options,
    libraries: [
      standardLibrary(),
      wellKnownTypes(),
      optionalType,
      { functions: declareFunctions(declared), variables: variablesOf(variables) },
    ],
    messages: new Map([...wellKnownMessages(), ...testMessages()]),
    constants: new Map([...wellKnownConstants, ['google.expr.proto3.test.TestAllTypes.NestedEnum.BAR', 1n]]),
  });
}

/** The type, or the problems with their places. */
function outcome(text: string, options: CaseOptions = {}): string | string[] {
  const source = new Source(text);
  const { expr } = parse(source, { optionalSyntax: true, macros: bindingLibrary().macros ?? [] });
  if (expr === undefined) throw new Error(`not readable: ${text}`);
  const checked = check(expr, environment(options));
  if ('expr' in checked) return formatType(checked.types.get(checked.expr) ?? { kind: 'error' });
  return checked.map(({ at, message }) => {
    const { line, column } = source.locate(at ?? 0);
    return `${line}:${column + 1}: ${message}`;
  });
}

test.each(types.map(([text, type, options]) => [text, type, options] as const))('%s is %s', (text, type, options) => {
  expect(outcome(text, options)).toBe(type);
});

test.each(problems.map(([text, expected, options]) => [text, expected, options] as const))('refuses %s', (text, expected, options) => {
  expect(outcome(text, options)).toEqual(expected);
});

test('names of a namespace lose their receiver, and hidden names get a dot', () => {
  const { expr } = parse(new Source('[1].all(x, .x == a.b.f(x))'));
  const options = { variables: 'x: int', functions: ['a.b.f f_int: (int) -> int'] };
  const checked = expr === undefined ? [] : check(expr, environment(options));
  const step = 'expr' in checked && checked.expr.kind === 'comprehension' ? checked.expr.step : undefined;
  expect(step).toMatchObject({
    args: [
      {},
      {
        args: [
          { kind: 'identifier', name: '.x' },
          { kind: 'call', function: 'a.b.f', target: undefined },
        ],
      },
    ],
  });
});

test('types that double with every step end the check instead of the process', () => {
  const names = Array.from({ length: 40 }, (_, at) => `x${at}`);
  const text = names.reduceRight((scope, name, at) => `cel.bind(${name}, {x${at - 1}: x${at - 1}}, ${scope})`, 'x39 == x38');
  expect(outcome(text.replaceAll('x-1', '1'))).toEqual(['1:1: the types of the expression are too complex']);
});
