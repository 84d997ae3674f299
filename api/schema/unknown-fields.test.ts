import { describe, expect, test } from 'vitest';
import { decode, refusal } from './testing.ts';

describe('unknown and repeated fields', () => {
  const body =
    '{"spec":{"foo":1,"replicas":1,"replicas":2,"template":{"spec":{"containers":[{"image":"a","imgae":"b"}],"bar":{"x":1,"x":2}}}},"baz":1}';
  const problems = [
    'unknown field "spec.foo"',
    'duplicate field "spec.replicas"',
    'unknown field "spec.template.spec.containers[0].imgae"',
    'unknown field "spec.template.spec.bar"',
    'unknown field "baz"',
  ];

  test('warn once each', () => {
    const { object, warnings } = decode('Deployment', body, 'Warn');
    expect(warnings).toEqual(problems);
    expect(object).toMatchObject({ spec: { replicas: 2, template: { spec: { containers: [{ image: 'a' }] } } } });
    expect(JSON.stringify(object)).not.toMatch(/foo|imgae|bar|baz/);
  });

  test('are refused when strict, all named', () => {
    expect(refusal(() => decode('Deployment', body, 'Strict'))).toBe(
      `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ${problems.join(', ')}`,
    );
  });

  test('go unmentioned when ignored', () => {
    expect(decode('Deployment', body, 'Ignore').warnings).toEqual([]);
  });

  test('names differ in case', () => {
    expect(decode('Pod', '{"Spec":{}}').warnings).toEqual(['unknown field "Spec"']);
  });

  test('repeated labels are named, and what is inside a raw value is not looked at', () => {
    expect(decode('Pod', '{"metadata":{"labels":{"a":"1","a":"2"}}}').warnings).toEqual(['duplicate field "metadata.labels.a"']);
    expect(decode('ControllerRevision', '{"data":{"a":"1","a":"2"}}').warnings).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['{"spec":{"a":1},"spec":{"b":1}}', ['unknown field "spec.a"', 'duplicate field "spec"', 'unknown field "spec.b"']],
    [
      '{"spec":{"containers":[{"name":"a","nme":"x"}],"containers":[{"name":"b"}]}}',
      ['unknown field "spec.containers[0].nme"', 'duplicate field "spec.containers"'],
    ],
    ['{"spec":{"x":1,"x":2}}', ['unknown field "spec.x"']],
  ])('every value that comes for a key is looked at: %s', (text, warnings) => {
    expect(decode('Pod', text).warnings).toEqual(warnings);
  });

  test('at most 100 are told', () => {
    const fields = Array.from({ length: 5_000 }, (_, index) => `"x${index}":1`);
    expect(decode('Pod', `{${fields.join(',')}}`).warnings).toHaveLength(100);
  });

  test('__proto__ is one of them, and a name like any other among labels', () => {
    const { object, warnings } = decode('Pod', '{"__proto__":{"a":1},"metadata":{"labels":{"__proto__":"x"}}}');
    expect(warnings).toEqual(['unknown field "__proto__"']);
    expect(JSON.stringify(object.metadata.labels)).toBe('{"__proto__":"x"}');
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  });
});
