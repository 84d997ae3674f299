// Devices that others use, too (adminAccess), are for namespaces that an administrator has chosen
// (pkg/registry/resource/adminaccess.go).
import { invalidObject, forbiddenField } from '#api/meta/field-problem.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { adminRequest } from '#api/resource/device-claim.ts';
import type { ResourceClaim } from '#api/resource/resource-claim.ts';
import type { ResourceClaimTemplate } from '#api/resource/resource-claim-template.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';

const namespaceLabel = 'resource.kubernetes.io/admin-access';

/** Refuses claims, templates of claims and allocations with such access elsewhere. Part of the server, not of the list of plugins. */
export function deviceAdminAccess(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    validate: (request) => {
      const { kind, name } = request;
      if (kind.group !== 'resource.k8s.io' || kind.scope !== 'namespaced') return undefined;
      const field = accessField(request);
      if (field === undefined) return undefined;
      return namespaceAllows(registry(), request).then((isAllowed) => {
        if (isAllowed) return;
        const text = `admin access to devices requires the \`${namespaceLabel}: true\` label on the containing namespace`;
        throw invalidObject(kind, name, [forbiddenField(field, text)]);
      });
    },
  };
}

/** The field that asks for it; undefined where nothing does, or where it was granted before. */
function accessField({ kind, operation, object, previous, context }: AdmissionRequest): string | undefined {
  if (operation === 'CREATE') {
    const claim = kind.kind === 'ResourceClaim' ? (object as ResourceClaim) : { spec: (object as ResourceClaimTemplate).spec.spec };
    const at = adminRequest(claim);
    // Templates are named as if they were claims.
    return at === undefined ? undefined : `spec.devices.requests[${at}].adminAccess`;
  }
  if (operation !== 'UPDATE' || context.subresource !== 'status' || grantedAt(previous) >= 0) return undefined;
  const at = grantedAt(object);
  return at < 0 ? undefined : `status.allocation.devices.results[${at}].adminAccess`;
}

function grantedAt(claim: KubeObject | undefined): number {
  const { status } = (claim ?? {}) as Partial<ResourceClaim>;
  return (status?.allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess === true);
}

async function namespaceAllows(registry: Registry, { context }: AdmissionRequest): Promise<boolean> {
  const namespaces = registry.find('', 'v1', 'namespaces');
  if (namespaces === undefined) return false;
  const found = await registry.get(namespaces, context.namespace, '', internalContext({}, context.signal));
  return found.object().metadata.labels?.[namespaceLabel] === 'true';
}
