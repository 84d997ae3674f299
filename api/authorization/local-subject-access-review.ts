import type { V1LocalSubjectAccessReview } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Checks what a user may do in one namespace. Never stored: a create returns the same object with its status. */
export interface LocalSubjectAccessReview extends V1LocalSubjectAccessReview {
  metadata: ObjectMeta;
}

export const localSubjectAccessReview = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  scope: 'namespaced',
  names: { plural: 'localsubjectaccessreviews' },
  schema: 'io.k8s.api.authorization.v1.LocalSubjectAccessReview',
  verbs: ['create'],
});
