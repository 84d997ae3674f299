import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { compareKeys, yamlText } from './yaml-text.ts';

const read = (text: string): unknown => parse(text, { version: '1.1', maxAliasCount: 0, schema: 'yaml-1.1' });

test('looks as upstream writes it', () => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'x', labels: {}, finalizers: [], annotations: { 'a/b': 'yes', note: 'it: is' } },
    list: [1, 'two', { b: true, a: null }, [], [['deep'], 'er'], { only: { inner: ['x'] } }],
    data: {
      script: '#!/bin/sh\necho hi\n',
      two: 'a\n\nb',
      more: 'a\n\n',
      tab: 'a\tb',
      ip: '10.0.0.1',
      n: '10',
      when: '2026-01-01',
      q: "it's",
      dash: '- x',
    },
  };
  expect(yamlText(object)).toBe(`apiVersion: v1
data:
  dash: '- x'
  ip: 10.0.0.1
  more: |+
    a

  "n": "10"
  q: it's
  script: |
    #!/bin/sh
    echo hi
  tab: "a\\tb"
  two: |-
    a

    b
  when: "2026-01-01"
kind: ConfigMap
list:
- 1
- two
- a: null
  b: true
- []
- - - deep
  - er
- only:
    inner:
    - x
metadata:
  annotations:
    a/b: "yes"
    note: 'it: is'
  finalizers: []
  labels: {}
  name: x
`);
});

test.each<[unknown, string]>([
  ['text', 'text\n'],
  [7, '7\n'],
  [null, 'null\n'],
  [[], '[]\n'],
  [['a', { b: 1 }], '- a\n- b: 1\n'],
])('a document may be %j', (value, wanted) => {
  expect(yamlText(value)).toBe(wanted);
});

test('keys stand in their natural order', () => {
  const keys = ['b', 'a10', 'a2', 'a', '10', '9', 'A', 'a.b', 'ab', 'a-b'];
  expect(keys.sort(compareKeys)).toEqual(['9', '10', 'A', 'a', 'a-b', 'a.b', 'a2', 'a10', 'ab', 'b']);
});

const words = fc.constantFrom(
  'null',
  '~',
  'yes',
  'off',
  '0x1f',
  '1_000',
  '1e3',
  '.5',
  '12:30:45',
  '2026-01-01T00:00:00Z',
  '<<',
  '---',
  '- a',
  '? a',
  'a: b',
  'a #b',
  'a:',
  ' a',
  'a ',
  '',
  '\n',
  'a\nb',
  'a \nb',
  '\na',
  'a\n\n',
  'a\n b',
  '@x',
  '"x',
  "'",
  '\u0085',
  '\u2028',
  '\ufeffx',
  'é',
  '😀',
  '\ud800',
  '%a',
  'x'.repeat(200),
);

test('says what the value says, whatever it is', () => {
  const text = fc.oneof(words, fc.string({ unit: 'grapheme' }), fc.string());
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(text, tie('any'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (any) => {
      const json: unknown = JSON.parse(JSON.stringify(any));
      expect(read(yamlText(json))).toEqual(json);
    }),
    { numRuns: 2_000 },
  );
});

test('depth is no matter', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 10_000; depth++) deep = depth % 2 === 0 ? [deep] : { a: deep };
  expect(yamlText(deep).length).toBeGreaterThan(10_000);
});
