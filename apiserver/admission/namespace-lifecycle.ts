import type { V1Namespace } from '#api/generated/types.ts';
import { ApiError, forbidden, notFound } from '#api/meta/status.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Encoded, Registry } from '../registry/contract.ts';
import { refusal } from './refusal.ts';

/** Namespaces that the cluster cannot do without. */
const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Keeps objects out of namespaces that do not exist or are going away, and the namespaces of the system alive. */
export function namespaceLifecycle(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    mutate: (request) => {
      const { kind, operation, context } = request;
      const { namespace } = context;
      if (kind.group === '' && kind.kind === 'Namespace') {
        if (operation === 'DELETE' && immortal.has(request.name)) {
          throw forbidden({ group: '', plural: 'namespaces' }, request.name, 'this namespace may not be deleted');
        }
        return undefined;
      }
      if (namespace === '' || kind.scope === 'cluster' || operation === 'DELETE') return undefined;
      const namespaces = registry().find('', 'v1', 'namespaces');
      if (namespaces === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
      const known = registry().peek(namespaces, '', namespace);
      if (known !== undefined) return check(request, known);
      // Another API server may have made it just now.
      return registry()
        .get(namespaces, namespace, '', internalContext({}, context.signal))
        .then((found) => check(request, found));
    },
  };
}

/** Nothing new comes into a namespace that goes; a pod that is tied to a node counts as new. */
function check(request: AdmissionRequest, namespace: Encoded): undefined {
  const isNew = request.operation === 'CREATE' || request.context.subresource === 'binding';
  if (isNew && (namespace.object() as V1Namespace).status?.phase === 'Terminating') throw terminating(request);
}

function terminating(request: AdmissionRequest): ApiError {
  const { namespace } = request.context;
  const plain = refusal(request, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' };
  return new ApiError({ reason: plain.reason, message: plain.message, details: { ...plain.details, causes: [cause] } });
}
