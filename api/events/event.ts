import type { EventsV1Event } from '#api/generated/types.ts';
import { eventColumns } from '../core/event/columns.ts';
import type { Event } from '../core/event/event.ts';
import { validateNewEvent, validateNewEventUpdate } from '../core/event/validate.ts';
import { type Column, defineKind } from '../kind.ts';
import type { KubeObject, ObjectMeta } from '../meta/object.ts';

export interface EventsEvent extends EventsV1Event {
  metadata: ObjectMeta;
}

/** The newer form of the core Event: one object, two groups. */
export const eventsEvent = defineKind<EventsEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  scope: 'namespaced',
  names: { plural: 'events', short: ['ev'] },
  schema: 'io.k8s.api.events.v1.Event',
  ttlSeconds: 3_600,
  createOnUpdate: true,
  defaultPropagation: 'Unsupported',
  storedAs: { group: '', version: 'v1', kind: 'Event' },
  toStored: toCoreEvent,
  fromStored: (object) => fromCoreEvent(object as Event),
  validate: (object, { verb }) => (verb === 'create' ? validateNewEvent(toCoreEvent(object)) : []),
  validateUpdate: (next, prev) => validateNewEventUpdate(toCoreEvent(next), toCoreEvent(prev)),
  columns: eventColumns.map(
    (column): Column<EventsEvent> => ({ ...column, value: (object, nowMs) => column.value(toCoreEvent(object), nowMs) }),
  ),
  selectableFields: {
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
});

/** The names of the newer form, and of the core form. */
const renamed = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} as const;
const coreNames: Readonly<Record<string, string>> = renamed;
const newNames: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(renamed).map(([newer, core]) => [core, newer]));

function toCoreEvent(object: EventsEvent): Event {
  const core = { involvedObject: {}, source: {}, ...rename(object, coreNames) };
  return { ...core, apiVersion: 'v1', kind: 'Event' } as unknown as Event;
}

function fromCoreEvent(object: Event): EventsEvent {
  return { ...rename(object, newNames), apiVersion: 'events.k8s.io/v1', kind: 'Event' } as unknown as EventsEvent;
}

function rename(object: KubeObject, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value]));
}
