import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCodec } from './codec.ts';
import { parseYaml, YamlError } from './yaml.ts';

const parse = (text: string): unknown => parseYaml(Buffer.from(text)).parsed.value;

describe('parseYaml', () => {
  test.each<[string, string, unknown]>([
    ['nothing', '', null],
    ['maps and lists', 'a: 1\nb:\n- x\n- z: "2"\n', { a: 1, b: ['x', { z: '2' }] }],
    ['words of YAML 1.1', '[yes, Off, ~, null, true, n]', [true, false, null, null, true, false]],
    ['quoted words are strings', '["yes", \'1\', "", !!str 1]', ['yes', '1', '', '1']],
    ['numbers', '[0x10, 0777, 0o17, 0b11, 1_000, -5, 1.5, 1e3, .5, 1.0]', [16, 511, 15, 3, 1000, -5, 1.5, 1000, 0.5, 1]],
    ['no numbers', '[1.2.3, 10.0.0.1, 1Gi, 2026-01-01, 0x, "-"]', ['1.2.3', '10.0.0.1', '1Gi', '2026-01-01', '0x', '-']],
    ['keys become strings', '1: a\ntrue: b\non: c\n', { 1: 'a', true: 'c' }],
    ['aliases', 'a: &x {k: 1}\nb: *x\n', { a: { k: 1 }, b: { k: 1 } }],
    ['merge keys', 'base: &b {x: 1, z: 2}\nuse:\n  <<: *b\n  z: 3\n', { base: { x: 1, z: 2 }, use: { x: 1, z: 3 } }],
    ['block text', 'a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
    ['only the first document', 'a: 1\n---\nb: 2\n', { a: 1 }],
    ['JSON', '{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
  ])('%s', (_name, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  test('repeated keys: the last wins, and each has its line', () => {
    const { parsed, duplicates } = parseYaml(Buffer.from('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n'));
    expect(parsed.value).toEqual({ a: 3, b: { c: 2 } });
    expect(duplicates).toEqual(['yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map']);
  });

  test('__proto__ is data', () => {
    expect(JSON.stringify(parse('__proto__: {a: 1}\n'))).toBe('{"__proto__":{"a":1}}');
  });

  test.each([
    ['tabs', 'a:\n\t- b', /^yaml: line 2: /],
    ['an unclosed list', '[1, 2', "yaml: did not find expected ',' or ']'"],
    ['an unknown anchor', 'a: *x', /^yaml: /],
    ['an anchor inside itself', 'a: &x [*x]', "yaml: anchor 'x' value contains itself"],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(YamlError);
    expect(() => parse(text)).toThrow(message);
  });

  test('refuses a bomb of aliases at once', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0 ? 'a0: &a0 [lol, lol]' : `a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]`,
    );
    const startMs = performance.now();
    expect(() => parse(levels.join('\n'))).toThrow('yaml: document contains excessive aliasing');
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  test('refuses depth beyond the stack without falling over', () => {
    expect(() => parse('['.repeat(100_000))).toThrow(YamlError);
    expect(() => parse(Array.from({ length: 20_000 }, (_, at) => `a${at}: &a${at} [${at === 0 ? '' : `*a${at - 1}`}]`).join('\n'))).toThrow(
      YamlError,
    );
  });

  test('refuses what would take seconds', () => {
    expect(() => parse('- a: b\n'.repeat(200_000))).toThrow('too large');
    expect(() => parse('&a '.repeat(300_000))).toThrow('too large');
  });

  test('JSON under the name of YAML has the limits of JSON', () => {
    const list = { items: Array.from({ length: 49_000 }, (_, index) => ({ a: index })) };
    expect(parse(JSON.stringify(list))).toEqual(list);
    expect(parseYaml(Buffer.from('{"a": 1, "a": 2.0}'))).toMatchObject({
      parsed: { value: { a: 2 } },
      duplicates: [expect.stringContaining('already set')],
    });
  });

  test('whatever comes, the answer is a value or a YamlError', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&x ',
      '*x',
      '"',
      "'",
      '|',
      '>',
      '!!str ',
      '<<',
      '#',
      '---',
      '1',
      '\t',
      '? ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        try {
          JSON.stringify(parse(pieces.join('')));
        } catch (error) {
          if (!(error instanceof YamlError)) throw error;
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

test('a YAML body decodes like its JSON, and its repeated keys are warned of', () => {
  const kind = { group: '', version: 'v1', kind: 'ConfigMap', schema: 'io.k8s.api.core.v1.ConfigMap' };
  const bytes = Buffer.from('kind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: "1"\n  x: "2"\nfoo: 1\n');
  const { object, warnings } = createCodec().decodeBody({ bytes, mediaType: 'application/yaml' }, kind, 'Warn');
  expect(object).toEqual({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: { x: '2' } });
  expect(warnings).toEqual(['yaml: unmarshal errors:\n  line 5: key "x" already set in map', 'unknown field "foo"']);
});
