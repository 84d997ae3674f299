import { configMap } from '#api/core/config-map.ts';
import { pod } from '#api/core/pod/pod.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Client } from '#client/client.ts';
import { type CachedKind, cached, ClusterCache, kindId } from '#client/cluster-cache.ts';
import { kindsOf, runControllers } from '#client/controller/controller.ts';
import type { EventRecorder } from '#client/controller/define.ts';
import { buildControllers, type ControllerOptions } from './controllers.ts';
import { GarbageCollector, metadataOnly } from './garbage-collector/garbage-collector.ts';
import { kindsWith } from './kinds.ts';

export interface ControllerManagerDeps extends ControllerOptions {
  readonly client: Client;
  /** The recorder of events sent in a controller's name. */
  readonly events: (controller: string) => EventRecorder;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** Every control loop with the cache they share. Run the cache first: the loops need it synced. */
export function controllerManager(deps: ControllerManagerDeps): { readonly cluster: ClusterCache; readonly loops: Service } {
  const { client, clock, log, events } = deps;
  const definitions = buildControllers(deps);
  const collected = kindsWith('list', 'watch', 'delete', 'patch').filter(({ names, group }) => names.plural !== 'events' || group !== '');
  const read = new Set(kindsOf(definitions).map(kindId));
  const forMetadata = collected.filter((kind) => !read.has(kindId(kind)));
  const cluster = new ClusterCache(
    [
      cached<never>(pod as never, { transform: withoutManagedFields as never }),
      cached<never>(configMap as never, { transform: withoutOtherData as never }),
      ...kindsOf(definitions).map((kind) => cached<never>(kind as never, { transform: withoutManagedFields as never })),
      ...forMetadata.map((kind) => cached<never>(kind as never, { transform: metadataOnly as never })),
    ] as CachedKind[],
    { client, clock, log },
  );
  const collector = new GarbageCollector({ kinds: collected, cluster, client, events: events('garbage-collector-controller'), clock, log });
  const controllers = runControllers(definitions, { client: () => client, cluster, events, clock, log, metrics: deps.metrics });
  return {
    cluster,
    loops: { name: 'control loops', run: (signal, ready) => runServices(signal, [controllers, collector], ready) },
  };
}

/** Ownership is the server's affair: an update without it leaves it as it is. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}

/** ConfigMaps are watched for one name only; the others' contents would fill memory for nothing. */
function withoutOtherData<T extends KubeObject & { data?: unknown; binaryData?: unknown }>(object: T): T {
  if (object.metadata.name === 'kube-root-ca.crt') return withoutManagedFields(object);
  return metadataOnly(object);
}
