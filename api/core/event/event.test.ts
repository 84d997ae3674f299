import { expect, test } from 'vitest';
import { type EventsEvent, eventsEvent } from '../../events/event.ts';
import { createProblems, decoded, row, updateProblems } from '../../testing.ts';
import { event } from './event.ts';

const core = `
metadata: {name: a, namespace: b}
involvedObject: {kind: Pod, namespace: b, name: web, fieldPath: "spec.containers{c}"}
reason: Started
message: " Started container c "
source: {component: kubelet, host: n1}
firstTimestamp: "2026-01-01T00:00:00Z"
lastTimestamp: "2026-01-01T00:50:00Z"
count: 4
type: Normal
`;
const newer = `
metadata: {name: a, namespace: b}
eventTime: "2026-01-01T00:00:00.000000Z"
regarding: {kind: Pod, namespace: b, name: web}
reason: Started
note: hello
action: Start
type: Normal
reportingController: example.com/agent
reportingInstance: n1
`;

test.each<[string, string, string[]]>([
  ['fine', core, []],
  [
    'another namespace',
    core.replace('namespace: b, name: web', 'namespace: c, name: web'),
    ['involvedObject.namespace: Invalid value: "c": does not match event.namespace'],
  ],
  ['a name that fits into a path', core.replace('name: a', 'name: A_B'), []],
])('core: %s', (_name, yaml, expected) => {
  expect(createProblems(event, yaml)).toEqual(expected);
});

test.each<[string, string, string[]]>([
  ['fine', newer, []],
  [
    'missing',
    'metadata: {name: a, namespace: b}\neventTime: "2026-01-01T00:00:00.000000Z"\nregarding: {namespace: b}\nreportingController: x\ntype: Odd',
    [
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
      'type: Invalid value: "": has invalid value: Odd',
    ],
  ],
  ['old fields', `${newer}deprecatedCount: 2`, ['count: Invalid value: "": needs to be unset']],
  [
    'a series of one',
    `${newer}series: {count: 1, lastObservedTime: "2026-01-01T00:00:00.000000Z"}`,
    ['series.count: Invalid value: "": should be at least 2'],
  ],
])('events.k8s.io: %s', (_name, yaml, expected) => {
  expect(createProblems(eventsEvent, yaml)).toEqual(expected);
});

test('only the series changes', () => {
  const series = { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' };
  expect(updateProblems(eventsEvent, newer, (object) => void (object.series = series))).toEqual([]);
  expect(updateProblems(eventsEvent, newer, (object) => void (object.note = 'bye'))).toEqual([
    'message: Invalid value: "bye": field is immutable',
  ]);
});

test('what it is about stays, too, and the rest must be sound', () => {
  const change = (object: EventsEvent): void => {
    object.regarding = { kind: 'Node', name: 'n' };
    object.deprecatedCount = 1;
    object.action = '';
    delete object.related;
  };
  expect(updateProblems(eventsEvent, newer, change)).toEqual([
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
    'action: Required value',
    'involvedObject: Invalid value: {"Kind":"Node","Namespace":"","Name":"n","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}: field is immutable',
    'count: Invalid value: 1: field is immutable',
    'action: Invalid value: "": field is immutable',
  ]);
});

test('one object, two forms', () => {
  const object = decoded(event, core);
  const served = eventsEvent.fromStored?.({ ...object, apiVersion: 'v1', kind: 'Event' });
  expect(served).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    regarding: { name: 'web' },
    note: ' Started container c ',
    deprecatedCount: 4,
    deprecatedSource: { component: 'kubelet' },
  });
  expect(served === undefined ? undefined : eventsEvent.toStored?.(served)).toEqual({ ...object, apiVersion: 'v1', kind: 'Event' });
});

test('columns', () => {
  const nowMs = Date.parse('2026-01-01T01:00:00Z');
  expect(row(event, decoded(event, core), nowMs)).toEqual({
    'Last Seen': '10m',
    Type: 'Normal',
    Reason: 'Started',
    Object: 'pod/web',
    Subobject: 'spec.containers{c}',
    Source: 'kubelet, n1',
    Message: 'Started container c',
    'First Seen': '60m',
    Count: 4,
    Name: 'a',
  });
  expect(row(eventsEvent, decoded(eventsEvent, newer), nowMs)).toMatchObject({
    'Last Seen': '60m',
    Object: 'pod/web',
    Count: 1,
    Source: 'example.com/agent, n1',
  });
});
