import type { V1SelfSubjectRulesReview } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Asks for all that one may do in a namespace. Never stored: creating one is a question, the answer is the same object with its status. */
export interface SelfSubjectRulesReview extends V1SelfSubjectRulesReview {
  metadata: ObjectMeta;
}

export const selfSubjectRulesReview = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  scope: 'cluster',
  names: { plural: 'selfsubjectrulesreviews' },
  schema: 'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  verbs: ['create'],
});
