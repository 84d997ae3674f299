import type { V1Binding } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Ties a pod to a node. Never stored: creating one is an act, at `bindings` or at `pods/<name>/binding`. */
export interface Binding extends V1Binding {
  metadata: ObjectMeta;
}

export const binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  scope: 'namespaced',
  names: { plural: 'bindings' },
  schema: 'io.k8s.api.core.v1.Binding',
  verbs: ['create'],
});
