import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Client } from '#client/client.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { runControllers } from '#client/controller/controller.ts';
import type { EventRecorder } from '#client/controller/define.ts';
import { cachesFor } from './caches.ts';
import { buildControllers, type ControllerOptions, eventSources } from './controllers.ts';
import { GarbageCollector } from './garbage-collector/garbage-collector.ts';
import { isEvent, kindsWith } from './kinds.ts';
import { PodGarbageCollector, type PodCollectorOptions } from './pod-garbage-collector/pod-garbage-collector.ts';
import { isSelected } from './selection.ts';

export interface ControllerManagerDeps extends ControllerOptions {
  /** Fills the caches, and does everything else where controllers have no clients of their own. */
  readonly client: Client;
  /** The client of each controller by its name; default: the common one. */
  readonly clientFor?: ((controller: string) => Client) | undefined;
  /** The recorder of events sent in a source's name. */
  readonly events: (source: string) => EventRecorder;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** Which controllers run, as `--controllers` has it; default all. */
  readonly selection?: readonly string[] | undefined;
  readonly podCollection?: PodCollectorOptions | undefined;
}

interface ControllerManager {
  /** The cache that all loops share. Run it first: they need it synced. */
  readonly cluster: ClusterCache;
  readonly loops: Service;
}

/** Upstream's --terminated-pod-gc-threshold. */
export const maxFinishedPods = 12_500;

/** Every control loop of the process, wired. */
export function controllerManager(deps: ControllerManagerDeps): ControllerManager {
  const {
    client,
    clientFor = () => client,
    clock,
    log,
    metrics,
    selection = ['*'],
    podCollection = { maxFinished: maxFinishedPods },
  } = deps;
  const events = (name: string): EventRecorder => deps.events(eventSources[name] ?? name);
  const contents = kindsWith('list', 'watch', 'delete').filter(({ scope }) => scope === 'namespaced');
  const collected = kindsWith('list', 'watch', 'delete', 'patch').filter((kind) => !isEvent(kind));
  const definitions = buildControllers(deps, contents).filter(({ name }) => isSelected(name, selection));
  const cluster = new ClusterCache(cachesFor(definitions, collected), { client, clock, log });
  const controllers = runControllers(definitions, { client: clientFor, cluster, events, clock, log, metrics });
  const collectors = [
    new GarbageCollector({
      kinds: collected,
      cluster,
      client: clientFor('garbage-collector-controller'),
      events: events('garbage-collector-controller'),
      clock,
      log,
    }),
    new PodGarbageCollector(podCollection, { cluster, client: clientFor('pod-garbage-collector-controller'), clock, log }),
  ].filter(({ name }) => isSelected(name, selection));
  return {
    cluster,
    loops: { name: 'control loops', run: (signal, ready) => runServices(signal, [controllers, ...collectors], ready) },
  };
}
