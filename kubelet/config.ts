import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { V1Taint } from '#api/generated/types.ts';
import { isQuantity, quantityBytes } from '#api/meta/quantity.ts';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { readTls, type TlsSettings } from '#base/tls-flags.ts';
import { flagTexts } from '#base/zpages.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import type { AccessTtls } from '#client/delegated-access.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { type EvictionSettings, evictionSettings } from './eviction/settings.ts';
import { allFlags, readFlags, type Values } from './flags.ts';
import type { ImageGcPolicy } from './images/gc-plan.ts';
import type { AccessSettings, VerificationPolicy } from './images/image-access.ts';
import { inertProblems } from './inert-settings.ts';
import type { CloudSettings } from './node/cloud.ts';
import { readReserved, type Reserved } from './node/reserved.ts';
import type { KeptEnds } from './pods/advance.ts';
import { longestRestartDelayMs } from './pods/restart.ts';
import type { CgroupDriver } from './pods/resources/pod-cgroup.ts';
import type { LogLimits } from './runtime/contract.ts';
import type { ShutdownPeriod } from './shutdown/plan.ts';
import { shutdownPeriods } from './shutdown/settings.ts';
import type { BootstrapOptions } from './identity/bootstrap.ts';
import type { StaticSettings } from './static/sources.ts';
import { isHostComponent } from '#api/core/pod/host-component.ts';

export interface KubeletConfig {
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
  /** How much the log says, by upstream's numbers. */
  readonly verbosity: number;
  /** What else the port shows to those who may look into the node. */
  readonly debugging: {
    readonly hasProfiles: boolean;
    readonly takesLevel: boolean;
    readonly hasLogs: boolean;
    readonly hasStreams: boolean;
  };
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
  /** 0: any number. */
  readonly podsPerCore: number;
  /** Undefined: any number. */
  readonly maxPidsPerPod: number | undefined;
  /** Infinity: all. */
  readonly maxImages: number;
  readonly heartbeat: { readonly updateMs: number; readonly reportMs: number; readonly leaseSeconds: number };
  /** Pods together get no more memory than is not reserved. */
  readonly enforcesAllocatable: boolean;
  readonly checksKernel: boolean;
  readonly imageGc: ImageGcPolicy;
  readonly eviction: EvictionSettings;
  /** Infinity: any number. */
  readonly parallelPulls: number;
  /** Who may use images that are on the node. */
  readonly imageAccess: AccessSettings;
  readonly seccompDefault: boolean;
  readonly logLimits: LogLimits;
  readonly keptEnds: KeptEnds;
  /** What delays of restarts double up to. */
  readonly longestRestartDelayMs: number;
  /** How long pods get when the machine shuts down; none: no time. */
  readonly shutdownPeriods: readonly ShutdownPeriod[];
  readonly cgroupsPerQos: boolean;
  readonly cgroupRoot: string;
  /** Undefined takes the engine's. */
  readonly cgroupDriver: CgroupDriver | undefined;
  readonly dockerSocket: string;
  readonly reserved: Reserved;
  readonly allowedSysctls: readonly string[];
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly certFile: string;
    readonly keyFile: string;
    readonly clientCaFile: string;
    /** How long the API server's answers about who comes, and what they may do, are kept. */
    readonly accessTtls: AccessTtls;
    readonly tls: TlsSettings;
    /** 0: none. */
    readonly readOnlyPort: number;
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
    verbosity: values.v,
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
    podsPerCore: values['pods-per-core'],
    maxPidsPerPod: values['pod-max-pids'] < 0 ? undefined : values['pod-max-pids'],
    maxImages: values['node-status-max-images'] < 0 ? Number.POSITIVE_INFINITY : values['node-status-max-images'],
    heartbeat: heartbeatOf(values),
    enforcesAllocatable: enforcesAllocatable(values),
    checksKernel: values['protect-kernel-defaults'],
    imageGc: imageGcOf(values),
    keptEnds: { perContainer: values['maximum-dead-containers-per-container'], minAgeMs: values['minimum-container-ttl-duration'] },
    longestRestartDelayMs: longestRestartDelay(values),
    shutdownPeriods: shutdownPeriods(values),
    eviction: evictionSettings(values, enforcesAllocatable(values)),
    parallelPulls: parallelPullsOf(values),
    imageAccess: imageAccessOf(values),
    seccompDefault: values['seccomp-default'],
    logLimits: logLimitsOf(values),
    cgroupsPerQos: values['cgroups-per-qos'],
    cgroupRoot: values['cgroup-root'],
    cgroupDriver: values['cgroup-driver'] === '' ? undefined : (values['cgroup-driver'] as CgroupDriver),
    dockerSocket: socketPath(values['container-runtime-endpoint']),
    reserved: readReserved(values['system-reserved'], values['kube-reserved']),
    allowedSysctls: values['allowed-unsafe-sysctls'],
    server: serverOf(values),
    staticPods: staticSettings(values),
    health: { host: values['healthz-bind-address'], port: values['healthz-port'] },
    streamIdleMs: values['streaming-connection-idle-timeout'],
  };
}

