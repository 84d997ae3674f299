import type { CoreV1Event } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import type { ObjectMeta } from '../../meta/object.ts';

export interface Event extends CoreV1Event {
  metadata: ObjectMeta;
}

export const event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  scope: 'namespaced',
  names: { plural: 'events', short: ['ev'] },
  schema: 'io.k8s.api.core.v1.Event',
  ttlSeconds: 3_600,
  createOnUpdate: true,
});
