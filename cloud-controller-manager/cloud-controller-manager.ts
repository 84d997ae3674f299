import { type Node, node } from '#api/core/node/node.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Metrics } from '#base/metrics.ts';
import type { AnyKind, Client } from '#client/client.ts';
import { cached, ClusterCache, kindId } from '#client/cluster-cache.ts';
import { kindsOf, runControllers } from '#client/controller/controller.ts';
import type { ControllerDefinition, EventRecorder } from '#client/controller/define.ts';
import { isControllerSelected } from '#client/controller/selection.ts';
import { loadBalancerController } from '#client/load-balancer/controller.ts';
import type { Cloud } from './cloud/contract.ts';
import { cloudNodeController } from './node/controller.ts';
import { cloudNodeLifecycleController } from './node/lifecycle-controller.ts';

interface CloudControllerOptions {
  readonly cloud: Cloud;
  /** Which controllers run, as `--controllers` has it; default all. */
  readonly selection?: readonly string[];
  readonly nodeUpdateMs?: number;
  readonly nodePeriodMs?: number;
  readonly nodeWorkers?: number;
}

interface CloudControllerDeps extends CloudControllerOptions {
  /** Fills the caches, and does everything else where controllers have no clients of their own. */
  readonly client: Client;
  /** The client of each controller by its name; default: the common one. */
  readonly clientFor?: ((controller: string) => Client) | undefined;
  /** The recorder of events sent in a source's name. */
  readonly events: (source: string) => EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** Names of old, under which `--controllers` still knows them (upstream's CCMControllerAliases). */
const aliases = {
  'cloud-node': 'cloud-node-controller',
  'cloud-node-lifecycle': 'cloud-node-lifecycle-controller',
  service: 'service-lb-controller',
  route: 'node-route-controller',
};
const eventSources: Readonly<Record<string, string>> = { 'service-lb-controller': 'service-controller' };
/** How often balanced Services are looked at again, as upstream does: the pool may have changed. */
const serviceSyncMs = 30_000;

/** Every control loop of the process, wired. Run the cache first: the loops need it synced. */
export function cloudControllerManager(deps: CloudControllerDeps): { readonly cluster: ClusterCache; readonly loops: Service } {
  const { client, clientFor = () => client, clock, log, metrics, selection = ['*'] } = deps;
  const definitions = buildControllers(deps).filter(({ name }) => isControllerSelected(name, selection, { aliases }));
  const cluster = new ClusterCache(kindsOf(definitions).map(cacheOf), { client, clock, log });
  const events = (name: string): EventRecorder => deps.events(eventSources[name] ?? name);
  return { cluster, loops: runControllers(definitions, { client: clientFor, cluster, events, clock, log, metrics }) };
}

function buildControllers(options: CloudControllerOptions): readonly ControllerDefinition[] {
  const { cloud, nodeUpdateMs = 300_000, nodePeriodMs = 5_000, nodeWorkers = 1 } = options;
  const { pool } = cloud;
  return [
    cloudNodeController({ cloud, updateMs: nodeUpdateMs, workers: nodeWorkers }),
    cloudNodeLifecycleController({ cloud, periodMs: nodePeriodMs }),
    ...(pool === undefined ? [] : [loadBalancerController({ pool, resyncMs: serviceSyncMs })]),
  ];
}

/** Without who owns which field, and what images a node has. */
function cacheOf(kind: AnyKind): ReturnType<typeof cached> {
  if (kindId(kind) !== kindId(node)) {
    return cached(kind, {
      transform: (object: never) => {
        delete (object as { metadata: { managedFields?: unknown } }).metadata.managedFields;
        return object;
      },
    });
  }
  return cached<Node>(node, {
    transform: (object) => {
      delete object.metadata.managedFields;
      delete object.status?.images;
      return object;
    },
  });
}
