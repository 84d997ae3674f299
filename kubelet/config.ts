import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { V1Taint } from '#api/generated/types.ts';
import { cpuMillis, isQuantity, quantityBytes } from '#api/meta/quantity.ts';
import { boolFlag, durationFlag, intFlag, listFlag, mapFlag, type Parsed, parseFlags, stringFlag } from '#base/flags.ts';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { flagTexts } from '#base/zpages.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import type { AccessTtls } from '#client/delegated-access.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { flagsOfFile } from './config-file.ts';
import { evictionFlags, type EvictionSettings, evictionSettings } from './eviction/settings.ts';
import type { ImageGcPolicy } from './images/gc-plan.ts';
import type { CloudSettings } from './node/cloud.ts';
import type { KeptEnds } from './pods/advance.ts';
import type { CgroupDriver } from './pods/resources/pod-cgroup.ts';
import type { LogLimits } from './runtime/contract.ts';
import type { ShutdownPeriod } from './shutdown/plan.ts';
import { shutdownFields, shutdownPeriods } from './shutdown/settings.ts';
import type { BootstrapOptions } from './identity/bootstrap.ts';
import type { StaticSettings } from './static/sources.ts';
import { isHostComponent } from '#api/core/pod/host-component.ts';

const path = { valueName: 'path' };

/** What only a KubeletConfiguration can say. */
const fileFlags = {
  'image-maximum-gc-age': durationFlag(0, 'Images that nothing has needed for longer go; 0s: never'),
  ...shutdownFields,
  'enable-debug-flags-handler': boolFlag(true, 'Whether the level of the log can be set at /debug/flags/v'),
  'enable-profiling-handler': boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'enable-system-log-handler': boolFlag(true, 'Whether the logs of the host can be read at /logs/'),
};

/** Upstream's names. Those of no effect here are accepted where leaving them out changes nothing that anybody can see. */
export const kubeletFlags = {
  kubeconfig: stringFlag('', 'Kubeconfig with the address and credentials of the API server; where absent, only static pods run', path),
  'enable-server': boolFlag(true, 'Serve logs, exec and the like on --port'),
  'bootstrap-kubeconfig': stringFlag('', 'Kubeconfig to ask for a certificate with where --kubeconfig is missing', path),
  config: stringFlag('', 'A KubeletConfiguration; flags come before what it says', path),
  'cert-dir': stringFlag('', 'Folder of the certificates of this node; default pki below --root-dir', path),
  'rotate-certificates': boolFlag(false, 'Replace the client certificate before it ends'),
  'hostname-override': stringFlag('', "Name of this node where it is not the host's"),
  'node-ip': listFlag([], "Addresses of this node; where absent, that of the default route's interface"),
  'cloud-provider': stringFlag(
    '',
    'external leaves addresses and labels to a cloud controller manager, which lets pods in when it knows the node',
  ),
  'provider-id': stringFlag('', "Identity of this node's machine at its provider"),
  'root-dir': stringFlag('/var/lib/kubelet', 'Folder for volumes and other files of pods', path),
  'cluster-dns': listFlag([], 'Name servers of pods'),
  'cluster-domain': stringFlag('cluster.local', 'Domain of Services, searched by every pod'),
  'resolv-conf': stringFlag('/etc/resolv.conf', 'What pods with the Default DNS policy resolve by', path),
  'pod-cidr': stringFlag('', "Range of this node's pod addresses where no controller gives one"),
  'register-node': boolFlag(true, 'Make the Node object if there is none'),
  'node-labels': mapFlag('Labels to put on the node'),
  'register-with-taints': listFlag([], 'Taints of a new node, as key=value:effect'),
  'max-pods': intFlag(110, 'Pods this node takes', { min: 1 }),
  'image-gc-high-threshold': intFlag(85, 'Used percentage of the disk from which on images are removed; 100: never', { min: 0, max: 100 }),
  'image-gc-low-threshold': intFlag(80, 'Used percentage of the disk that images are then removed down to', { min: 0, max: 100 }),
  'serialize-image-pulls': boolFlag(true, 'Pull one image at a time'),
  'max-parallel-image-pulls': intFlag(0, 'Pulls at a time where they are not serialized; 0: any number', { min: 0 }),
  'minimum-image-ttl-duration': durationFlag(120_000, 'Images younger than this stay'),
  'minimum-container-ttl-duration': durationFlag(0, 'Containers that ended less long ago stay'),
  'maximum-dead-containers-per-container': intFlag(1, 'How many ended containers of one name of a pod stay', { min: 0 }),
  ...evictionFlags,
  'cgroups-per-qos': boolFlag(true, 'Give pods cgroups of their own'),
  'cgroup-root': stringFlag('/', "Cgroup under which the pods' lie"),
  'cgroup-driver': stringFlag('', "cgroupfs or systemd, which must be the engine's; default: the engine's"),
  'container-runtime-endpoint': stringFlag('unix:///var/run/docker.sock', "The Docker engine's socket"),
  'pod-infra-container-image': stringFlag('', 'Image of sandboxes; where absent, one of our own'),
  'tls-cert-file': stringFlag('', 'Serving certificate', path),
  'tls-private-key-file': stringFlag('', 'Key of the serving certificate', path),
  'authentication-token-webhook-cache-ttl': durationFlag(120_000, 'How long it is known whom a bearer token stands for'),
  'authorization-webhook-cache-authorized-ttl': durationFlag(300_000, 'How long it is known what somebody may do'),
  'authorization-webhook-cache-unauthorized-ttl': durationFlag(30_000, 'How long it is known what somebody may not do'),
  'client-ca-file': stringFlag('', "Authorities that sign clients' certificates", path),
  address: stringFlag('0.0.0.0', 'Address to serve on'),
  port: intFlag(10_250, 'Port for the API server: logs, exec, port-forward', { min: 0, max: 65_535 }),
  'healthz-bind-address': stringFlag('127.0.0.1', 'Address of the health check'),
  'healthz-port': intFlag(10_248, 'Port of the health check; 0 turns it off', { min: 0, max: 65_535 }),
  'pod-manifest-path': stringFlag('', 'Folder of manifests, or one manifest, of pods that this node runs by itself', path),
  'manifest-url': stringFlag('', 'Page with a Pod or PodList that this node runs by itself', { valueName: 'url' }),
  'manifest-url-header': listFlag([], 'Header to fetch --manifest-url with, as name:value; may be given several times'),
  'file-check-frequency': durationFlag(20_000, 'How often the manifests are looked at, besides when they change'),
  'http-check-frequency': durationFlag(20_000, 'How often the page of --manifest-url is looked at'),
  'host-components': boolFlag(false, 'Manifests of components that this host runs as processes are left to it'),
  'system-reserved': mapFlag('CPU and memory that are not for pods'),
  'kube-reserved': mapFlag('CPU and memory that are not for pods'),
  'allowed-unsafe-sysctls': listFlag([], 'Sysctls that pods may set besides the safe ones; a pattern may end in *'),
  'seccomp-default': boolFlag(false, "Containers that name no seccomp profile get the engine's own"),
  'container-log-max-size': stringFlag('10Mi', 'Size at which a new file begins in the log of a container'),
  'container-log-max-files': intFlag(5, 'Files of the log of a container that are kept', { min: 2 }),
  'cluster-cidr': listFlag([], 'Networks of pods: what stays inside is not masqueraded'),
  'streaming-connection-idle-timeout': durationFlag(4 * 3_600_000, 'How long an idle exec or port-forward stays'),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
};

