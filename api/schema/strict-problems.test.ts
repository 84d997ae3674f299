import { expect, test } from 'vitest';
import { parseJson } from './json.ts';
import { duplicateProblems, warningsOf } from './strict-problems.ts';

test.each<[string, string, string[]]>([
  ['nothing', '{"a":1,"b":2}', []],
  ['at the top', '{"a":1,"a":2}', ['duplicate field "a"']],
  ['below', '{"spec":{"ports":[{},{"name":"x","name":"y"}]}}', ['duplicate field "spec.ports[1].name"']],
  [
    'in order',
    '{"a":{"x":1,"x":2},"b":{"y":1,"y":2},"b":{"z":1,"z":2}}',
    ['duplicate field "b"', 'duplicate field "a.x"', 'duplicate field "b.z"'],
  ],
  ['in lists', '[{"op":"a"},{"op":"a","op":"b"}]', ['duplicate field "[1].op"']],
])('keys that come twice: %s', (_name, text, problems) => {
  const { value, duplicates } = parseJson(Buffer.from(text));
  expect(duplicateProblems(value, duplicates)).toEqual(problems);
});

test('names a hundred at most', () => {
  const text = `[${Array.from({ length: 200 }, () => '{"a":1,"a":2}').join(',')}]`;
  const { value, duplicates } = parseJson(Buffer.from(text));
  expect(duplicateProblems(value, duplicates)).toHaveLength(100);
});

test.each<[string, string[]]>([
  ['unknown field "a"', ['unknown field "a"']],
  [
    'yaml: unmarshal errors:\n  line 2: key "a" already set in map\n  line 3: key "b" already set in map',
    ['line 2: key "a" already set in map', 'line 3: key "b" already set in map'],
  ],
  ['error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "a" already set in map', ['line 2: key "a" already set in map']],
])('%s as warnings', (problem, warnings) => {
  expect(warningsOf(problem)).toEqual(warnings);
});
