import type { V1Namespace } from '#api/generated/types.ts';
import { ApiError, forbidden, hasReason, notFound } from '#api/meta/status.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { refusal } from './refusal.ts';

/** Namespaces that the cluster cannot do without. */
const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Keeps objects out of namespaces that do not exist or are going away, and the namespaces of the system alive. */
export function namespaceLifecycle(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    mutate: async (request) => {
      const { kind, operation, context } = request;
      const isNamespace = kind.group === '' && kind.kind === 'Namespace';
      if (isNamespace) {
        if (operation === 'DELETE' && immortal.has(request.name)) {
          throw forbidden({ group: '', plural: 'namespaces' }, request.name, 'this namespace may not be deleted');
        }
        return;
      }
      if (context.namespace === '' || kind.scope === 'cluster' || operation === 'DELETE') return;
      const found = await findNamespace(registry(), context.namespace, context.signal);
      if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, context.namespace);
      if (operation === 'CREATE' && found.status?.phase === 'Terminating') throw terminating(request);
    },
  };
}

async function findNamespace(registry: Registry, name: string, signal: AbortSignal): Promise<V1Namespace | undefined> {
  const kind = registry.find('', 'v1', 'namespaces');
  if (kind === undefined) return undefined;
  try {
    return (await registry.get(kind, name, '', internalContext({}, signal))).object() as V1Namespace;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

function terminating(request: AdmissionRequest): ApiError {
  const { namespace } = request.context;
  const plain = refusal(request, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' };
  return new ApiError({ reason: plain.reason, message: plain.message, details: { ...plain.details, causes: [cause] } });
}
