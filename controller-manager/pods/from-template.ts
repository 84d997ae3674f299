import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodTemplateSpec } from '#api/generated/types.ts';
import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { controllerReference } from '#api/meta/owner-references.ts';

const maxNameLength = 253;

/** The pod that an owner makes from its template; the server completes its name. Throws for a template without labels, which no selector finds again. */
export function podFromTemplate(kind: Resource, owner: KubeObject, { metadata = {}, spec }: V1PodTemplateSpec): Pod {
  const { labels, annotations, finalizers } = metadata;
  if (spec === undefined) throw new Error(`${kind.kind} ${owner.metadata.name} has no pod template`);
  if (Object.keys(labels ?? {}).length === 0) throw new Error('unable to create pods, no labels');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: namePrefix(owner.metadata.name ?? ''),
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: labels ?? {},
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(kind, owner)],
    },
    spec,
  };
}

/** With a dash where a name has room for one. */
function namePrefix(ownerName: string): string {
  return ownerName.length < maxNameLength ? `${ownerName}-` : ownerName;
}
