// For tests: a whole kubelet in this process over a simulated runtime, against an API server in this process. Not for production code.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { type Clock, systemClock } from '#base/clock.ts';
import { type Log, silentLog } from '#base/log.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { connect, type RestClient } from '#client/rest.ts';
import type { KubeletConfig } from './config.ts';
import { type KubeletDeps, runKubelet } from './kubelet.ts';
import type { KubeletTls } from './server/tls.ts';
import type { Runtime } from './runtime/contract.ts';
import { defaultHard, parseThresholds } from './eviction/thresholds.ts';
import type { Measurements } from './node/measure.ts';
import { readReserved } from './node/reserved.ts';
import type { Mounter } from './volumes/mounter.ts';

export const testNode = 'node-1';

const defaults = { hard: defaultHard, soft: {}, softGracePeriods: {}, minimumReclaim: {}, enforcesAllocatable: true };
const disk = { totalBytes: 2 ** 40, availableBytes: 2 ** 39, totalInodes: 2 ** 20, freeInodes: 2 ** 19 };
const gibibytes = 2 ** 30;

/** A node that has enough of everything. */
export const plenty: Measurements = {
  memory: { availableBytes: 8 * gibibytes, workingSetBytes: 8 * gibibytes, usageBytes: 9 * gibibytes },
  podsMemory: undefined,
  disk,
  imageDisk: disk,
  hasImageDisk: false,
  processes: { running: 100, most: 32_768 },
};

/** Folders in place of mounts: everything but the kernel's part. */
export function folderMounter(): Mounter & { readonly mounted: ReadonlySet<string> } {
  const mounted = new Set<string>();
  return {
    mounted,
    mountTmpfs: async (path) => {
      await mkdir(path, { recursive: true });
      mounted.add(path);
    },
    bindDescriptor: async (_, target) => {
      await mkdir(target, { recursive: true });
      mounted.add(target);
    },
    bindReadOnly: async (_, target) => void mounted.add(target),
    mountFilesystem: async (_, target) => void mounted.add(target),
    unmount: async (path) => {
      mounted.delete(path);
      await rm(path, { recursive: true, force: true });
    },
    mountsBelow: (path) => Promise.resolve([...mounted].filter((one) => one === path || one.startsWith(`${path}/`)).toReversed()),
  };
}

export interface TestCluster extends AsyncDisposable {
  readonly api: TestApiServer;
  /** An administrator. */
  readonly client: RestClient;
}

/** An API server without admission of service accounts, so that pods need nothing but themselves. */
export async function startTestCluster(): Promise<TestCluster> {
  const api = await startTestApiServer({ admissionPlugins: ['NamespaceLifecycle', 'NodeRestriction'] });
  const client = connect(api.adminClientConfig, { clock: systemClock, component: 'test' });
  return {
    api,
    client,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await api.stop();
    },
  };
}

export interface TestKubelet extends AsyncDisposable {
  readonly metrics: Metrics;
  readonly rootDir: string;
  readonly mounter: ReturnType<typeof folderMounter>;
  /** Ends it at once, as kill -9 does: nothing is tidied up. */
  kill(): Promise<void>;
}

interface TestKubeletOptions {
  readonly runtime: Runtime;
  readonly clock?: Clock;
  /** Source of shutdown notifications; default: none. */
  readonly shutdownSource?: KubeletDeps['shutdownSource'];
  /** What the node has left; default: of everything plenty. */
  readonly measure?: KubeletDeps['measure'];
  readonly log?: Log;
  /** Of a kubelet that was killed. */
  readonly rootDir?: string;
  readonly mounter?: ReturnType<typeof folderMounter>;
  readonly config?: Partial<KubeletConfig>;
  /** Default: it serves nothing. */
  readonly tls?: KubeletTls;
}

