// What pods ask of the cluster and are limited to, as the scheduler and kubelets count it: /metrics/resources, under upstream's names.
import type { Pod } from '#api/core/pod/pod.ts';
import { podLimits, podRequests } from '#api/core/pod/pod-resources.ts';
import { quantityMillis, quantityValue } from '#api/meta/quantity.ts';
import { type Sample, SampledFamily } from '#base/metric-cells.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';

const labels = ['namespace', 'pod', 'node', 'scheduler', 'priority', 'resource', 'unit'];
const explained =
  'for workloads on the cluster, broken down by pod. This shows the resource usage the scheduler and kubelet expect per pod for resources ' +
  'along with the unit for the resource if any.';

/** @param pods all that are known; those that have ended ask for nothing. */
export function podResourceMetrics(pods: () => Iterable<Pod>): Metrics {
  const metrics = createMetrics();
  const add = (name: string, what: string, amountsOf: typeof podRequests): void => {
    const read = (): Iterable<Sample> => samplesOf(pods(), amountsOf);
    metrics.add(new SampledFamily(`kube_pod_resource_${name}`, `[STABLE] Resources ${what} ${explained}`, labels, 'gauge', read));
  };
  add('limit', 'limit', podLimits);
  add('request', 'requested', podRequests);
  return metrics;
}

function* samplesOf(pods: Iterable<Pod>, amountsOf: typeof podRequests): Generator<Sample> {
  for (const { metadata, spec, status } of pods) {
    const { nodeName = '', schedulerName = '', priority } = spec;
    if (nodeName !== '' && (status?.phase === 'Succeeded' || status?.phase === 'Failed')) continue;
    const { namespace = '', name = '' } = metadata;
    const whose = [namespace, name, nodeName, schedulerName, priority === undefined ? '' : String(priority)];
    for (const [resource, amount] of Object.entries(amountsOf(spec))) {
      const value = resource === 'cpu' ? quantityMillis(amount) / 1_000 : quantityValue(amount);
      if (value !== 0) yield [[...whose, resource, unitOf(resource)], value];
    }
  }
}

/** As upstream has it: what is counted in nothing else is whole numbers. */
function unitOf(resource: string): string {
  if (resource === 'cpu') return 'cores';
  if (resource === 'memory' || resource === 'storage' || resource === 'ephemeral-storage' || resource.startsWith('hugepages-'))
    return 'bytes';
  return 'integer';
}
