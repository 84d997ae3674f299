// The components that serve the pods of a node, from their sources to their status, and how they depend on each other.
import type { Node } from '#api/core/node/node.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { service as serviceKind, type Service as ServiceObject } from '#api/core/service/service.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Metrics } from '#base/metrics.ts';
import { version } from '#base/version.ts';
import { Informer } from '#client/informer.ts';
import type { KubeletConfig } from './config.ts';
import type { ImageAccess } from './images/image-access.ts';
import { ImageAccounts } from './images/image-accounts.ts';
import { ImagePuller } from './images/image-puller.ts';
import type { PulledImages } from './images/pulled-images.ts';
import type { PressureCondition } from './eviction/signals.ts';
import type { KubeletDeps } from './kubelet.ts';
import { type KubeletMetrics, kubeletMetrics } from './kubelet-metrics.ts';
import { cgroupOperation, pullMetrics, statusMetrics, storageOperation, volumeCounts } from './metrics/operation-metrics.ts';
import { podCounts, podMetrics } from './metrics/pod-metrics.ts';
import type { MachineFacts } from './node/facts.ts';
import type { PodRecorder } from './pod-events.ts';
import type { NodeFacts } from './pods/container-config.ts';
import { readHostDns } from './pods/network/host-dns.ts';
import { NodePods, withoutSource } from './pods/node-pods.ts';
import { Pleg } from './pods/pleg.ts';
import { PodWorkers } from './pods/pod-workers.ts';
import { Allocations } from './pods/resize/allocations.ts';
import { Cgroups } from './pods/resources/cgroups.ts';
import { RuntimeClasses } from './pods/runtime-classes.ts';
import { StatusWriter } from './pods/status/status-writer.ts';
import { StepRunner, type StepRunnerDeps } from './pods/step-runner.ts';
import { Prober } from './probes/prober.ts';
import type { RuntimeInfo } from './runtime/contract.ts';
import { type Mirrors, mirrorsOf } from './static/mirrors.ts';
import { staticSources } from './static/sources.ts';
import { noApiPods } from './standalone.ts';
import { folderSizes } from './stats/folder-sizes.ts';
import { PodUses } from './stats/pod-uses.ts';
import { ReferencedObjects } from './volumes/objects.ts';
import { podPaths } from './volumes/paths.ts';
import { pluginOf, PodVolumes } from './volumes/pod-volumes.ts';
import { Tokens } from './volumes/tokens.ts';

const majorVersion = version.replace(/^v(\d+\.\d+).*$/, '$1');

/** The components that serve the pods of a node. */
export interface PodParts {
  readonly pods: NodePods;
  readonly workers: PodWorkers;
  readonly statuses: StatusWriter;
  readonly mirrors: Mirrors;
  readonly pleg: Pleg;
  readonly uses: PodUses;
  readonly prober: Prober;
  readonly metrics: KubeletMetrics;
  /** Services in the order to start. */
  readonly services: readonly Service[];
  /** Services that need the API server. */
  readonly online: readonly Service[];
}

/** What the pods' components take from the rest of the kubelet. */
export interface PodDeps extends KubeletDeps {
  readonly info: RuntimeInfo;
  readonly facts: MachineFacts;
  readonly pulled: PulledImages;
  readonly access: ImageAccess;
  readonly record: PodRecorder;
  /** An event of the node. */
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly pressure: () => readonly PressureCondition[];
  readonly isShuttingDown: () => boolean;
  readonly node: () => Node | undefined;
}

/** Builds the components that serve pods: from their sources and volumes to the workers, status updates and events of the runtime. */
export function buildPods(config: KubeletConfig, deps: PodDeps): PodParts {
  const { client, runtime, clock, log, info, facts, record, pressure, isShuttingDown, node } = deps;
  const api = { client, clock, log };
  const statics = staticSources(config.staticPods, config.nodeName, clock, log);
  const bound = new Informer<Pod>({ kind: podKind, fieldSelector: `spec.nodeName=${config.nodeName}`, transform: withoutSource }, api);
  const pods = new NodePods(config.isStandalone ? noApiPods : bound, statics.pods);
  const services = new Informer<ServiceObject>({ kind: serviceKind }, api);
  const paths = podPaths(config.rootDir);
  const objects = new ReferencedObjects(api);
  const allocatable = (): Readonly<Record<string, string>> => node()?.status?.allocatable ?? {};
  const hostIps = (): readonly string[] => config.nodeIps;
  const count = storageOperation(deps.metrics, clock);
  const volumes = new PodVolumes({ paths, mounter: deps.mounter, objects, tokens: new Tokens(api), allocatable, clock, count });
  const statuses = new StatusWriter({ ...api, onWritten: statusMetrics(deps.metrics) });
  const prober = new Prober({ runtime, clock, userAgent: `kube-probe/${majorVersion}`, log, record, hostIp: () => hostIps()[0] ?? '' });
  const metrics = podMetrics(deps.metrics, () => clock.monotonicMs());
  const common = { runtime, volumes, objects, images: imagePuller(config, deps), record, metrics, clock, log };
  const nodeFacts = containerFacts(config, facts, { hostIps, allocatable, services: () => services.list() });
  const steps = new StepRunner({ ...common, ...stepSettings(config, deps), paths, node: nodeFacts });
  const workers = new PodWorkers({
    ...common,
    steps,
    pods,
    prober,
    statuses,
    allocations: new Allocations(paths, log),
    admission: { allowedSysctls: config.allowedSysctls, hasAppArmor: facts.hasAppArmor },
    keeps: config.keptEnds,
    longestDelayMs: config.longestRestartDelayMs,
    node,
    hostIps,
    pressure,
    isShuttingDown,
    runtimeName: info.name,
    onServed: () => mirrors.wake(),
  });
  const mirrors = mirrorsOf({ ...api, pods, workers, statuses, node });
  const counters = kubeletMetrics(deps.metrics, config.nodeName);
  countPods(deps.metrics, { pods, workers, volumes });
  const pleg = new Pleg({ runtime, clock, log, ...plegListeners(workers), metrics: counters });
  return {
    pods,
    workers,
    statuses,
    mirrors,
    pleg,
    uses: new PodUses({ runtime, paths, sizes: folderSizes, clock }),
    prober,
    metrics: counters,
    services: [objects, statuses, prober, ...statics.services, workers, pleg, ...(config.isStandalone ? [] : [mirrors])],
    online: [services, bound],
  };
}