const allFlags = { ...fileFlags, ...kubeletFlags };

export interface KubeletConfig {
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
  /** What else the port shows to those who may look into the node. */
  readonly debugging: { readonly hasProfiles: boolean; readonly takesLevel: boolean; readonly hasLogs: boolean };
  readonly identity: BootstrapOptions;
  /** It belongs to no cluster: there is no API server. */
  readonly isStandalone: boolean;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly cloud: CloudSettings;
  readonly rootDir: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly resolvConf: string;
  readonly podCidr: string;
  readonly clusterCidrs: readonly string[];
  readonly register: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly V1Taint[];
  readonly maxPods: number;
  readonly imageGc: ImageGcPolicy;
  readonly eviction: EvictionSettings;
  /** Infinity: any number. */
  readonly parallelPulls: number;
  readonly seccompDefault: boolean;
  readonly logLimits: LogLimits;
  readonly keptEnds: KeptEnds;
  /** How long pods get when the machine shuts down; none: no time. */
  readonly shutdownPeriods: readonly ShutdownPeriod[];
  readonly cgroupsPerQos: boolean;
  readonly cgroupRoot: string;
  /** Undefined takes the engine's. */
  readonly cgroupDriver: CgroupDriver | undefined;
  readonly dockerSocket: string;
  readonly reserved: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly allowedSysctls: readonly string[];
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly certFile: string;
    readonly keyFile: string;
    readonly clientCaFile: string;
    /** How long the API server's answers about who comes, and what they may do, are kept. */
    readonly accessTtls: AccessTtls;
  };
  readonly staticPods: StaticSettings;
  readonly health: { readonly host: string; readonly port: number };
  readonly streamIdleMs: number;
}

