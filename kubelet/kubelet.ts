// The composition root of the kubelet. The runtime, the mounter and the clock are injected, so that a test can run a complete kubelet
// without containers.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { node as nodeKind, type Node } from '#api/core/node/node.ts';
import { inBackground } from '#base/background.ts';
import type { Clock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { aborted, runServices, type Service, UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { DebugPages } from '#base/profiling/debug-pages.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Client } from '#client/client.ts';
import { EventSender } from '#client/events.ts';
import { Informer } from '#client/informer.ts';
import type { KubeletConfig } from './config.ts';
import { CertificateFile } from './identity/certificate-file.ts';
import { CertificateRotation } from './identity/rotation.ts';
import { ImageAccess } from './images/image-access.ts';
import { PulledImages } from './images/pulled-images.ts';
import { hardReserve } from './eviction/thresholds.ts';
import type { PressureCondition } from './eviction/signals.ts';
import { certificateMetrics } from './metrics/operation-metrics.ts';
import { countedRuntime } from './metrics/runtime-operations.ts';
import { readMachineFacts } from './node/facts.ts';
import { kernelProblems } from './node/kernel-settings.ts';
import { measure, type MeasureOptions, type Measurements } from './node/measure.ts';
import { NodeAgent } from './node/node-agent.ts';
import { NodeLease } from './node/node-lease.ts';
import { podRecorder } from './pod-events.ts';
import { hostDnsProblem } from './pods/network/host-dns.ts';
import type { Runtime, RuntimeInfo } from './runtime/contract.ts';
import { loggedEvents } from './standalone.ts';
import { type ShutdownSource } from './shutdown/logind.ts';
import { type KubeletTls } from './server/tls.ts';
import type { Mounter } from './volumes/mounter.ts';
import { buildPods, type PodDeps, type PodParts } from './pod-parts.ts';
import { buildCollector, buildEvictor, buildServer, buildShutdown, measureOptions } from './node-parts.ts';

export interface KubeletDeps {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly mounter: Mounter;
  /** Undefined: nothing is served on --port. */
  readonly tls: KubeletTls | undefined;
  readonly metrics: Metrics;
  /** Profiling and log-level endpoints; undefined: not served. */
  readonly debug?: DebugPages | undefined;
  /** Measures memory, disks and processes; default: from the kernel. */
  readonly measure?: (options: MeasureOptions) => Promise<Measurements>;
  /** Source of shutdown notifications; default: systemd-logind. */
  readonly shutdownSource?: ShutdownSource;
  /** Services of the process itself, where the kubelet has its own. */
  readonly beside?: readonly Service[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Runs a kubelet until `signal` aborts; its containers keep running.
 * @throws UsageError where the kernel or the container engine does not meet the configuration.
 */
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
  const tell: PodDeps['tell'] = (...words) => events.about(about, ...words);
  const warn = (reason: string, message: string): void => tell('Warning', reason, message);
  const dnsProblem = await hostDnsProblem(config.resolvConf, config.clusterDomain);
  if (dnsProblem !== undefined) warn('CheckLimitsForResolvConf', dnsProblem);
  const pressure = (): readonly PressureCondition[] => evictor.conditions;
  const parts: PodParts = buildPods(config, {
    ...deps,
    info,
    facts,
    pulled,
    access,
    record,
    tell,
    pressure,
    isShuttingDown: (): boolean => shutdown?.isShuttingDown ?? false,
    node: () => agent.assumedNode,
  });
  const collector = buildCollector(config, deps, parts, { pulled, warn, measure: measureNow });
  const evictor = buildEvictor(config, deps, parts, { measure: measureNow, record, warn, agent, collector });
  const shutdown = buildShutdown(config, deps, parts, (reason, message) => tell('Normal', reason, message), agent);
  const health = config.health.port === 0 ? [] : [new HealthServer({ ...config.health })];
  const lease = new NodeLease({ ...api, nodeName, durationSeconds: config.heartbeat.leaseSeconds, node: () => agent.node });
  const rotation = certificateParts(config, deps);
  // Static pods start without an API server, since one of them may be it. Pods of the API start once the node is registered.
  const online = inBackground('connection to the API server', [nodes, agent, lease, ...parts.online]);
  const server = buildServer(config, deps, parts, { facts, measure: measureNow, imageBytes: () => agent.imageBytes });
  return [
    ...health,
    ...(deps.beside ?? []),
    ...(isStandalone ? [] : [sender, ...rotation]),
    ...server,
    ...(isStandalone ? [] : [online]),
    collector,
    nodeService(agent, config),
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

function nodeService(agent: NodeAgent, { isStandalone }: KubeletConfig): Service {
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
      diskBytes: reserved.diskBytes,
      kept: (signal, capacityBytes) => hardReserve(config.eviction.thresholds, signal, capacityBytes),
    },
    labels,
    taints,
    podCidr,
    register,
  };
}

/** A second manager of the same cgroups would undo the kubelet's changes. */
function refuseOtherDriver({ cgroupDriver }: KubeletConfig, info: RuntimeInfo): void {
  if (cgroupDriver === undefined || cgroupDriver === info.cgroupDriver) return;
  throw new UsageError(
    `misconfiguration: kubelet cgroup driver: ${JSON.stringify(cgroupDriver)} is different from ${info.name} cgroup driver: ${JSON.stringify(info.cgroupDriver)}`,
    { exitCode: 1 },
  );
}