function imagePuller(config: KubeletConfig, { runtime, pulled, access, metrics, clock }: PodDeps): ImagePuller {
  const onPulled = pullMetrics(metrics);
  return new ImagePuller({ images: runtime.images, clock, pulled, access, onPulled, maxParallel: config.parallelPulls });
}

type StepSettings = 'accounts' | 'cgroups' | 'runtimeClasses' | 'cgroupRoot' | 'clusterDns' | 'hostDns' | 'tell' | 'userAgent';

function stepSettings(config: KubeletConfig, deps: PodDeps): Pick<StepRunnerDeps, StepSettings> {
  return {
    accounts: new ImageAccounts(deps.runtime.images),
    cgroups: podCgroups(config, deps),
    runtimeClasses: new RuntimeClasses({ client: deps.client, handlers: deps.info.handlers }),
    cgroupRoot: config.cgroupRoot,
    clusterDns: { servers: config.clusterDns, domain: config.clusterDomain },
    hostDns: () => readHostDns(config.resolvConf),
    tell: deps.tell,
    userAgent: `kube-lifecycle/${majorVersion}`,
  };
}

/** Exports how many pods and volumes are desired and actual. */
function countPods(metrics: Metrics, { pods, workers, volumes }: Pick<PodParts, 'pods' | 'workers'> & { volumes: PodVolumes }): void {
  const active = (): readonly Pod[] => workers.list().flatMap((worker) => (worker.isActive && worker.isWanted ? [worker.pod] : []));
  podCounts(metrics, {
    desired: () => pods.list(),
    active,
    mirrors: () => pods.statics().length,
    working: () => workers.list(),
  });
  volumeCounts(metrics, {
    desired: () => active().flatMap(({ spec }) => (spec.volumes ?? []).map(pluginOf)),
    actual: () => volumes.plugins(),
  });
}

function plegListeners(workers: PodWorkers): Pick<ConstructorParameters<typeof Pleg>[0], 'onChange' | 'onRelist'> {
  return { onChange: (uid) => workers.wake(uid), onRelist: (known) => workers.adoptOrphans(known) };
}

function containerFacts(
  config: KubeletConfig,
  { memoryBytes }: MachineFacts,
  known: Pick<NodeFacts, 'hostIps' | 'allocatable' | 'services'>,
): NodeFacts {
  const { nodeName: name, clusterDomain, rootDir, seccompDefault, logLimits } = config;
  return { name, clusterDomain, memoryBytes, seccompRoot: `${rootDir}/seccomp`, seccompDefault, logLimits, ...known };
}

function podCgroups(config: KubeletConfig, { info, facts, metrics, tell, clock, log }: PodDeps): Cgroups {
  const { reserved, enforcesAllocatable } = config;
  return new Cgroups({
    enabled: config.cgroupsPerQos,
    root: config.cgroupRoot,
    version: info.cgroupVersion,
    refusal: undefined,
    driver: info.cgroupDriver,
    nodeCpuMillis: enforcesAllocatable ? Math.max(0, facts.cpuMillis - reserved.cpuMillis) : facts.cpuMillis,
    tell,
    count: cgroupOperation(metrics, clock),
    podsMemoryBytes: enforcesAllocatable ? Math.max(0, facts.memoryBytes - reserved.memoryBytes) : undefined,
    maxPids: enforcesAllocatable && reserved.processes > 0 ? Math.max(0, facts.maxProcesses - reserved.processes) : undefined,
    maxPidsPerPod: config.maxPidsPerPod,
    log,
  });
}
