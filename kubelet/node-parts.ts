// The parts of a node agent around those that serve its pods: measurements, eviction, garbage collection, the HTTP server and shutdown.
import { FileWatch } from '#base/file-watch.ts';
import type { Service } from '#base/lifecycle.ts';
import { DelegatedAccess } from '#client/delegated-access.ts';
import type { KubeletConfig } from './config.ts';
import { ImageCollector } from './images/image-collector.ts';
import type { PulledImages } from './images/pulled-images.ts';
import { Evictor } from './eviction/evictor.ts';
import { probeMetrics } from './kubelet-metrics.ts';
import { requestMetrics } from './metrics/http-metrics.ts';
import type { MachineFacts } from './node/facts.ts';
import { diskUse, type MeasureOptions, type Measurements } from './node/measure.ts';
import type { NodeAgent } from './node/node-agent.ts';
import type { PodRecorder } from './pod-events.ts';
import type { PodWorker } from './pods/pod-worker.ts';
import { latestOf } from './pods/observed.ts';
import type { PodWorkers } from './pods/pod-workers.ts';
import { qosCgroup } from './pods/resources/pod-cgroup.ts';
import type { RuntimeInfo, RuntimePod } from './runtime/contract.ts';
import { configurationOf } from './server/configuration.ts';
import { KubeletServer } from './server/kubelet-server.ts';
import { Logind } from './shutdown/logind.ts';
import { NodeShutdown } from './shutdown/node-shutdown.ts';
import { engineProcesses, hostFigures, interfacesOf, processFigures } from './stats/kernel.ts';
import { mountedVolumes } from './stats/mounted-volumes.ts';
import { Stats } from './stats/stats.ts';
import { readTlsFiles, tlsFiles } from './server/tls.ts';
import { volumeImages } from './volumes/image-volume.ts';
import { podPaths } from './volumes/paths.ts';
import type { KubeletDeps } from './kubelet.ts';
import type { PodParts } from './pod-parts.ts';

interface CollectorParts {
  readonly pulled: PulledImages;
  readonly warn: (reason: string, message: string) => void;
  readonly measure: () => Promise<Measurements>;
}

export function buildCollector(
  config: KubeletConfig,
  { runtime, clock, log }: KubeletDeps,
  parts: PodParts,
  around: CollectorParts,
): ImageCollector {
  const { pulled, warn } = around;
  return new ImageCollector({
    runtime,
    pulled,
    policy: config.imageGc,
    volumeImages: () => (parts.pods.hasSynced ? parts.pods.list().flatMap(volumeImages) : undefined),
    disk: async () => (await around.measure()).imageDisk,
    count: (why) => parts.metrics.imageRemoved(why),
    warn,
    clock,
    log,
  });
}

/** Undefined: nothing is to be waited for. */
export function buildShutdown(
  { shutdownPeriods: periods }: KubeletConfig,
  { shutdownSource, clock, log }: KubeletDeps,
  { workers }: PodParts,
  report: (reason: string, message: string) => void,
  agent: NodeAgent,
): NodeShutdown | undefined {
  if (periods.length === 0) return undefined;
  const source = shutdownSource ?? new Logind();
  return new NodeShutdown({ source, periods, pods: () => workers.list(), report, onChange: () => agent.wake(), clock, log });
}

interface EvictorParts {
  readonly measure: () => Promise<Measurements>;
  readonly record: PodRecorder;
  readonly warn: (reason: string, message: string) => void;
  readonly agent: NodeAgent;
  readonly collector: ImageCollector;
}

export function buildEvictor(config: KubeletConfig, { clock, log }: KubeletDeps, parts: PodParts, around: EvictorParts): Evictor {
  const { workers, uses, metrics } = parts;
  const { record, warn, agent, collector } = around;
  return new Evictor({
    settings: config.eviction,
    measure: around.measure,
    pods: () => workers.list(),
    usage: (pods, signal) => uses.usage(workersOf(workers, pods), signal),
    diskUsage: (pods, signal) => uses.diskUsage(workersOf(workers, pods), 'fresh', signal),
    knownDiskUsage: (pods, signal) => uses.knownDiskUsage(workersOf(workers, pods), signal),
    freeDisk: [(signal) => workers.dropEnded(signal), (signal) => collector.removeUnused(signal)],
    record: (pod, reason, message, annotations) => record(pod, undefined, 'Warning', reason, message, annotations),
    warn,
    onPressure: () => agent.wake(),
    count: (signal) => metrics.evicted(signal),
    clock,
    log,
  });
}

