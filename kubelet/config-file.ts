// `--config`: a KubeletConfiguration (kubelet.config.k8s.io/v1beta1). Each of its fields stands for a flag, and gives way to it.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Shape, shapeProblems } from '#base/document-shape.ts';
import { UsageError } from '#base/lifecycle.ts';
import { defaultHard } from './eviction/thresholds.ts';
import { inertFields } from './inert-settings.ts';
import { reasonOf } from '#base/write-file.ts';

const apiVersion = 'kubelet.config.k8s.io/v1beta1';

const formatOptions: Shape = { splitStream: 'boolean', infoBufferSize: 'scalar' };

const shape: Shape = {
  ...Object.fromEntries(Object.entries(inertFields).map(([field, { shape: inert }]) => [field, inert])),
  apiVersion: 'string',
  kind: 'string',
  address: 'string',
  allowedUnsafeSysctls: ['string'],
  authentication: {
    anonymous: { enabled: 'boolean' },
    webhook: { enabled: 'boolean', cacheTTL: 'string' },
    x509: { clientCAFile: 'string' },
  },
  authorization: { mode: 'string', webhook: { cacheAuthorizedTTL: 'string', cacheUnauthorizedTTL: 'string' } },
  cgroupDriver: 'string',
  cgroupRoot: 'string',
  cgroupsPerQOS: 'boolean',
  clusterDNS: ['string'],
  clusterDomain: 'string',
  containerLogMaxFiles: 'number',
  containerLogMaxSize: 'string',
  containerRuntimeEndpoint: 'string',
  crashLoopBackOff: { maxContainerRestartPeriod: 'string' },
  enableDebugFlagsHandler: 'boolean',
  enableDebuggingHandlers: 'boolean',
  enableProfilingHandler: 'boolean',
  enableSystemLogHandler: 'boolean',
  enableServer: 'boolean',
  enforceNodeAllocatable: ['string'],
  evictionHard: 'map',
  evictionMaxPodGracePeriod: 'number',
  evictionMinimumReclaim: 'map',
  evictionPressureTransitionPeriod: 'string',
  evictionSoft: 'map',
  evictionSoftGracePeriod: 'map',
  fileCheckFrequency: 'string',
  healthzBindAddress: 'string',
  healthzPort: 'number',
  httpCheckFrequency: 'string',
  imageGCHighThresholdPercent: 'number',
  imageGCLowThresholdPercent: 'number',
  imageMaximumGCAge: 'string',
  imageMinimumGCAge: 'string',
  imagePullCredentialsVerificationPolicy: 'string',
  imageServiceEndpoint: 'string',
  kubeReserved: 'map',
  logging: {
    format: 'string',
    flushFrequency: 'scalar',
    verbosity: 'number',
    vmodule: [{ filePattern: 'string', verbosity: 'number' }],
    options: { text: formatOptions, json: formatOptions },
  },
  maxParallelImagePulls: 'number',
  maxPods: 'number',
  memorySwap: { swapBehavior: 'string' },
  mergeDefaultEvictionSettings: 'boolean',
  nodeLeaseDurationSeconds: 'number',
  nodeStatusMaxImages: 'number',
  nodeStatusReportFrequency: 'string',
  nodeStatusUpdateFrequency: 'string',
  podCIDR: 'string',
  podPidsLimit: 'number',
  podsPerCore: 'number',
  port: 'number',
  preloadedImagesVerificationAllowlist: ['string'],
  protectKernelDefaults: 'boolean',
  providerID: 'string',
  readOnlyPort: 'number',
  registerNode: 'boolean',
  registerWithTaints: [{ key: 'string', value: 'string', effect: 'string' }],
  reservedMemory: ['map'],
  resolvConf: 'string',
  rotateCertificates: 'boolean',
  seccompDefault: 'boolean',
  shutdownGracePeriod: 'string',
  shutdownGracePeriodByPodPriority: [{ priority: 'number', shutdownGracePeriodSeconds: 'number' }],
  shutdownGracePeriodCriticalPods: 'string',
  serializeImagePulls: 'boolean',
  staticPodPath: 'string',
  staticPodURL: 'string',
  staticPodURLHeader: 'map',
  streamingConnectionIdleTimeout: 'string',
  systemReserved: 'map',
  tlsCertFile: 'string',
  tlsCipherSuites: ['string'],
  tlsMinVersion: 'string',
  tlsPrivateKeyFile: 'string',
  tracing: 'map',
  userNamespaces: { idsPerPod: 'number' },
};

