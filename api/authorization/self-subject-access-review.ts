import type { V1SelfSubjectAccessReview } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Asks what one may do. Never stored: creating one is a question, the answer is the same object with its status. */
export interface SelfSubjectAccessReview extends V1SelfSubjectAccessReview {
  metadata: ObjectMeta;
}

export const selfSubjectAccessReview = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  scope: 'cluster',
  names: { plural: 'selfsubjectaccessreviews' },
  schema: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  verbs: ['create'],
});
