import type { V1TokenReview } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

/** Asks whom a bearer token stands for. Never stored: creating one is a question, the answer is the same object with its status. */
export interface TokenReview extends V1TokenReview {
  metadata: ObjectMeta;
}

export const tokenReview = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  scope: 'cluster',
  names: { plural: 'tokenreviews' },
  schema: 'io.k8s.api.authentication.v1.TokenReview',
  verbs: ['create'],
});
