import type { V1Pod } from '#api/generated/types.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** Labels pods with their topology: copies the zone and the region of their node, when they are tied to it or made for it. */
export function podTopologyLabels(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    mutate: (request) => {
      if (!isTied(request)) return;
      const { spec, metadata } = request.object as V1Pod & { metadata: object };
      const nodes = registry().find('', 'v1', 'nodes');
      // A node that is not known has no labels.
      const node =
        nodes &&
        registry()
          .peek(nodes, '', spec?.nodeName ?? '')
          ?.object();
      const labels = copied.flatMap((key) => {
        const value = node?.metadata.labels?.[key];
        return value === undefined ? [] : [[key, value] as const];
      });
      if (labels.length > 0) Object.assign(metadata, { labels: { ...metadata.labels, ...Object.fromEntries(labels) } });
    },
  };
}

function isTied({ kind, operation, context, object }: AdmissionRequest): boolean {
  if (kind.group !== '' || kind.names.plural !== 'pods') return false;
  const isMade = operation === 'CREATE' && context.subresource === '';
  return (isMade || context.subresource === 'binding') && ((object as V1Pod | undefined)?.spec?.nodeName ?? '') !== '';
}