/** What the flags say. Throws UsageError naming the flag. */
export function parseConfig(argv: readonly string[], hostname: string): KubeletConfig {
  const { values, positional } = readFlags(argv);
  refuseImpossible(values, positional);
  const nodeName = (values['hostname-override'] === '' ? hostname : values['hostname-override']).trim().toLowerCase();
  return {
    flags: flagTexts(allFlags, values),
    debugging: debuggingOf(values),
    identity: {
      kubeconfig: values.kubeconfig,
      bootstrapKubeconfig: values['bootstrap-kubeconfig'],
      certFolder: values['cert-dir'] === '' ? join(values['root-dir'], 'pki') : values['cert-dir'],
      nodeName,
      rotates: values['rotate-certificates'],
    },
    isStandalone: isStandalone(values),
    nodeName,
    cloud: {
      isExternal: values['cloud-provider'] === 'external',
      hasGivenIps: values['node-ip'].length > 0,
      providerId: values['provider-id'],
    },
    nodeIps: values['node-ip'].length > 0 ? values['node-ip'] : ownAddresses(),
    rootDir: values['root-dir'],
    clusterDns: values['cluster-dns'],
    clusterDomain: values['cluster-domain'],
    resolvConf: values['resolv-conf'],
    podCidr: values['pod-cidr'],
    clusterCidrs: values['cluster-cidr'],
    register: values['register-node'],
    labels: values['node-labels'],
    taints: values['register-with-taints'].map(parseTaint),
    maxPods: values['max-pods'],
    imageGc: imageGcOf(values),
    keptEnds: { perContainer: values['maximum-dead-containers-per-container'], minAgeMs: values['minimum-container-ttl-duration'] },
    shutdownPeriods: shutdownPeriods(values),
    eviction: evictionSettings(values, values['cgroups-per-qos']),
    parallelPulls: parallelPullsOf(values),
    seccompDefault: values['seccomp-default'],
    logLimits: logLimitsOf(values),
    cgroupsPerQos: values['cgroups-per-qos'],
    cgroupRoot: values['cgroup-root'],
    cgroupDriver: values['cgroup-driver'] === '' ? undefined : (values['cgroup-driver'] as CgroupDriver),
    dockerSocket: socketPath(values['container-runtime-endpoint']),
    reserved: reservedOf(values),
    allowedSysctls: values['allowed-unsafe-sysctls'],
    server: {
      host: values.address,
      port: values.port,
      certFile: values['tls-cert-file'],
      keyFile: values['tls-private-key-file'],
      clientCaFile: values['enable-server'] ? values['client-ca-file'] : '',
      accessTtls: {
        tokenMs: values['authentication-token-webhook-cache-ttl'],
        allowedMs: values['authorization-webhook-cache-authorized-ttl'],
        deniedMs: values['authorization-webhook-cache-unauthorized-ttl'],
      },
    },
    staticPods: staticSettings(values),
    health: { host: values['healthz-bind-address'], port: values['healthz-port'] },
    streamIdleMs: values['streaming-connection-idle-timeout'],
  };
}

function isStandalone(values: Values): boolean {
  return values.kubeconfig === '' && values['bootstrap-kubeconfig'] === '';
}

function refuseImpossible(values: Values, positional: readonly string[]): void {
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  if (!['', 'cgroupfs', 'systemd'].includes(values['cgroup-driver']))
    throw new UsageError(`invalid value ${JSON.stringify(values['cgroup-driver'])} for --cgroup-driver: must be cgroupfs or systemd`);
  if (values['pod-infra-container-image'] !== '')
    throw new UsageError('--pod-infra-container-image is not supported: sandboxes have an image of their own');
  if (values['cloud-provider'] !== '' && values['cloud-provider'] !== 'external')
    throw new UsageError(
      `cloud provider ${JSON.stringify(values['cloud-provider'])} was specified, but built-in cloud providers are disabled. Please set --cloud-provider=external and migrate to an external cloud provider`,
    );
  if (isStandalone(values) && values['enable-server'] && values['client-ca-file'] !== '')
    throw new UsageError('no client provided, cannot use webhook authentication: without --kubeconfig, --enable-server must be false');
}

function parallelPullsOf(values: Parsed<typeof kubeletFlags>['values']): number {
  const { 'serialize-image-pulls': serialize, 'max-parallel-image-pulls': most } = values;
  if (serialize && most > 1)
    throw new UsageError(
      `invalid configuration: maxParallelImagePulls ${most} must not be larger than 1 unless serializeImagePulls is set to false`,
      { exitCode: 1 },
    );
  return serialize ? 1 : most === 0 ? Number.POSITIVE_INFINITY : most;
}

