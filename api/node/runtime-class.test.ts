import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { runtimeClass } from './runtime-class.ts';

const meta = 'metadata: {name: a}\n';

test.each<[string, string, string[]]>([
  [
    'fine',
    `${meta}handler: runsc\noverhead: {podFixed: {cpu: 10m}}\nscheduling: {nodeSelector: {a: b}, tolerations: [{operator: Exists}]}`,
    [],
  ],
  [
    'all wrong',
    `${meta}handler: a.b\noverhead: {podFixed: {odd: 1, cpu: -1}}\nscheduling: {nodeSelector: {a: "b c"}, tolerations: [{operator: Odd, key: a}]}`,
    [
      'handler: Invalid value: "a.b": must not contain dots',
      'overhead.limits[odd]: Invalid value: "odd": must be a standard resource type or fully qualified',
      'overhead.limits[odd]: Invalid value: "odd": must be a standard resource for containers',
      'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      `scheduling.nodeSelector: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      'scheduling.tolerations[0].operator: Unsupported value: "Odd": supported values: "Equal", "Exists"',
    ],
  ],
  [
    'tolerations that differ in their time alone',
    `${meta}handler: a\nscheduling: {tolerations: [{key: a, operator: Exists, effect: NoExecute}, {key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 5}]}`,
    ['scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"NoExecute","TolerationSeconds":5}'],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(runtimeClass, yaml)).toEqual(expected);
});

test('the handler stays', () => {
  expect(updateProblems(runtimeClass, `${meta}handler: a`, (object) => void (object.handler = 'b'))).toEqual([
    'handler: Invalid value: "b": field is immutable',
  ]);
});

test('columns and warnings', () => {
  const object = decoded(runtimeClass, `${meta}handler: a\nscheduling: {nodeSelector: {beta.kubernetes.io/os: linux}}`);
  expect(row(runtimeClass, object)).toEqual({ Name: 'a', Handler: 'a', Age: '<unknown>' });
  expect(runtimeClass.warnings?.(object, undefined)).toEqual([
    'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
  ]);
});