interface MachineParts {
  readonly facts: MachineFacts;
  readonly measure: () => Promise<Measurements>;
  readonly imageBytes: () => number;
}

/** The HTTPS server for logs, exec, metrics and statistics, and the read-only one where configured. */
export function buildServer(config: KubeletConfig, deps: KubeletDeps, parts: PodParts, machine: MachineParts): Service[] {
  const { pods, workers, statuses, uses, prober } = parts;
  const { client, runtime, clock, log, metrics, tls, debug } = deps;
  const source = {
    pods: () => pods.list().map((pod) => ({ ...pod, status: statuses.statusOf(pod) })),
    pod: (namespace: string, name: string) => pods.find(namespace, name),
    status: (uid: string) => {
      const known = workers.get(uid)?.pod;
      return known === undefined ? undefined : statuses.statusOf(known);
    },
  };
  const { readOnlyPort } = config.server;
  if (tls === undefined && readOnlyPort === 0) return [];
  const options = {
    host: config.server.host,
    nodeName: config.nodeName,
    idleMs: config.streamIdleMs,
  };
  const probeResults = probeMetrics({ samples: () => prober.samples(), durations: () => prober.durations() });
  const access = new DelegatedAccess({ authentication: client, authorization: client, clock }, config.server.accessTtls);
  const observed = (uid: string): RuntimePod | undefined => workers.get(uid)?.observed;
  const { facts, measure: measureNow, imageBytes } = machine;
  const stats = new Stats({
    runtime,
    uses,
    mounted: (pod) => mountedVolumes(pod, { paths: podPaths(config.rootDir), fileSystem: diskUse }),
    measure: measureNow,
    host: hostFigures,
    processes: async (bootMs) => ({
      kubelet: await processFigures([process.pid], bootMs),
      runtime: await processFigures(await engineProcesses(), bootMs),
    }),
    interfaces: interfacesOf,
    pods: source.pods,
    observed,
    imageBytes,
    clock,
    nodeName: config.nodeName,
  });
  const about = {
    stats,
    machine: { cores: facts.cpuMillis / 1_000, memoryBytes: facts.memoryBytes },
    namesOf: (uid: string, container: string) => latestOf(observed(uid), container),
    probes: () => probeResults.text(),
    configuration: configurationOf(config),
    flags: config.flags,
    debug,
    logFolder: config.debugging.hasLogs ? '/var/log' : undefined,
    hasStreams: config.debugging.hasStreams,
    requests: requestMetrics(metrics),
  };
  const common = { runtime, pods: source, access, clock, log, metrics, ...about };
  const readOnly = readOnlyPort === 0 ? [] : [new KubeletServer(common, { ...options, secure: undefined, port: readOnlyPort })];
  if (tls === undefined) return readOnly;
  const { minTls: minVersion, ciphers } = config.server.tls;
  const policy = { minVersion, ...(ciphers === undefined ? {} : { ciphers }) };
  const secure = { tls: { cert: tls.cert, key: tls.key }, clientCa: tls.clientCa, policy };
  const server = new KubeletServer(common, { ...options, secure, port: config.server.port });
  const paths = tlsFiles(config.server);
  const renewal = new FileWatch({ paths, onChange: () => server.renew({ ...tls, ...readTlsFiles(config.server) }), clock, log });
  return [server, ...readOnly, renewal];
}

export function measureOptions(
  { rootDir, cgroupsPerQos, cgroupRoot, reserved }: KubeletConfig,
  info: RuntimeInfo,
  facts: MachineFacts,
): MeasureOptions {
  const { path } = qosCgroup(cgroupRoot, 'Guaranteed', info.cgroupDriver);
  return {
    rootDirectory: rootDir,
    imageDirectory: info.rootDirectory,
    memoryBytes: facts.memoryBytes,
    pods: cgroupsPerQos ? { path, memoryBytes: facts.memoryBytes - reserved.memoryBytes } : undefined,
    cgroupVersion: info.cgroupVersion,
  };
}

/** The workers that stand behind what the evictor asks about. */
function workersOf(workers: PodWorkers, pods: readonly { readonly uid: string }[]): PodWorker[] {
  return pods.flatMap(({ uid }) => workers.get(uid) ?? []);
}
