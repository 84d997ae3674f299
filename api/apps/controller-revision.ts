import type { V1ControllerRevision } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface ControllerRevision extends V1ControllerRevision {
  metadata: ObjectMeta;
}

export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  scope: 'namespaced',
  names: { plural: 'controllerrevisions' },
  schema: 'io.k8s.api.apps.v1.ControllerRevision',
});
