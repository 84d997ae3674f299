// What happens to writes into namespaces that do not exist: made on the way, or refused.
import { hasReason, notFound } from '#api/meta/status.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';

/** Makes the namespace of whatever is created. */
export function namespaceAutoProvision(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    mutate: (request) => {
      const { operation, context } = request;
      if (operation !== 'CREATE' || context.dryRun || !isInside(request)) return undefined;
      return exists(registry(), request) ? undefined : provision(registry(), request);
    },
  };
}

/** Refuses writes into namespaces that do not exist. */
export function namespaceExists(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    validate: (request) => {
      if (!isInside(request) || exists(registry(), request)) return undefined;
      return look(registry(), request);
    },
  };
}

function isInside({ kind, context }: AdmissionRequest): boolean {
  return kind.scope === 'namespaced' && context.namespace !== '';
}

function exists(registry: Registry, { context }: AdmissionRequest): boolean {
  const kind = registry.find('', 'v1', 'namespaces');
  return kind !== undefined && registry.peek(kind, '', context.namespace) !== undefined;
}

/** Another API server may have made it just now. Throws NotFound. */
async function look(registry: Registry, { context }: AdmissionRequest): Promise<void> {
  const kind = registry.find('', 'v1', 'namespaces');
  if (kind === undefined) throw notFound({ group: '', plural: 'namespaces' }, context.namespace);
  await registry.get(kind, context.namespace, '', internalContext({}, context.signal));
}

async function provision(registry: Registry, { context }: AdmissionRequest): Promise<void> {
  const kind = registry.find('', 'v1', 'namespaces');
  if (kind === undefined) return;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: context.namespace } };
  try {
    await registry.createObject(kind, object, internalContext({}, context.signal));
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}
