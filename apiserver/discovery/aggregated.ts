import { apiVersionOf } from '#api/meta/object.ts';
import { aggregatedKind } from './aggregated-schema.ts';
import type { ApiResource } from './resources.ts';

/** One group with the resources of each of its versions. */
export interface GroupResources {
  readonly name: string;
  /** Most preferred first. */
  readonly versions: readonly { readonly version: string; readonly resources: readonly ApiResource[] }[];
}

/** The APIGroupDiscoveryList that replaces a request per group. */
export function aggregatedDiscovery(groups: readonly GroupResources[]): object {
  return {
    kind: aggregatedKind.kind,
    apiVersion: apiVersionOf(aggregatedKind),
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === '' ? {} : { name: group.name },
      versions: group.versions.map(({ version: served, resources }) => ({
        version: served,
        resources: nest(group.name, served, resources),
        freshness: 'Current',
      })),
    })),
  };
}

/** Sub-resources go below their resource. */
function nest(group: string, version: string, resources: readonly ApiResource[]): object[] {
  const responseKind = (resource: ApiResource): object => ({
    group: resource.group ?? group,
    version: resource.version ?? version,
    kind: resource.kind,
  });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const prefix = `${resource.name}/`;
      const parts = resources.filter(({ name }) => name.startsWith(prefix));
      return {
        resource: resource.name,
        responseKind: responseKind(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        ...(parts.length === 0
          ? {}
          : {
              subresources: parts.map((part) => ({
                subresource: part.name.slice(prefix.length),
                responseKind: responseKind(part),
                verbs: part.verbs,
              })),
            }),
      };
    });
}
