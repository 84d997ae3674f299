import type { CoreV1Event } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import { nameIsPathSegment } from '../../meta/names.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { eventColumns } from './columns.ts';
import { validateLegacyEvent } from './validate.ts';

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
  defaultPropagation: 'Unsupported',
  // Events of the old group may be called anything that fits into a path.
  validateName: nameIsPathSegment,
  defaults: [
    (object) => {
      object.involvedObject ??= {};
      object.source ??= {};
    },
  ],
  validate: (object) => validateLegacyEvent(object, 'reportingComponent'),
  columns: eventColumns,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || reportingComponent || '',
    type: ({ type }) => type ?? '',
  },
});
