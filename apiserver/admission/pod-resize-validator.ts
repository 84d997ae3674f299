import type { V1Node, V1Pod } from '#api/generated/types.ts';
import { podRequests } from '#api/core/pod/pod-resources.ts';
import { quantityMillis, quantityValue } from '#api/meta/quantity.ts';
import { ApiError } from '#api/meta/status.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { refusal } from './refusal.ts';

const osLabel = 'kubernetes.io/os';

/** Refuses at once to resize a pod to more than its node has at all, or on a node that cannot resize. */
export function podResizeValidator(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    validate: (request) => {
      const { kind, context, operation, object, previous } = request;
      if (operation !== 'UPDATE' || context.subresource !== 'resize' || kind.group !== '' || kind.names.plural !== 'pods') return;
      const pod = object as V1Pod;
      const nodeName = pod.spec?.nodeName ?? '';
      // Where the generation stays nothing is asked for.
      if (nodeName === '' || previous?.metadata.generation === pod.metadata?.generation) return;
      const nodes = registry().find('', 'v1', 'nodes');
      const node = nodes && (registry().peek(nodes, '', nodeName)?.object() as V1Node | undefined);
      if (node === undefined) throw refusal(request, `node ${JSON.stringify(nodeName)} not found`);
      checkRoom(request, pod, node);
      const system = node.metadata?.labels?.[osLabel] ?? '';
      if (system === 'linux') return;
      const why = `pod resize is only supported on linux nodes, node ${JSON.stringify(nodeName)} is ${JSON.stringify(system)}`;
      throw withCause(refusal(request, why), 'UnsupportedPlatform');
    },
  };
}

function checkRoom(request: AdmissionRequest, { spec }: V1Pod, { status }: V1Node): void {
  const wanted = spec === undefined ? {} : podRequests(spec);
  const lacking = (['cpu', 'memory'] as const).flatMap((name) => {
    const measure = name === 'cpu' ? quantityMillis : quantityValue;
    const requested = measure(wanted[name] ?? '0');
    const allocatable = measure(status?.allocatable?.[name] ?? '0');
    return requested > allocatable ? [`${name}, requested: ${requested}, allocatable: ${allocatable}`] : [];
  });
  if (lacking.length === 0) return;
  throw withCause(refusal(request, `Node didn't have enough allocatable resources: ${lacking.join('; ')}`), 'NodeCapacity');
}

/** Autoscalers distinguish by the cause whether a retry may succeed. */
function withCause({ reason, message, details }: ApiError, cause: string): ApiError {
  return new ApiError({ reason, message, details: { ...details, causes: [{ reason: cause }] } });
}
