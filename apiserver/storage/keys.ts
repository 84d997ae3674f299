import type { KindDefinition } from '#api/kind.ts';

/** What all keys start with. */
export const rootPrefix = '/registry/';

/** What the keys of a kind's objects start with: `/registry/pods/`, `/registry/apps/deployments/`. */
export function keyPrefix({ group, names }: Pick<KindDefinition, 'group' | 'names'>): string {
  return `${rootPrefix}${group === '' ? '' : `${group}/`}${names.plural}/`;
}