function logLimitsOf(values: Parsed<typeof kubeletFlags>['values']): LogLimits {
  const size = values['container-log-max-size'];
  const maxBytes = isQuantity(size) ? quantityBytes(size) : 0;
  if (maxBytes <= 0)
    throw new UsageError(`invalid value ${JSON.stringify(size)} for --container-log-max-size: it must be a positive quantity`);
  return { maxBytes, maxFiles: values['container-log-max-files'] };
}

function staticSettings(values: Values): StaticSettings {
  const headers: Record<string, string[]> = {};
  for (const text of values['manifest-url-header']) {
    const [, name = '', value = ''] = /^([^:]+):(.*)$/.exec(text) ?? [];
    if (name.trim() === '') throw new UsageError(`--manifest-url-header: ${JSON.stringify(text)} is not of the form name:value`);
    (headers[name.trim()] ??= []).push(value.trim());
  }
  return {
    path: values['pod-manifest-path'],
    fileCheckMs: values['file-check-frequency'],
    url: values['manifest-url'],
    headers,
    pageCheckMs: values['http-check-frequency'],
    ...(values['host-components'] ? { isOthers: isHostComponent } : {}),
  };
}

function reservedOf(values: Values): KubeletConfig['reserved'] {
  const reserved = [values['system-reserved'], values['kube-reserved']];
  return {
    cpuMillis: reserved.reduce((sum, { cpu }) => sum + cpuMillis(cpu), 0),
    memoryBytes: reserved.reduce((sum, { memory }) => sum + quantityBytes(memory), 0),
  };
}

function imageGcOf(values: Values): ImageGcPolicy {
  const { 'image-gc-high-threshold': highPercent, 'image-gc-low-threshold': lowPercent } = values;
  if (lowPercent >= highPercent)
    throw new UsageError(
      `invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) ${lowPercent} must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) ${highPercent}`,
    );
  const { 'minimum-image-ttl-duration': minAgeMs, 'image-maximum-gc-age': maxAgeMs } = values;
  const text = (ms: number): string => (ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms));
  const refuse = (why: string): never => {
    throw new UsageError(`invalid configuration: ${why}`);
  };
  if (minAgeMs < 0) refuse(`imageMinimumGCAge ${text(minAgeMs)} must not be negative`);
  if (maxAgeMs < 0) refuse(`imageMaximumGCAge ${text(maxAgeMs)} must not be negative`);
  if (maxAgeMs > 0 && maxAgeMs <= minAgeMs)
    refuse(`imageMaximumGCAge ${text(maxAgeMs)} must be greater than imageMinimumGCAge ${text(minAgeMs)}`);
  return { highPercent, lowPercent, minAgeMs, maxAgeMs };
}

type Values = Parsed<typeof allFlags>['values'];

function debuggingOf(values: Values): KubeletConfig['debugging'] {
  return {
    hasProfiles: values['enable-profiling-handler'],
    takesLevel: values['enable-debug-flags-handler'],
    hasLogs: values['enable-system-log-handler'],
  };
}

/** What is given, over what the configuration file says, over the defaults. */
function readFlags(argv: readonly string[]): Parsed<typeof allFlags> {
  const about = 'Runs the pods of a node.';
  const first = parseFlags('kubelet', kubeletFlags, argv, about);
  if (first.values.config === '') return parseFlags('kubelet', allFlags, argv, about);
  const fromFile = Object.entries(flagsOfFile(first.values.config)).filter(([name]) => !first.given.has(name as keyof typeof kubeletFlags));
  return parseFlags('kubelet', allFlags, [...fromFile.map(([name, value]) => `--${name}=${value}`), ...argv], about);
}

/** Where the API server is and as whom to come. */
export function apiEndpoint({ identity }: Pick<KubeletConfig, 'identity'>, env: Readonly<Record<string, string | undefined>>): ApiEndpoint {
  return findEndpoint({ path: identity.kubeconfig, env });
}

function parseTaint(text: string): V1Taint {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text);
  if (match === null) throw new UsageError(`--register-with-taints: ${JSON.stringify(text)} is not of the form key=value:effect`);
  const [, key = '', value, effect = ''] = match;
  return { key, effect, ...(value === undefined || value === '' ? {} : { value }) };
}

function socketPath(endpoint: string): string {
  const match = /^unix:\/\/(\/.+)$/.exec(endpoint);
  if (match === null)
    throw new UsageError(`--container-runtime-endpoint=${endpoint} is not supported: it must be unix:///path/of/docker.sock`);
  return match[1] ?? '';
}

/** The first address of this host that others can reach, IPv4 where there is one. */
function ownAddresses(): readonly string[] {
  const own = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(docker|br-|cni|veth|cxn)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0);
  const best = own.find(({ family }) => family === 'IPv4') ?? own[0];
  return [best?.address ?? '127.0.0.1'];
}