/** Fields that are one flag, by the flag's name. */
const flagFields: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(inertFields).map(([field, { flag }]) => [flag, field])),
  address: 'address',
  'allowed-unsafe-sysctls': 'allowedUnsafeSysctls',
  'cgroup-driver': 'cgroupDriver',
  'cgroup-root': 'cgroupRoot',
  'cgroups-per-qos': 'cgroupsPerQOS',
  'cluster-dns': 'clusterDNS',
  'cluster-domain': 'clusterDomain',
  'container-log-max-files': 'containerLogMaxFiles',
  'container-log-max-size': 'containerLogMaxSize',
  'container-runtime-endpoint': 'containerRuntimeEndpoint',
  'enable-debug-flags-handler': 'enableDebugFlagsHandler',
  'enable-profiling-handler': 'enableProfilingHandler',
  'enable-system-log-handler': 'enableSystemLogHandler',
  'enable-debugging-handlers': 'enableDebuggingHandlers',
  'enable-server': 'enableServer',
  'enforce-node-allocatable': 'enforceNodeAllocatable',
  'eviction-max-pod-grace-period': 'evictionMaxPodGracePeriod',
  'eviction-minimum-reclaim': 'evictionMinimumReclaim',
  'eviction-soft-grace-period': 'evictionSoftGracePeriod',
  'healthz-bind-address': 'healthzBindAddress',
  'healthz-port': 'healthzPort',
  'image-gc-high-threshold': 'imageGCHighThresholdPercent',
  'image-gc-low-threshold': 'imageGCLowThresholdPercent',
  'image-pull-credentials-verification-policy': 'imagePullCredentialsVerificationPolicy',
  'image-service-endpoint': 'imageServiceEndpoint',
  'kube-reserved': 'kubeReserved',
  'manifest-url': 'staticPodURL',
  'max-parallel-image-pulls': 'maxParallelImagePulls',
  'max-pods': 'maxPods',
  'node-lease-duration-seconds': 'nodeLeaseDurationSeconds',
  'node-status-max-images': 'nodeStatusMaxImages',
  'node-status-report-frequency': 'nodeStatusReportFrequency',
  'node-status-update-frequency': 'nodeStatusUpdateFrequency',
  'pod-cidr': 'podCIDR',
  'pod-max-pids': 'podPidsLimit',
  'pods-per-core': 'podsPerCore',
  'preloaded-images-verification-allowlist': 'preloadedImagesVerificationAllowlist',
  'protect-kernel-defaults': 'protectKernelDefaults',
  'read-only-port': 'readOnlyPort',
  'pod-manifest-path': 'staticPodPath',
  port: 'port',
  'provider-id': 'providerID',
  'register-node': 'registerNode',
  'register-with-taints': 'registerWithTaints',
  'resolv-conf': 'resolvConf',
  'rotate-certificates': 'rotateCertificates',
  'seccomp-default': 'seccompDefault',
  'serialize-image-pulls': 'serializeImagePulls',
  'streaming-connection-idle-timeout': 'streamingConnectionIdleTimeout',
  'system-reserved': 'systemReserved',
  'tls-cert-file': 'tlsCertFile',
  'tls-cipher-suites': 'tlsCipherSuites',
  'tls-min-version': 'tlsMinVersion',
  'tls-private-key-file': 'tlsPrivateKeyFile',
};

