// What the store and the caches over it do. The registry counts in passing; these families read the figures on scrape.
import { type HistogramCell, type Sample, SampledFamily, SampledHistograms } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { MeasuredResource } from '../registry/registry.ts';
import type { RequestCounts, ResourceCounts } from '../storage/resource-counts.ts';

interface StorageParts {
  readonly resources: () => Iterable<MeasuredResource>;
  /** Bytes of the database; absent or undefined where nothing can be said. */
  readonly sizeBytes?: (() => Promise<number | undefined>) | undefined;
}

const byResource = ['group', 'resource'];
const objectsHelp = 'Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.';

/** Families that have one series for each resource: name, type, help, and the figure (undefined: no series). */
type Row = readonly [name: string, type: 'counter' | 'gauge', help: string, read: (one: MeasuredResource) => number | undefined];

const counted = (read: (counts: ResourceCounts) => number): Row[3] => {
  return ({ counts }) => read(counts) || undefined;
};

const rows: readonly Row[] = [
  ['apiserver_resource_objects', 'gauge', `[ALPHA] ${objectsHelp}`, ({ objects }) => objects],
  [
    'apiserver_resource_size_estimate_bytes',
    'gauge',
    '[ALPHA] Estimated size of stored objects in database. Estimate is based on sum of last observed sizes of serialized objects. In case of a fetching error, the value will be -1.',
    ({ counts }) => counts.bytes,
  ],
  [
    'apiserver_storage_events_received_total',
    'counter',
    '[BETA] Number of etcd events received split by kind.',
    counted(({ received }) => received),
  ],
  [
    'apiserver_watch_cache_events_received_total',
    'counter',
    '[ALPHA] Counter of events received in watch cache broken by resource type.',
    counted(({ received }) => received),
  ],
  [
    'apiserver_watch_cache_events_dispatched_total',
    'counter',
    '[ALPHA] Counter of events dispatched in watch cache broken by resource type.',
    counted(({ dispatched }) => dispatched),
  ],
  [
    'apiserver_watch_cache_initializations_total',
    'counter',
    '[ALPHA] Counter of watch cache initializations broken by resource type.',
    counted(({ initializations }) => initializations),
  ],
  [
    'apiserver_watch_cache_resource_version',
    'gauge',
    '[ALPHA] Current resource version of watch cache broken by resource type.',
    ({ revision }) => revision,
  ],
  [
    'apiserver_init_events_total',
    'counter',
    '[ALPHA] Counter of init events processed in watch cache broken by resource type.',
    counted(({ initEvents }) => initEvents),
  ],
  [
    'apiserver_terminated_watchers_total',
    'counter',
    '[ALPHA] Counter of watchers closed due to unresponsiveness broken by resource type.',
    counted(({ terminatedWatchers }) => terminatedWatchers),
  ],
  [
    'apiserver_cache_list_returned_objects_total',
    'counter',
    '[ALPHA] Number of objects returned for a LIST request from watch cache',
    ({ counts: { lists, returned } }) => (lists > 0 ? returned : undefined),
  ],
];

/** Adds the families, at no cost until a scrape. */
export function storageMetrics(metrics: Metrics, { resources, sizeBytes }: StorageParts): void {
  for (const [name, type, help, read] of rows) {
    metrics.add(new SampledFamily(name, help, byResource, type, () => samples(resources(), read)));
  }
  const help = `[STABLE] (Deprecated since 1.34.0) [DEPRECATED, consider using apiserver_resource_objects instead] ${objectsHelp}`;
  metrics.add(
    new SampledFamily('apiserver_storage_objects', help, ['resource'], 'gauge', () =>
      Array.from(resources(), ({ group, resource, objects }): Sample => [[group === '' ? resource : `${resource}.${group}`], objects]),
    ),
  );
  cacheReads(metrics, resources);
  storeRequests(metrics, resources);
  if (sizeBytes === undefined) return;
  const sizeHelp = '[STABLE] Size of the storage database file physically allocated in bytes.';
  metrics.add(
    new SampledFamily('apiserver_storage_size_bytes', sizeHelp, ['storage_cluster_id'], 'gauge', async () => {
      const bytes = await sizeBytes();
      return bytes === undefined ? [] : [[['etcd-0'], bytes]];
    }),
  );
}

function cacheReads(metrics: Metrics, resources: StorageParts['resources']): void {
  // Lists read ranges of one ordered map: there is no other index that they could be served from.
  const indexed = (name: string, help: string, read: (counts: ResourceCounts) => number): void => {
    metrics.add(
      new SampledFamily(name, help, ['group', 'index', 'resource'], 'counter', () =>
        [...resources()].flatMap(({ group, resource, counts }): Sample[] =>
          counts.lists > 0 ? [[[group, '', resource], read(counts)]] : [],
        ),
      ),
    );
  };
  indexed('apiserver_cache_list_total', '[ALPHA] Number of LIST requests served from watch cache', ({ lists }) => lists);
  indexed(
    'apiserver_cache_list_fetched_objects_total',
    '[ALPHA] Number of objects read from watch cache in the course of serving a LIST request',
    ({ fetched }) => fetched,
  );
  metrics.add(
    new SampledFamily(
      'apiserver_watch_cache_consistent_read_total',
      '[ALPHA] Counter for consistent reads from cache.',
      ['fallback', 'group', 'resource', 'success'],
      'counter',
      () =>
        [...resources()].flatMap(({ group, resource, counts: { consistentReads, consistentFailures } }): Sample[] => [
          ...some(['false', group, resource, 'true'], consistentReads - consistentFailures),
          ...some(['false', group, resource, 'false'], consistentFailures),
        ]),
    ),
  );
  metrics.add(
    new SampledHistograms(
      'apiserver_watch_cache_read_wait_seconds',
      '[ALPHA] Histogram of time spent waiting for a watch cache to become fresh.',
      byResource,
      () => Array.from(resources(), ({ group, resource, counts }) => [[group, resource], counts.waitSeconds] as const),
    ),
  );
}

/** Under the names that upstream has for etcd, whatever the store is. */
function storeRequests(metrics: Metrics, resources: StorageParts['resources']): void {
  const labels = ['group', 'operation', 'resource'];
  const all = (): [string[], RequestCounts][] =>
    [...resources()].flatMap(({ group, resource, counts }) =>
      Object.entries(counts.requests).map(([operation, one]): [string[], RequestCounts] => [[group, operation, resource], one]),
    );
  metrics.add(
    new SampledHistograms(
      'etcd_request_duration_seconds',
      '[ALPHA] Etcd request latency in seconds for each operation and object type.',
      labels,
      () => all().map(([values, { seconds }]): [string[], HistogramCell] => [values, seconds]),
    ),
  );
  const count = (name: string, help: string, read: (one: RequestCounts) => number): void => {
    metrics.add(new SampledFamily(name, help, labels, 'counter', () => all().flatMap(([values, one]) => some(values, read(one)))));
  };
  count('etcd_requests_total', '[ALPHA] Etcd request counts for each operation and object type.', ({ seconds }) => seconds.count);
  count('etcd_request_errors_total', '[ALPHA] Etcd failed request counts for each operation and object type.', ({ errors }) => errors);
}

function some(values: readonly string[], value: number): Sample[] {
  return value > 0 ? [[values, value]] : [];
}

function samples(resources: Iterable<MeasuredResource>, read: Row[3]): Sample[] {
  return [...resources].flatMap((one): Sample[] => {
    const value = read(one);
    return value === undefined ? [] : [[[one.group, one.resource], value]];
  });
}
