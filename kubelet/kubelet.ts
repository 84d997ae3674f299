// The parts of a node agent and how they hang together. The runtime, the mounter and the clock come from outside, so that a test
// can run a whole kubelet without containers.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { node as nodeKind, type Node } from '#api/core/node/node.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { service as serviceKind, type Service as ServiceObject } from '#api/core/service/service.ts';
import { inBackground } from '#base/background.ts';
import type { Clock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { aborted, runServices, type Service, UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { DebugPages } from '#base/profiling/debug-pages.ts';
import type { Metrics } from '#base/metrics.ts';
import { version } from '#base/version.ts';
import type { Client } from '#client/client.ts';
import { EventSender } from '#client/events.ts';
import { Informer } from '#client/informer.ts';
import type { KubeletConfig } from './config.ts';
import { CertificateFile } from './identity/certificate-file.ts';
import { CertificateRotation } from './identity/rotation.ts';
import { ImageAccess } from './images/image-access.ts';
import { ImageAccounts } from './images/image-accounts.ts';
import { ImagePuller } from './images/image-puller.ts';
import { PulledImages } from './images/pulled-images.ts';
import { hardReserve } from './eviction/thresholds.ts';
import type { PressureCondition } from './eviction/signals.ts';
import { type KubeletMetrics, kubeletMetrics } from './kubelet-metrics.ts';
import {
  certificateMetrics,
  cgroupOperation,
  pullMetrics,
  statusMetrics,
  storageOperation,
  volumeCounts,
} from './metrics/operation-metrics.ts';
import { podCounts, podMetrics } from './metrics/pod-metrics.ts';
import { countedRuntime } from './metrics/runtime-operations.ts';
import { type MachineFacts, readMachineFacts } from './node/facts.ts';
import { kernelProblems } from './node/kernel-settings.ts';
import { measure, type MeasureOptions, type Measurements } from './node/measure.ts';
import { NodeAgent } from './node/node-agent.ts';
import { NodeLease } from './node/node-lease.ts';
import { type PodRecorder, podRecorder } from './pod-events.ts';
import type { NodeFacts } from './pods/container-config.ts';
import { hostDnsProblem, readHostDns } from './pods/network/host-dns.ts';
import { NodePods, withoutSource } from './pods/node-pods.ts';
import { Pleg } from './pods/pleg.ts';
import { PodWorkers } from './pods/pod-workers.ts';
import { Allocations } from './pods/resize/allocations.ts';
import { Cgroups } from './pods/resources/cgroups.ts';
import { RuntimeClasses } from './pods/runtime-classes.ts';
import { StatusWriter } from './pods/status/status-writer.ts';
import { StepRunner } from './pods/step-runner.ts';
import { Prober } from './probes/prober.ts';
import type { Runtime, RuntimeInfo } from './runtime/contract.ts';
import { type Mirrors, mirrorsOf } from './static/mirrors.ts';
import { staticSources } from './static/sources.ts';
import { loggedEvents, noApiPods } from './standalone.ts';
import { folderSizes } from './stats/folder-sizes.ts';
import { type ShutdownSource } from './shutdown/logind.ts';
import { PodUses } from './stats/pod-uses.ts';
import { type KubeletTls } from './server/tls.ts';
import type { Mounter } from './volumes/mounter.ts';
import { ReferencedObjects } from './volumes/objects.ts';
import { podPaths } from './volumes/paths.ts';
import { pluginOf, PodVolumes } from './volumes/pod-volumes.ts';
import { Tokens } from './volumes/tokens.ts';
import { buildCollector, buildEvictor, buildServer, buildShutdown, measureOptions } from './node-parts.ts';

export interface KubeletDeps {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly mounter: Mounter;
  /** Undefined: nothing is served on --port. */
  readonly tls: KubeletTls | undefined;
  readonly metrics: Metrics;
  /** Profiles and the level of the log; undefined: nobody can have them. */
  readonly debug?: DebugPages | undefined;
  /** Default: what the kernel says. */
  readonly measure?: (options: MeasureOptions) => Promise<Measurements>;
  /** Who tells that the machine shuts down; default: systemd's logind. */
  readonly shutdownSource?: ShutdownSource;
  /** What looks at the process as a whole, where it is the kubelet's own. */
  readonly beside?: readonly Service[];
  readonly clock: Clock;
  readonly log: Log;
}

const majorVersion = version.replace(/^v(\d+\.\d+).*$/, '$1');

/** Runs a whole kubelet until `signal` aborts. Containers stay as they are when it ends. */
export async function runKubelet(config: KubeletConfig, deps: KubeletDeps, signal: AbortSignal): Promise<void> {
  const { log } = deps;
  const runtime = countedRuntime(deps.runtime, deps.metrics, deps.clock);
  const problems = config.checksKernel ? await kernelProblems() : [];
  if (problems.length > 0) throw new UsageError(problems.join('; '), { exitCode: 1 });
  const info = await runtime.info(signal);
  refuseOtherDriver(config, info);
  for (const { what, why } of info.refuses) log.warn({ what, why }, 'the container engine refuses this here, so pods go without');
  await runServices(signal, await buildServices(config, { ...deps, runtime }, info), () =>
    log.info({ node: config.nodeName }, 'serving the node'),
  );
}

async function buildServices(config: KubeletConfig, deps: KubeletDeps, info: RuntimeInfo): Promise<Service[]> {
  const { client, runtime, clock, log } = deps;
  const { nodeName, isStandalone } = config;
  const api = { client, clock, log };
  await mkdir(config.rootDir, { recursive: true, mode: 0o750 });
  const facts = await readMachineFacts(info);
  const sender = new EventSender(api);
  const events = isStandalone ? loggedEvents(log) : sender.recorder('kubelet', nodeName);
  const nodes = new Informer<Node>({ kind: nodeKind, fieldSelector: `metadata.name=${nodeName}` }, api);
  const measureNow = (): Promise<Measurements> => (deps.measure ?? measure)(measureOptions(config, info, facts));
  const agent = new NodeAgent(agentOptions(config), {
    client,
    runtime,
    info,
    facts,
    events,
    measure: measureNow,
    pressure: () => evictor.conditions,
    problems: () =>
      [parts.pleg.problem(), shutdown?.isShuttingDown ? 'node is shutting down' : undefined].filter((one) => one !== undefined),
    clock,
    log,
  });
  nodes.subscribe((change) => {
    agent.observe(change.type === 'removed' ? undefined : change.object);
    parts.mirrors.wake();
  });
  const pulled = new PulledImages(join(config.rootDir, 'pulled-images.json'), log);
  const access = new ImageAccess(join(config.rootDir, 'image-access.json'), log, config.imageAccess);
  await access.load(async (id) => (await runtime.images.find(id, new AbortController().signal)) !== undefined);
  const record = podRecorder(events);
  const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  const warn = (reason: string, message: string): void => events.about(about, 'Warning', reason, message);
  const dnsProblem = await hostDnsProblem(config.resolvConf, config.clusterDomain);
  if (dnsProblem !== undefined) warn('CheckLimitsForResolvConf', dnsProblem);
  const pressure = (): readonly PressureCondition[] => evictor.conditions;
  const isShuttingDown = (): boolean => shutdown?.isShuttingDown ?? false;
  const parts: PodParts = buildPods(config, deps, {
    info,
    facts,
    pulled,
    access,
    record,
    pressure,
    isShuttingDown,
    node: () => agent.assumedNode,
  });
  const collector = buildCollector(config, deps, parts, { pulled, warn, measure: measureNow });
  const evictor = buildEvictor(config, deps, parts, { measure: measureNow, record, warn, agent, collector });
  const shutdown = buildShutdown(config, deps, parts, (...words) => events.about(about, 'Normal', ...words), agent);
  const health = config.health.port === 0 ? [] : [new HealthServer({ ...config.health })];
  const lease = new NodeLease({ ...api, nodeName, durationSeconds: config.heartbeat.leaseSeconds, node: () => agent.node });
  const rotation = certificateParts(config, deps);
  // Static pods start whether or not there is an API server: one of them may be it. Pods of the API come when the node is known.
  const online = inBackground('connection to the API server', [nodes, agent, lease, ...parts.online]);
  const server = buildServer(config, deps, parts, { facts, measure: measureNow, imageBytes: () => agent.imageBytes });
  return [
    ...health,
    ...(deps.beside ?? []),
    ...(isStandalone ? [] : [sender, ...rotation]),
    ...server,
    ...(isStandalone ? [] : [online]),
    collector,
    nodeFacts(agent, isStandalone),
    ...parts.services,
    evictor,
    ...(shutdown === undefined ? [] : [shutdown]),
  ];
}

function certificateParts({ identity, nodeName }: KubeletConfig, deps: KubeletDeps): Service[] {
  const { clock, metrics } = deps;
  const file = new CertificateFile(identity.certFolder);
  const endMs = (): number => file.validity()?.notAfterMs ?? Number.POSITIVE_INFINITY;
  const onFailure = certificateMetrics(metrics, () => (endMs() - clock.nowMs()) / 1_000);
  return identity.rotates ? [new CertificateRotation({ ...deps, file, nodeName, onFailure })] : [];
}

function nodeFacts(agent: NodeAgent, isStandalone: boolean): Service {
  return {
    name: 'node facts',
    run: async (signal, ready) => {
      await agent.assume(signal);
      if (isStandalone) await agent.giveOwnRange(signal);
      ready();
      await aborted(signal);
    },
  };
}

/** What serves pods. */
export interface PodParts {
  readonly pods: NodePods;
  readonly workers: PodWorkers;
  readonly statuses: StatusWriter;
  readonly mirrors: Mirrors;
  readonly pleg: Pleg;
  readonly uses: PodUses;
  readonly prober: Prober;
  readonly metrics: KubeletMetrics;
  /** All of them, in the order to start. */
  readonly services: readonly Service[];
  /** Those that wait for the API server. */
  readonly online: readonly Service[];
}

interface NodeParts {
  readonly info: RuntimeInfo;
  readonly facts: MachineFacts;
  readonly pulled: PulledImages;
  readonly access: ImageAccess;
  readonly record: PodRecorder;
  readonly pressure: () => readonly PressureCondition[];
  readonly isShuttingDown: () => boolean;
  readonly node: () => Node | undefined;
}

/** Everything that serves pods. */
function buildPods(
  config: KubeletConfig,
  deps: KubeletDeps,
  { info, facts, pulled, access, record, pressure, isShuttingDown, node }: NodeParts,
): PodParts {
  const { client, runtime, clock, log } = deps;
  const api = { client, clock, log };
  const statics = staticSources(config.staticPods, config.nodeName, clock, log);
  const bound = new Informer<Pod>({ kind: podKind, fieldSelector: `spec.nodeName=${config.nodeName}`, transform: withoutSource }, api);
  const pods = new NodePods(config.isStandalone ? noApiPods : bound, statics.pods);
  const services = new Informer<ServiceObject>({ kind: serviceKind }, api);
  const paths = podPaths(config.rootDir);
  const objects = new ReferencedObjects(api);
  const allocatable = (): Readonly<Record<string, string>> => node()?.status?.allocatable ?? {};
  const hostIps = (): readonly string[] => config.nodeIps;
  const volumes = new PodVolumes({
    paths,
    mounter: deps.mounter,
    objects,
    tokens: new Tokens(api),
    allocatable,
    clock,
    count: storageOperation(deps.metrics, clock),
  });
  const statuses = new StatusWriter({ ...api, onWritten: statusMetrics(deps.metrics) });
  const images = new ImagePuller({
    images: runtime.images,
    clock,
    pulled,
    access,
    onPulled: pullMetrics(deps.metrics),
    maxParallel: config.parallelPulls,
  });
  const prober = new Prober({ runtime, clock, userAgent: `kube-probe/${majorVersion}`, log, record, hostIp: () => hostIps()[0] ?? '' });
  const cgroups = podCgroups(config, info, facts, deps);
  const common = { runtime, volumes, record, clock, log };
  const counts = podMetrics(deps.metrics, () => clock.monotonicMs());
  const steps = new StepRunner({
    ...common,
    metrics: counts,
    images,
    accounts: new ImageAccounts(runtime.images),
    objects,
    paths,
    cgroups,
    runtimeClasses: new RuntimeClasses({ client, handlers: info.handlers }),
    cgroupRoot: config.cgroupRoot,
    clusterDns: { servers: config.clusterDns, domain: config.clusterDomain },
    hostDns: () => readHostDns(config.resolvConf),
    node: containerFacts(config, facts, { hostIps, allocatable, services: () => services.list() }),
    userAgent: `kube-lifecycle/${majorVersion}`,
  });
  const admission = { allowedSysctls: config.allowedSysctls, hasAppArmor: facts.hasAppArmor };
  const allocations = new Allocations(paths, log);
  const own = {
    metrics: counts,
    allocations,
    pods,
    objects,
    images,
    node,
    admission,
    keeps: config.keptEnds,
    pressure,
    isShuttingDown,
    runtimeName: info.name,
    steps,
    prober,
    statuses,
    hostIps,
  };
  const workers = new PodWorkers({ ...common, ...own, onServed: () => mirrors.wake() });
  const mirrors = mirrorsOf({ ...api, pods, workers, statuses, node });
  const counters = kubeletMetrics(deps.metrics, config.nodeName);
  podCounts(deps.metrics, {
    desired: () => pods.list(),
    active: () => workers.list().flatMap((worker) => (worker.isActive && worker.isWanted ? [worker.pod] : [])),
    mirrors: () => pods.statics().length,
    working: () => workers.list(),
  });
  const volumesOf = (some: readonly Pod[]): readonly string[] => some.flatMap(({ spec }) => (spec.volumes ?? []).map(pluginOf));
  volumeCounts(deps.metrics, {
    desired: () => volumesOf(workers.list().flatMap((one) => (one.isActive && one.isWanted ? [one.pod] : []))),
    actual: () => volumes.plugins(),
  });
  const uses = new PodUses({ runtime, paths, sizes: folderSizes, clock });
  const pleg = new Pleg({ runtime, clock, log, ...plegListeners(workers), metrics: counters });
  return {
    pods,
    workers,
    statuses,
    mirrors,
    pleg,
    uses,
    prober,
    metrics: counters,
    services: [objects, statuses, prober, ...statics.services, workers, pleg, ...(config.isStandalone ? [] : [mirrors])],
    online: [services, bound],
  };
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

function podCgroups(config: KubeletConfig, info: RuntimeInfo, facts: MachineFacts, { metrics, clock, log }: KubeletDeps): Cgroups {
  return new Cgroups({
    enabled: config.cgroupsPerQos,
    root: config.cgroupRoot,
    version: info.cgroupVersion,
    refusal: undefined,
    driver: info.cgroupDriver,
    nodeCpuMillis: facts.cpuMillis,
    count: cgroupOperation(metrics, clock),
    podsMemoryBytes: config.enforcesAllocatable ? Math.max(0, facts.memoryBytes - config.reserved.memoryBytes) : undefined,
    maxPidsPerPod: config.maxPidsPerPod,
    log,
  });
}

function agentOptions(config: KubeletConfig): ConstructorParameters<typeof NodeAgent>[0] {
  const { nodeName, nodeIps, cloud, maxPods, podsPerCore, maxImages, heartbeat, server, reserved, labels, taints, podCidr, register } =
    config;
  return {
    name: nodeName,
    ips: nodeIps,
    cloud,
    maxPods,
    podsPerCore,
    maxImages,
    heartbeat,
    port: server.port,
    reserved: {
      cpuMillis: reserved.cpuMillis,
      memoryBytes: reserved.memoryBytes,
      kept: (signal, capacityBytes) => hardReserve(config.eviction.thresholds, signal, capacityBytes),
    },
    labels,
    taints,
    podCidr,
    register,
  };
}

/** Two masters of the same cgroups undo each other's work. */
function refuseOtherDriver({ cgroupDriver }: KubeletConfig, info: RuntimeInfo): void {
  if (cgroupDriver === undefined || cgroupDriver === info.cgroupDriver) return;
  throw new UsageError(
    `misconfiguration: kubelet cgroup driver: ${JSON.stringify(cgroupDriver)} is different from ${info.name} cgroup driver: ${JSON.stringify(info.cgroupDriver)}`,
    { exitCode: 1 },
  );
}
