import type { V1Pod } from '#api/generated/types.ts';

/** What no two pods that run have in common: a static pod and its mirror pod have the same. */
export function fullNameOf({ metadata }: V1Pod): string {
  return `${metadata?.name}_${metadata?.namespace}`;
}
