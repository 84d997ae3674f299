import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type PriorityClass, priorityClass, systemPriorityClasses } from './priority-class.ts';

const reserved = "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ";

test.each<[string, string, string[]]>([
  ['fine', 'metadata: {name: high}\nvalue: 1000000000', []],
  ['negative', 'metadata: {name: low}\nvalue: -2147483648\npreemptionPolicy: Never', []],
  ['no value', 'metadata: {name: none}', []],
  [
    'too high',
    'metadata: {name: high}\nvalue: 1000000001',
    ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  ['of the system', 'metadata: {name: system-node-critical}\nvalue: 2000001000', []],
  ['unknown of the system', 'metadata: {name: system-x}\nvalue: 1', [`${reserved}system-x is not a known system priority class`]],
  [
    'other value',
    'metadata: {name: system-cluster-critical}\nvalue: 1',
    [`${reserved}value of system-cluster-critical PriorityClass must be 2000000000`],
  ],
  [
    'as the default',
    'metadata: {name: system-node-critical}\nvalue: 2000001000\nglobalDefault: true',
    [`${reserved}globalDefault of system-node-critical PriorityClass must be false`],
  ],
  [
    'preemption',
    'metadata: {name: high}\nvalue: 1\npreemptionPolicy: Always',
    ['preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"'],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(priorityClass, yaml)).toEqual(expected);
});

test.each<[string, Partial<PriorityClass>, string[]]>([
  ['description', { description: 'x', globalDefault: true }, []],
  ['value', { value: 2 }, ['value: Forbidden: may not be changed in an update.']],
  ['preemption', { preemptionPolicy: 'Never' }, ['preemptionPolicy: Invalid value: "Never": field is immutable']],
])('update: %s', (_name, change, expected) => {
  expect(updateProblems(priorityClass, 'metadata: {name: a}\nvalue: 1', (object) => void Object.assign(object, change))).toEqual(expected);
});

test("a class of the system's may become the default: updates are judged only by what they may not change", () => {
  const yaml = 'metadata: {name: system-node-critical}\nvalue: 2000001000';
  expect(updateProblems(priorityClass, yaml, (object) => void (object.globalDefault = true))).toEqual([]);
});

test('columns', () => {
  expect(row(priorityClass, decoded(priorityClass, 'metadata: {name: a}\nvalue: 7\nglobalDefault: true'))).toEqual({
    Name: 'a',
    Value: 7,
    'Global-Default': true,
    Age: '<unknown>',
    PreemptionPolicy: 'PreemptLowerPriority',
  });
});

test("the system's classes are valid", () => {
  const context = { verb: 'create', subresource: '', nowMs: 0 } as const;
  expect(systemPriorityClasses.flatMap((one) => priorityClass.validate?.(one, context) ?? [])).toEqual([]);
});
