import type { EventsV1Event } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

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
  storedAs: { group: '', version: 'v1', kind: 'Event' },
});