/** Starts a kubelet, for the node `node-1` where the configuration names no other; resolves at once. */
export async function startTestKubelet(cluster: Pick<TestCluster, 'api'>, options: TestKubeletOptions): Promise<TestKubelet> {
  const rootDir = options.rootDir ?? (await mkdtemp(join(tmpdir(), 'kubelet-')));
  const mounter = options.mounter ?? folderMounter();
  const clock = options.clock ?? systemClock;
  const client = connect(await nodeEndpoint(cluster, options.config?.nodeName), { clock, component: 'kubelet' });
  const life = new AbortController();
  const metrics = createMetrics();
  const deps = {
    client,
    runtime: options.runtime,
    mounter,
    tls: options.tls,
    metrics,
    ...(options.shutdownSource === undefined ? {} : { shutdownSource: options.shutdownSource }),
    measure: options.measure ?? (() => Promise.resolve(plenty)),
    clock,
    log: options.log ?? silentLog,
  };
  const ended = runKubelet(testConfig(rootDir, options.config), deps, life.signal);
  const kill = async (): Promise<void> => {
    life.abort(new Error('killed'));
    await ended;
    await client[Symbol.asyncDispose]();
  };
  return {
    metrics,
    rootDir,
    mounter,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(rootDir, { recursive: true, force: true });
    },
  };
}

/** As the kubelet of this node comes to the API server. */
function nodeEndpoint({ api }: Pick<TestCluster, 'api'>, name = testNode): Promise<ApiEndpoint> {
  return api.clientConfigFor(`system:node:${name}`, ['system:nodes']);
}

function testConfig(rootDir: string, own: Partial<KubeletConfig> = {}): KubeletConfig {
  return {
    flags: {},
    verbosity: 0,
    debugging: { hasProfiles: true, takesLevel: true, hasLogs: false, hasStreams: true },
    identity: { kubeconfig: '', bootstrapKubeconfig: '', certFolder: `${rootDir}/pki`, nodeName: testNode, rotates: false },
    isStandalone: false,
    nodeName: testNode,
    nodeIps: ['192.168.7.1'],
    cloud: { isExternal: false, hasGivenIps: false, providerId: '' },
    rootDir,
    clusterDns: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolvConf: '/dev/null',
    podCidr: '10.244.0.0/24',
    clusterCidrs: [],
    podsPerCore: 0,
    maxPidsPerPod: undefined,
    maxImages: 50,
    heartbeat: { updateMs: 10_000, reportMs: 300_000, leaseSeconds: 40 },
    enforcesAllocatable: false,
    checksKernel: false,
    imageAccess: { policy: 'NeverVerifyPreloadedImages', allowlist: [] },
    register: true,
    labels: {},
    taints: [],
    maxPods: 110,
    parallelPulls: 1,
    seccompDefault: false,
    logLimits: { maxBytes: 10 * 2 ** 20, maxFiles: 5 },
    imageGc: { highPercent: 100, lowPercent: 80, minAgeMs: 120_000, maxAgeMs: 0 },
    eviction: { thresholds: parseThresholds(defaults), transitionMs: 300_000, maxPodGraceSeconds: 0 },
    keptEnds: { perContainer: 1, minAgeMs: 0 },
    shutdownPeriods: [],
    // These pods have no processes to count.
    cgroupsPerQos: false,
    cgroupRoot: '/',
    cgroupDriver: undefined,
    dockerSocket: '/nowhere',
    reserved: readReserved({}, {}),
    longestRestartDelayMs: 300_000,
    allowedSysctls: [],
    server: {
      host: '127.0.0.1',
      port: 0,
      certFile: '',
      keyFile: '',
      clientCaFile: '',
      accessTtls: { tokenMs: 120_000, allowedMs: 300_000, deniedMs: 30_000 },
      tls: { minTls: 'TLSv1.2', ciphers: undefined },
      readOnlyPort: 0,
    },
    staticPods: { path: '', fileCheckMs: 20_000, url: '', headers: {}, pageCheckMs: 20_000 },
    health: { host: '127.0.0.1', port: 0 },
    streamIdleMs: 60_000,
    ...own,
  };
}

/** Longer than a few retries with growing delays take, and below vitest's limit of 30 s, so that the error says what was awaited. */
const giveUpMs = 25_000;

/** Waits until `look` gives something, looking again every few milliseconds of real time. */
export async function eventually<T>(look: () => Promise<T | undefined | false> | T | undefined | false, why = 'it to happen'): Promise<T> {
  const endMs = performance.now() + giveUpMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`waited in vain for ${why}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
