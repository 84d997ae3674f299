import type { Column } from '../../kind.ts';
import { nameColumn, sinceText } from '../../meta/columns.ts';
import type { Event } from './event.ts';

/** What `kubectl get events` shows, served through either group. */
export const eventColumns: readonly Column<Event>[] = [
  { name: 'Last Seen', value: lastSeen },
  { name: 'Type', value: ({ type }) => type ?? '' },
  { name: 'Reason', value: ({ reason }) => reason ?? '' },
  { name: 'Object', value: ({ involvedObject: { kind = '', name } }) => (name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()) },
  { name: 'Subobject', priority: 1, value: ({ involvedObject }) => involvedObject.fieldPath ?? '' },
  { name: 'Source', priority: 1, value: sourceText },
  { name: 'Message', value: ({ message }) => (message ?? '').trim() },
  { name: 'First Seen', priority: 1, value: firstSeen },
  { name: 'Count', priority: 1, value: ({ series, count }) => series?.count ?? (count || 1) },
  { ...nameColumn, priority: 1 },
];

function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  return sinceText(firstTimestamp || eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return sinceText(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? sinceText(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || '';
  const host = source?.host || reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}