/** The file's fields as flags. Throws a UsageError that names file and field. */
export function flagsOfFile(path: string): Readonly<Record<string, string>> {
  try {
    return flagsOfText(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`failed to load kubelet config file, path: ${path}, error: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
}

/** Throws an Error that names the field. */
export function flagsOfText(text: string): Readonly<Record<string, string>> {
  const document = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  if (document['kind'] !== 'KubeletConfiguration' || document['apiVersion'] !== apiVersion) {
    throw new Error(`it must be a KubeletConfiguration of ${apiVersion}`);
  }
  const problems = shapeProblems(document, shape);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const { authentication, authorization } = document as Authenticating;
  if (authentication?.anonymous?.enabled === true) throw new Error('authentication.anonymous.enabled: anonymous requests are never served');
  if (authorization?.mode === 'AlwaysAllow' && document['enableServer'] !== false)
    throw new Error('authorization.mode: AlwaysAllow is not supported');
  const flags = Object.entries(flagFields).flatMap(([flag, field]): [string, string][] => {
    const value = document[field];
    return value === undefined || value === null || isDefault(field, value) ? [] : [[flag, flagText(value)]];
  });
  refuseUnheard(document);
  const nested: Readonly<Record<string, string | undefined>> = {
    'eviction-hard': thresholdText(hardThresholds(document)),
    'eviction-soft': thresholdText(document['evictionSoft'] as Amounts | undefined),
    'eviction-pressure-transition-period': document['evictionPressureTransitionPeriod'] as string | undefined,
    'shutdown-grace-period': document['shutdownGracePeriod'] as string | undefined,
    'shutdown-grace-period-critical-pods': document['shutdownGracePeriodCriticalPods'] as string | undefined,
    'shutdown-grace-period-by-pod-priority': periodText(document['shutdownGracePeriodByPodPriority'] as readonly Period[] | undefined),
    'max-container-restart-period': (document as Groups).crashLoopBackOff?.maxContainerRestartPeriod,
    'image-maximum-gc-age': document['imageMaximumGCAge'] as string | undefined,
    'minimum-image-ttl-duration': document['imageMinimumGCAge'] as string | undefined,
    ...loggingFlags(document['logging'] as Logging | undefined),
    'file-check-frequency': document['fileCheckFrequency'] as string | undefined,
    'http-check-frequency': document['httpCheckFrequency'] as string | undefined,
    'manifest-url-header': headerText(document['staticPodURLHeader'] as Headers | undefined),
    'client-ca-file': authentication?.x509?.clientCAFile,
    'authentication-token-webhook-cache-ttl': authentication?.webhook?.cacheTTL,
    'authorization-webhook-cache-authorized-ttl': authorization?.webhook?.cacheAuthorizedTTL,
    'authorization-webhook-cache-unauthorized-ttl': authorization?.webhook?.cacheUnauthorizedTTL,
  };
  // What kubeadm writes, 0s, stands for the default.
  const given = Object.entries(nested).flatMap(([flag, value]): [string, string][] =>
    value === undefined || (value === '' && flag !== 'eviction-hard') || value === '0s' ? [] : [[flag, value]],
  );
  return Object.fromEntries([...flags, ...given]);
}

/** What is written where nothing is meant: kubeadm's files are full of it. */
function isDefault(field: string, value: unknown): boolean {
  if (value === '' || value === '0s') return field !== 'resolvConf';
  return value === 0 && ['containerLogMaxWorkers', 'maxPods', 'nodeLeaseDurationSeconds', 'nodeStatusMaxImages', 'port'].includes(field);
}

/** Groups of fields of which only parts can be had. */
function refuseUnheard(document: Readonly<Record<string, unknown>>): void {
  const refuse = (field: string, value: unknown, why: string): never => {
    throw new Error(`invalid configuration: ${field} ${JSON.stringify(value)} is not supported: ${why}`);
  };
  const { memorySwap, logging } = document as Groups;
  const swap = memorySwap?.swapBehavior ?? '';
  if (!['', 'NoSwap', 'LimitedSwap'].includes(swap))
    throw new Error(`invalid configuration: memorySwap.swapBehavior ${JSON.stringify(swap)} must be one of: "", "LimitedSwap" or "NoSwap"`);
  if (swap === 'LimitedSwap') refuse('memorySwap.swapBehavior', swap, 'containers get no swap beside their memory');
  for (const kind of ['text', 'json'] as const)
    if (logging?.options?.[kind]?.splitStream === true) refuse(`logging.options.${kind}.splitStream`, true, 'the log is one stream');
  const { tracing, reservedMemory } = document as { readonly tracing?: object; readonly reservedMemory?: readonly unknown[] };
  if (Object.keys(tracing ?? {}).length > 0) refuse('tracing', tracing, 'tracing is not supported');
  if ((reservedMemory ?? []).length > 0) refuse('reservedMemory', reservedMemory, 'containers are not bound to memory nodes');
}

interface Groups {
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: string };
  readonly memorySwap?: { readonly swapBehavior?: string };
  readonly logging?: Logging;
}

interface Logging {
  readonly format?: string;
  readonly verbosity?: number;
  readonly options?: Readonly<Record<'text' | 'json', { readonly splitStream?: boolean } | undefined>>;
}

function loggingFlags(logging: Logging | undefined | null): Readonly<Record<string, string | undefined>> {
  const { format, verbosity = 0 } = logging ?? {};
  return { 'logging-format': format, ...(verbosity === 0 ? {} : { v: String(verbosity) }) };
}

type Amounts = Readonly<Record<string, string>>;

/** What is given takes the place of all the defaults, unless these are asked to stay where nothing is given. */
function hardThresholds(document: Readonly<Record<string, unknown>>): Amounts | undefined {
  const given = (document['evictionHard'] ?? undefined) as Amounts | undefined;
  return given !== undefined && document['mergeDefaultEvictionSettings'] === true ? { ...defaultHard, ...given } : given;
}

interface Period {
  readonly priority: number;
  readonly shutdownGracePeriodSeconds: number;
}

function periodText(periods: readonly Period[] | undefined | null): string | undefined {
  return periods?.map(({ priority, shutdownGracePeriodSeconds: seconds }) => `${priority}=${seconds}`).join(',');
}

function thresholdText(amounts: Amounts | undefined): string | undefined {
  if (amounts === undefined || amounts === null) return undefined;
  return Object.entries(amounts)
    .map(([signal, value]) => `${signal}<${value}`)
    .join(',');
}

type Headers = Readonly<Record<string, readonly string[]>>;

function headerText(headers: Headers | undefined): string | undefined {
  return Object.entries(headers ?? {})
    .flatMap(([name, values]) => [values].flat().map((value) => `${name}:${value}`))
    .join(',');
}

interface Authenticating {
  readonly authentication?: {
    readonly anonymous?: { readonly enabled?: boolean };
    readonly webhook?: { readonly cacheTTL?: string };
    readonly x509?: { readonly clientCAFile?: string };
  };
  readonly authorization?: {
    readonly mode?: string;
    readonly webhook?: { readonly cacheAuthorizedTTL?: string; readonly cacheUnauthorizedTTL?: string };
  };
}

function flagText(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'string' ? item : taintText(item as Taint))).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, part]) => `${key}=${String(part)}`)
    .join(',');
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

function taintText({ key, value = '', effect }: Taint): string {
  return `${key}=${value}:${effect}`;
}
