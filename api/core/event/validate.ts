// Rules for events of both groups (pkg/apis/core/validation/events.go). Fields are named as in the core form.
import { qualifiedName } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { byteLength } from '../../meta/names.ts';
import { validateImmutable } from '../../meta/object-meta.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import type { Event } from './event.ts';

const shortLimit = 128;
const noteLimit = 1_024;

/** What holds for every event; `controllerField` is how the group calls the reporting controller. */
export function validateLegacyEvent(event: Unchecked<Event>, controllerField: string): FieldProblem[] {
  const namespace = event.metadata?.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const mismatch = [invalid('involvedObject.namespace', about, 'does not match event.namespace')];
  if (!event.eventTime) {
    const matches = about === '' ? namespace === '' || namespace === 'default' : namespace === about;
    return matches ? [] : mismatch;
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
  const fixed = {
    involvedObject: 'involvedObject',
    reason: 'reason',
    reportingController: 'reportingComponent',
    reportingInstance: 'reportingInstance',
    action: 'action',
    eventTime: 'eventTime',
    note: 'message',
    type: 'type',
    firstTimestamp: 'firstTimestamp',
    lastTimestamp: 'lastTimestamp',
    count: 'count',
    source: 'source',
    related: 'related',
  } as const;
  const problems = Object.entries(fixed).flatMap(([field, key]) => validateImmutable(next[key], prev[key], field));
  return JSON.stringify(next.series) === JSON.stringify(prev.series) ? problems : [...problems, ...validateSeries(next)];
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