function isStandalone(values: Values): boolean {
  return values.kubeconfig === '' && values['bootstrap-kubeconfig'] === '';
}

function refuseImpossible(values: Values, positional: readonly string[]): void {
  const [problem] = inertProblems(values);
  if (problem !== undefined) throw new UsageError(problem);
  if (!['', values['container-runtime-endpoint']].includes(values['image-service-endpoint']))
    throw new UsageError('invalid configuration: imageServiceEndpoint is not supported: the engine has its own images');
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

function serverOf(values: Values): KubeletConfig['server'] {
  return {
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
    tls: readTls(values),
    readOnlyPort: values['enable-server'] ? values['read-only-port'] : 0,
  };
}

function heartbeatOf(values: Values): KubeletConfig['heartbeat'] {
  const { 'node-status-update-frequency': updateMs, 'node-status-report-frequency': reportMs } = values;
  return { updateMs, reportMs, leaseSeconds: values['node-lease-duration-seconds'] };
}

function enforcesAllocatable(values: Values): boolean {
  const wanted = values['enforce-node-allocatable'].filter((one) => one !== 'none');
  if (wanted.some((one) => one !== 'pods')) {
    throw new UsageError(
      `invalid configuration: option ${JSON.stringify(wanted.find((one) => one !== 'pods'))} specified for enforceNodeAllocatable (--enforce-node-allocatable) is not supported: valid options are "pods" or "none"`,
    );
  }
  return values['cgroups-per-qos'] && wanted.length > 0;
}

const verificationPolicies = ['NeverVerify', 'NeverVerifyPreloadedImages', 'NeverVerifyAllowlistedImages', 'AlwaysVerify'];

function imageAccessOf(values: Values): AccessSettings {
  const { 'image-pull-credentials-verification-policy': policy, 'preloaded-images-verification-allowlist': allowlist } = values;
  if (!verificationPolicies.includes(policy)) {
    throw new UsageError(
      `invalid configuration: imagePullCredentialsVerificationPolicy ${JSON.stringify(policy)} must be one of: ${verificationPolicies.map((one) => JSON.stringify(one)).join(', ')}`,
    );
  }
  if (allowlist.length > 0 && policy !== 'NeverVerifyAllowlistedImages') {
    throw new UsageError(
      'invalid configuration: can\'t set preloadedImagesVerificationAllowlist if imagePullCredentialsVerificationPolicy is not "NeverVerifyAllowlistedImages"',
    );
  }
  return { policy: policy as VerificationPolicy, allowlist };
}

function parallelPullsOf(values: Values): number {
  const { 'serialize-image-pulls': serialize, 'max-parallel-image-pulls': most } = values;
  if (serialize && most > 1)
    throw new UsageError(
      `invalid configuration: maxParallelImagePulls ${most} must not be larger than 1 unless serializeImagePulls is set to false`,
      { exitCode: 1 },
    );
  return serialize ? 1 : most === 0 ? Number.POSITIVE_INFINITY : most;
}

function logLimitsOf(values: Values): LogLimits {
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

function longestRestartDelay({ 'max-container-restart-period': ms }: Values): number {
  if (ms >= 1_000 && ms <= longestRestartDelayMs) return ms;
  throw new UsageError(
    `invalid configuration: CrashLoopBackOff.MaxContainerRestartPeriod (got: ${ms / 1_000} seconds) must be set between 1s and 300s`,
  );
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

function debuggingOf(values: Values): KubeletConfig['debugging'] {
  return {
    hasProfiles: values['enable-profiling-handler'],
    takesLevel: values['enable-debug-flags-handler'],
    hasLogs: values['enable-system-log-handler'],
    hasStreams: values['enable-debugging-handlers'],
  };
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
