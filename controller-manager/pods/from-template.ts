import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodTemplateSpec } from '#api/generated/types.ts';
import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { controllerReference } from '#api/meta/owner-references.ts';

/** Upstream cuts the prefix so that five random letters still fit into a name. */
const maxPrefix = 248;

/** The pod that an owner makes from its template; the server completes its name. */
export function podFromTemplate(kind: Resource, owner: KubeObject, template: V1PodTemplateSpec): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  if (template.spec === undefined) throw new Error(`${kind.kind} ${owner.metadata.name} has no pod template`);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${(owner.metadata.name ?? '').slice(0, maxPrefix)}-`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(kind, owner)],
    },
    spec: template.spec,
  };
}
