import { expect, test } from 'vitest';
import { expressions } from './device-expression.cases.ts';
import { DeviceExpressions } from './device-expression.ts';

const compiler = new DeviceExpressions();

/** Without the lines of the source that messages repeat. */
function outcome(text: string): string {
  const compiled = compiler.compile(text);
  if (compiled.kind === 'compiled') return `${compiled.cost.min}..${compiled.cost.max}`;
  const lines = compiled.problem.split('\n').filter((line) => !line.startsWith(' | '));
  return `${compiled.kind}: ${lines.join('\n').replaceAll('ERROR: <input>:', '')}`;
}

test.each(expressions)('%s', (text, expected) => {
  expect(outcome(text)).toBe(expected);
});

test('an expression that is asked for again is not compiled again, unless many others came in between', () => {
  const first = compiler.compile('device.driver == "a"');
  expect(compiler.compile('device.driver == "a"')).toBe(first);
  for (let at = 0; at < 99; at += 1) compiler.compile(`device.driver == "a${at}"`);
  expect(compiler.compile('device.driver == "a"')).toBe(first);
  for (let at = 0; at < 100; at += 1) compiler.compile(`device.driver == "b${at}"`);
  const again = compiler.compile('device.driver == "a"');
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
  expect(compiler.compile('device')).not.toBe(compiler.compile('device'));
});

test.each([
  ['nested comprehensions', `${Array.from({ length: 80 }, (_, at) => `device.attributes.all(x${at}, `).join('')}true${')'.repeat(80)}`],
  ['nested lists', `${'['.repeat(240)}${']'.repeat(240)} == []`],
  ['a long condition', Array.from({ length: 700 }, () => 'device.driver=="a"').join('||')],
])('%s do not overflow the stack', (_name, text) => {
  expect(compiler.compile(text).kind).toBe('compiled');
});
