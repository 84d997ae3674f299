// Where objects lie in the store. Tools that read etcd know upstream's places (SpecialDefaultResourcePrefixes in
// pkg/kubeapiserver/default_storage_factory_builder.go), so these are ours, too: the resource alone, whatever its group, a few under names
// of long ago; with the group only what upstream's other two servers keep, which is also where custom resources will have to go.
import type { KindDefinition } from '#api/kind.ts';

/** What all keys start with. */
export const rootPrefix = '/registry/';

type Named = Pick<KindDefinition, 'group' | 'names'>;

const ofOtherServers: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io']);
/** By resource; the groups of these kinds have no others of the name. */
const special: ReadonlyMap<string, string> = new Map([
  ['endpoints', 'services/endpoints'],
  ['ingresses', 'ingress'],
  ['nodes', 'minions'],
  ['replicationcontrollers', 'controllers'],
  ['services', 'services/specs'],
]);

/** What the keys of a kind's objects start with: `/registry/pods/`, `/registry/services/specs/`. */
export function keyPrefix({ group, names }: Named): string {
  if (ofOtherServers.has(group)) return `${rootPrefix}${group}/${names.plural}/`;
  return `${rootPrefix}${special.get(names.plural) ?? names.plural}/`;
}

/** What they started with in stores of the first days, `/registry/apps/deployments/`; the same for most kinds without a group. */
export function formerKeyPrefix({ group, names }: Named): string {
  return `${rootPrefix}${group === '' ? '' : `${group}/`}${names.plural}/`;
}

/** Where an object of another place should lie; `isNamespaced` decides how many segments follow the prefix. */
export interface FormerPlace {
  readonly former: string;
  readonly prefix: string;
  readonly isNamespaced: boolean;
}

/** The places that have moved. Kinds that are stored as others have none. */
export function formerPlaces(kinds: readonly Pick<KindDefinition, 'group' | 'names' | 'scope' | 'storedAs'>[]): FormerPlace[] {
  return kinds
    .filter(({ storedAs }) => storedAs === undefined)
    .map((kind) => ({ former: formerKeyPrefix(kind), prefix: keyPrefix(kind), isNamespaced: kind.scope === 'namespaced' }))
    .filter(({ former, prefix }) => former !== prefix);
}

/** The key that an object of one of these places has today; undefined for keys that lie in none. */
export function movedKey(key: string, places: readonly FormerPlace[]): string | undefined {
  for (const { former, prefix, isNamespaced } of places) {
    if (!key.startsWith(former)) continue;
    const rest = key.slice(former.length);
    // A Service once lay at services/NAMESPACE/NAME, today at services/specs/NAMESPACE/NAME.
    if (rest.split('/').length === (isNamespaced ? 2 : 1)) return `${prefix}${rest}`;
  }
  return undefined;
}
