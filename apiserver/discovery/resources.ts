import { createHash } from 'node:crypto';
import type { KindDefinition } from '#api/kind.ts';
import type { SubresourceTable } from '../subresources/contract.ts';

/** An entry of an APIResourceList, in upstream's order of fields. */
export interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const partVerbs = ['get', 'patch', 'update'];

/** What a kind brings: itself, then its sub-resources, exactly as they are served. */
export function resourcesOf(kind: KindDefinition, subresources: SubresourceTable): ApiResource[] {
  const { plural, singular, short, categories } = kind.names;
  const namespaced = kind.scope === 'namespaced';
  const verbs = [...(kind.verbs ?? allVerbs)].sort();
  const stored = kind.storedAs ?? kind;
  const own: ApiResource = {
    name: plural,
    singularName: singular ?? kind.kind.toLowerCase(),
    namespaced,
    kind: kind.kind,
    verbs,
    ...(short === undefined ? {} : { shortNames: short }),
    ...(categories === undefined ? {} : { categories }),
    // What is never stored (bindings, component statuses) has no storage version.
    ...(verbs.includes('get') && verbs.includes('create') ? { storageVersionHash: storageVersionHash(stored) } : {}),
  };
  const { status, scale, other = {} } = kind.subresources ?? {};
  const parts: ApiResource[] = [];
  const part = (name: string, rest: Omit<ApiResource, 'name' | 'singularName' | 'namespaced'>): void => {
    if (!subresources.isHidden(kind, name)) parts.push({ name: `${plural}/${name}`, singularName: '', namespaced, ...rest });
  };
  if (scale !== undefined) part('scale', { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: partVerbs });
  if (status === true) part('status', { kind: kind.kind, verbs: partVerbs });
  for (const [name, rule] of Object.entries(other)) {
    part(name, {
      ...(rule.group === undefined ? {} : { group: rule.group }),
      ...(rule.version === undefined ? {} : { version: rule.version }),
      kind: rule.kind,
      verbs: [...rule.verbs].sort(),
    });
  }
  return [own, ...parts.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

/** Changes when a kind begins to be stored in another version; clients only compare it. */
function storageVersionHash({ group, version, kind }: { group: string; version: string; kind: string }): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}
