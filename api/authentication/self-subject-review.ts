import type { V1SelfSubjectReview } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Asks who one is. Never stored: creating one is a question, the answer is the same object with its status. */
export interface SelfSubjectReview extends V1SelfSubjectReview {
  metadata: ObjectMeta;
}

export const selfSubjectReview = defineKind<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  scope: 'cluster',
  names: { plural: 'selfsubjectreviews' },
  schema: 'io.k8s.api.authentication.v1.SelfSubjectReview',
  verbs: ['create'],
});
