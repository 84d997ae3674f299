import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { resourceSlice } from './resource-slice.ts';

const pool = 'pool: {name: p, generation: 1, resourceSliceCount: 1}';
const slice = (more: string): string => `metadata: {name: a}\nspec: {driver: d.io, ${pool}, ${more}}`;
const device = (more: string): string => slice(`nodeName: n, devices: [{name: x, ${more}}]`);
const capacity = (policy: string): string =>
  device(`allowMultipleAllocations: true, capacity: {c: {value: "10", requestPolicy: {${policy}}}}`);
const place = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
const deviceWithCounter = '{name: x, consumesCounters: [{counterSet: s, counters: {m: {value: "1"}}}]}';

test.each<[string, string, string[]]>([
  ['fine', device('attributes: {a: {string: s}, d.io/b: {version: 1.2.3-rc.1+b}}, capacity: {memory: {value: 1Gi}}'), []],
  ['counters', slice('allNodes: true, sharedCounters: [{name: s, counters: {m: {value: "2"}}}]'), []],
  ['nowhere', slice(''), [`spec: Required value: ${place}`]],
  [
    'in two places',
    slice('nodeName: n, allNodes: true'),
    [`spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${place}, but multiple fields are set`],
  ],
  [
    'said to be nowhere',
    slice('nodeName: "", allNodes: false, perDeviceNodeSelection: true'),
    [
      'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
      'spec.allNodes: Invalid value: false: must be either unset or set to true',
    ],
  ],
  [
    'pool',
    `metadata: {name: a}\nspec: {driver: d.io, allNodes: true, pool: {name: p, generation: -1, resourceSliceCount: 0}}`,
    [
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
    ],
  ],
  [
    'counters and devices',
    slice('nodeName: n, devices: [{name: x}], sharedCounters: [{name: s}]'),
    ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed', 'spec.sharedCounters[0].counters: Required value'],
  ],
  [
    'too many special devices',
    slice(`nodeName: n, devices: [${[deviceWithCounter, ...Array.from({ length: 64 }, (_, at) => `{name: y${at}}`)].join()}]`),
    ['spec.devices: Too many: 65: must have at most 64 items'],
  ],
  ['repeated device', slice('nodeName: n, devices: [{name: x}, {name: x}]'), ['spec.devices[1]: Duplicate value: "x"']],
  [
    'attributes',
    device('attributes: {a: {}, b: {string: s, bool: true}, c: {version: v1}, /d: {int: 1}, e/f/g: {int: 1}}'),
    [
      'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified',
      'spec.devices[0].attributes[b]: Invalid value: {"IntValue":null,"BoolValue":true,"StringValue":"s","VersionValue":null,"IntValues":null,"BoolValues":null,"StringValues":null,"VersionValues":null}: exactly one value must be specified',
      'spec.devices[0].attributes[c].version: Invalid value: "v1": must be a string compatible with semver.org spec 2.0.0',
      'spec.devices[0].attributes: Invalid value: "": the domain must not be empty',
    ],
  ],
  [
    'too many attributes',
    device(`attributes: {${Array.from({ length: 33 }, (_, at) => `a${at}: {int: ${at}}`).join()}}`),
    ['spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32'],
  ],
  [
    'policy of one owner',
    device('capacity: {c: {value: "1", requestPolicy: {}}}'),
    ['spec.devices[0].capacity[c].requestPolicy: Forbidden: allowMultipleAllocations must be true'],
  ],
  [
    'two policies',
    capacity('validValues: ["1"], validRange: {min: "1"}'),
    [
      'spec.devices[0].capacity[c].requestPolicy: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
    ],
  ],
  [
    'no default',
    capacity('validValues: ["1"]'),
    ['spec.devices[0].capacity[c].requestPolicy.default: Required value: required when validValues is defined'],
  ],
  [
    'values',
    capacity('default: "3", validValues: ["2", "1", "11"]'),
    [
      'spec.devices[0].capacity[c].requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
      'spec.devices[0].capacity[c].requestPolicy.validValues[2]: Invalid value: "11": option is larger than capacity value: 10',
      'spec.devices[0].capacity[c].requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy',
    ],
  ],
  ['range', capacity('default: "4", validRange: {min: "2", max: "8", step: "2"}'), []],
  [
    'odd range',
    capacity('default: "1", validRange: {min: "2", max: "9", step: "2"}'),
    [
      'spec.devices[0].capacity[c].requestPolicy.validRange.min: Invalid value: "1": default is less than min: 2',
      'spec.devices[0].capacity[c].requestPolicy.validRange.step: Invalid value: "1": value is not a multiple of a given step (2) from (2)',
      'spec.devices[0].capacity[c].requestPolicy.validRange.step: Invalid value: "9": value is not a multiple of a given step (2) from (2)',
    ],
  ],
  [
    'default above the range',
    capacity('default: "9", validRange: {min: "20", max: "8"}'),
    [
      'spec.devices[0].capacity[c].requestPolicy.validRange.min: Invalid value: "20": min is larger than capacity value: 10',
      'spec.devices[0].capacity[c].requestPolicy.validRange.min: Invalid value: "9": default is less than min: 20',
      'spec.devices[0].capacity[c].requestPolicy.validRange.max: Invalid value: "20": min is larger than max: 8',
      'spec.devices[0].capacity[c].requestPolicy.validRange.max: Invalid value: "9": default is more than max: 8',
    ],
  ],
  [
    'taints',
    device('taints: [{key: a, effect: Never}, {key: b}]'),
    [
      'spec.devices[0].taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
      'spec.devices[0].taints[1].effect: Required value',
    ],
  ],
  [
    'one sort of conditions without the other',
    device('bindingConditions: [a]'),
    ['spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions'],
  ],
  [
    'binding conditions',
    device('bindingConditions: [a, a], bindingFailureConditions: [a]'),
    [
      'spec.devices[0].bindingConditions[1]: Duplicate value: "a"',
      'spec.devices[0].bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions',
    ],
  ],
  [
    'place of a device',
    device('allNodes: true'),
    [
      'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
    ],
  ],
  [
    'no place of a device',
    slice('perDeviceNodeSelection: true, devices: [{name: x}]'),
    [
      'spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(resourceSlice, yaml)).toEqual(expected);
});

test('driver, pool and node stay', () => {
  const problems = updateProblems(resourceSlice, slice('nodeName: n'), ({ spec }) => {
    spec.driver = 'e.io';
    spec.pool.name = 'q';
    spec.nodeName = 'm';
  });
  expect(problems).toEqual([
    'spec.pool.name: Invalid value: "q": field is immutable',
    'spec.driver: Invalid value: "e.io": field is immutable',
    'spec.nodeName: Invalid value: "m": field is immutable',
  ]);
});

test('taints count from now; what is behind feature gates is left out', () => {
  const object = decoded(resourceSlice, device('taints: [{key: a, effect: None}], attributes: {a: {int: 1, ints: [1]}}'));
  resourceSlice.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 1_000 });
  expect(object.spec.devices?.[0]).toMatchObject({ taints: [{ timeAdded: '1970-01-01T00:00:01Z' }], attributes: { a: { int: 1 } } });
  expect(object.spec.devices?.[0]?.attributes?.['a']).not.toHaveProperty('ints');
});

test('shown and selected by driver and node', () => {
  const object = decoded(resourceSlice, slice('allNodes: true'));
  expect(row(resourceSlice, object)).toMatchObject({ Node: '', Driver: 'd.io', Pool: 'p' });
  expect(resourceSlice.selectableFields?.['spec.driver']?.(object)).toBe('d.io');
  expect(resourceSlice.selectableFields?.['spec.nodeName']?.(object)).toBe('');
  object.spec.driver = 'D.io';
  expect(resourceSlice.warnings?.(object, undefined)).toEqual([
    'spec.driver: driver names should be lowercase; "D.io" contains uppercase characters',
  ]);
});
