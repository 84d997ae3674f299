// Rules for events of both groups (pkg/apis/core/validation/events.go). Fields are named as in the core form.
import type { V1ObjectReference } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { invalidEach, qualifiedName } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { byteLength, dnsSubdomainProblems } from '../../meta/names.ts';
import { immutableText } from '../../meta/object-meta.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import type { Event } from './event.ts';

const shortLimit = 128;
const noteLimit = 1_024;

interface FixedMember {
  readonly key: keyof Event;
  /** The value as Go prints it. */
  readonly show: (event: Event) => unknown;
}

const text = (key: 'reason' | 'message' | 'type' | 'action' | 'reportingComponent' | 'reportingInstance'): FixedMember => ({
  key,
  show: (event) => event[key] ?? '',
});
const time = (key: 'firstTimestamp' | 'lastTimestamp' | 'eventTime'): FixedMember => ({ key, show: (event) => event[key] ?? null });

/** What an update may not change, by upstream's names and in its order. */
const fixedMembers: Readonly<Record<string, FixedMember>> = {
  involvedObject: { key: 'involvedObject', show: ({ involvedObject }) => shownReference(involvedObject) },
  reason: text('reason'),
  message: text('message'),
  source: { key: 'source', show: ({ source }) => ({ Component: source?.component ?? '', Host: source?.host ?? '' }) },
  firstTimestamp: time('firstTimestamp'),
  lastTimestamp: time('lastTimestamp'),
  count: { key: 'count', show: ({ count }) => count ?? 0 },
  type: text('type'),
  eventTime: time('eventTime'),
  action: text('action'),
  related: { key: 'related', show: ({ related }) => (related === undefined ? null : shownReference(related)) },
  reportingController: text('reportingComponent'),
  reportingInstance: text('reportingInstance'),
};

function shownReference(reference: V1ObjectReference): object {
  const { kind = '', namespace = '', name = '', uid = '', apiVersion = '', resourceVersion = '', fieldPath = '' } = reference;
  const start = { Kind: kind, Namespace: namespace, Name: name, UID: uid };
  return { ...start, APIVersion: apiVersion, ResourceVersion: resourceVersion, FieldPath: fieldPath };
}

/** What holds for every event; `controllerField` is how the group calls the reporting controller. */
export function validateLegacyEvent(event: Unchecked<Event>, controllerField: string): FieldProblem[] {
  const namespace = event.metadata?.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const wrongNamespace = invalidEach('namespace', namespace, dnsSubdomainProblems(namespace));
  const mismatch = [invalid('involvedObject.namespace', about, 'does not match event.namespace')];
  if (!event.eventTime) {
    const matches = about === '' ? namespace === '' || namespace === 'default' : namespace === about;
    return [...(matches ? [] : mismatch), ...wrongNamespace];
  }
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '', message = '' } = event;
  const isPlaced = about !== '' || namespace === 'default' || namespace === 'kube-system';
  return [
    ...(isPlaced ? [] : mismatch),
    ...(reportingComponent === '' ? [required(controllerField)] : []),
    ...qualifiedName(controllerField, reportingComponent),
    ...requiredShort('reportingInstance', reportingInstance),
    ...requiredShort('action', action),
    ...requiredShort('reason', reason),
    ...atMost('message', message, noteLimit),
    ...wrongNamespace,
  ];
}

/** The stricter rules of events.k8s.io/v1. */
export function validateNewEvent(event: Unchecked<Event>): FieldProblem[] {
  const problems = [...validateLegacyEvent(event, 'reportingController'), ...validateSeries(event)];
  if (!event.eventTime) problems.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    problems.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  for (const [field, value] of Object.entries({
    firstTimestamp: event.firstTimestamp,
    lastTimestamp: event.lastTimestamp,
    count: event.count,
    source: event.source?.component || event.source?.host,
  })) {
    if (value) problems.push(invalid(field, '', 'needs to be unset'));
  }
  return problems;
}

/** Only the series may change. */
export function validateNewEventUpdate(next: Event, prev: Event): FieldProblem[] {
  const problems = validateLegacyEvent(next, 'reportingController');
  if (!equalValues(next.series, prev.series)) problems.push(...validateSeries(next));
  for (const [field, { key, show }] of Object.entries(fixedMembers)) {
    if (!equalValues(next[key], prev[key])) problems.push(invalid(field, show(next), immutableText));
  }
  return problems;
}

function validateSeries({ series }: Unchecked<Event>): FieldProblem[] {
  if (series === undefined) return [];
  const problems: FieldProblem[] = [];
  if ((series.count ?? 0) < 2) problems.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) problems.push(required('series.lastObservedTime'));
  return problems;
}

function requiredShort(field: string, value: string): FieldProblem[] {
  return value === '' ? [required(field)] : atMost(field, value, shortLimit);
}

function atMost(field: string, value: string, limit: number): FieldProblem[] {
  return byteLength(value) > limit ? [invalid(field, '', `can have at most ${limit} characters`)] : [];
}
