import type { V1OwnerReference } from '#api/generated/types.ts';
import { groupOf } from '#api/meta/owner-references.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { refusal } from './refusal.ts';

interface OwnerReferencesDeps {
  readonly registry: () => Registry;
  readonly authorizer: Authorizer;
}

/** Who says that an object goes with another must be allowed to delete it, and who holds an owner back to change its finalizers. */
export function ownerReferencesPermissionEnforcement({ registry, authorizer }: OwnerReferencesDeps): AdmissionPlugin {
  const isAllowed = async (request: AdmissionRequest, what: { verb: string; resource: Target }): Promise<void | string> => {
    const { context } = request;
    const { verb, resource } = what;
    const decision = await authorizer.authorize({ user: context.user, isResource: true, verb, path: '', ...resource });
    return decision.verdict === 'allow' ? undefined : `${decision.reason}, <nil>`;
  };
  const check = async (request: AdmissionRequest): Promise<void> => {
    const { kind, name, context } = request;
    const { group, version, names } = kind;
    const own = { group, version, resource: names.plural, subresource: context.subresource, namespace: context.namespace, name };
    const why = await isAllowed(request, { verb: 'delete', resource: own });
    if (why !== undefined) throw refusal(request, `cannot set an ownerRef on a resource you can't delete: ${why}`);
    for (const reference of newlyBlocking(request)) {
      const whyNot = await isAllowed(request, { verb: 'update', resource: ownerOf(registry(), reference, context.namespace) });
      if (whyNot === undefined) continue;
      const rule = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on";
      throw refusal(request, `${rule}: ${whyNot}`);
    }
  };
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    validate: (request) => {
      const { operation, object, previous, kind, context } = request;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
      // Kubelets write the status of pods that they may not delete.
      if (kind.group === '' && kind.names.plural === 'pods' && context.subresource === 'status') return undefined;
      const next = object?.metadata.ownerReferences ?? [];
      return equalValues(next, previous?.metadata.ownerReferences ?? []) ? undefined : check(request);
    },
  };
}

interface Target {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** References that hold their owner back now and did not before. */
function newlyBlocking({ object, previous }: AdmissionRequest): V1OwnerReference[] {
  const before = previous?.metadata.ownerReferences ?? [];
  const blocked = new Set(before.filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true).map(({ uid }) => uid));
  return (object?.metadata.ownerReferences ?? []).filter(({ blockOwnerDeletion, uid }) => blockOwnerDeletion === true && !blocked.has(uid));
}

/** Finalizers of the owner; of unknown kinds, of all resources, which only administrators may change. */
function ownerOf(registry: Registry, { apiVersion, kind, name }: V1OwnerReference, inNamespace: string): Target {
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const known = registry.kinds().find((one) => one.group === group && one.version === version && one.kind === kind);
  if (known === undefined) return { group: '*', version: '*', resource: '*', subresource: 'finalizers', namespace: inNamespace, name };
  const namespace = known.scope === 'namespaced' ? inNamespace : '';
  return { group, version, resource: known.names.plural, subresource: 'finalizers', namespace, name };
}
