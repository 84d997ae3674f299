import type { V1SubjectAccessReview } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Checks what a user may do. Never stored: a create returns the same object with its status. */
export interface SubjectAccessReview extends V1SubjectAccessReview {
  metadata: ObjectMeta;
}

export const subjectAccessReview = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  scope: 'cluster',
  names: { plural: 'subjectaccessreviews' },
  schema: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  verbs: ['create'],
});
