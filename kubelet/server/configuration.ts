// What /configz tells: the KubeletConfiguration that is in force, however it was given. Pure.
import { formatDuration } from '#base/duration.ts';
import { formatQuantity } from '#api/meta/quantity.ts';
import type { KubeletConfig } from '../config.ts';
import { inertFields } from '../inert-settings.ts';
import type { Threshold } from '../eviction/thresholds.ts';

export function configurationOf(config: KubeletConfig): object {
  const { server, health, imageGc, eviction, reserved, identity } = config;
  const { accessTtls } = server;
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    ...inertValues(config),
    ...podSettings(config),
    enableServer: true,
    address: server.host,
    port: server.port,
    tlsCertFile: server.certFile,
    tlsPrivateKeyFile: server.keyFile,
    rotateCertificates: identity.rotates,
    authentication: {
      x509: { clientCAFile: server.clientCaFile },
      webhook: { enabled: true, cacheTTL: formatDuration(accessTtls.tokenMs) },
      anonymous: { enabled: false },
    },
    authorization: {
      mode: 'Webhook',
      webhook: { cacheAuthorizedTTL: formatDuration(accessTtls.allowedMs), cacheUnauthorizedTTL: formatDuration(accessTtls.deniedMs) },
    },
    healthzPort: health.port,
    healthzBindAddress: health.host,
    clusterDomain: config.clusterDomain,
    clusterDNS: config.clusterDns,
    streamingConnectionIdleTimeout: formatDuration(config.streamIdleMs),
    readOnlyPort: server.readOnlyPort,
    nodeStatusUpdateFrequency: formatDuration(config.heartbeat.updateMs),
    nodeStatusReportFrequency: formatDuration(config.heartbeat.reportMs),
    nodeLeaseDurationSeconds: config.heartbeat.leaseSeconds,
    nodeStatusMaxImages: Number.isFinite(config.maxImages) ? config.maxImages : -1,
    podsPerCore: config.podsPerCore,
    podPidsLimit: config.maxPidsPerPod ?? -1,
    enforceNodeAllocatable: [config.enforcesAllocatable ? 'pods' : 'none'],
    protectKernelDefaults: config.checksKernel,
    enableDebuggingHandlers: config.debugging.hasStreams,
    imagePullCredentialsVerificationPolicy: config.imageAccess.policy,
    preloadedImagesVerificationAllowlist: config.imageAccess.allowlist,
    imageMinimumGCAge: formatDuration(imageGc.minAgeMs),
    imageMaximumGCAge: formatDuration(imageGc.maxAgeMs),
    imageGCHighThresholdPercent: imageGc.highPercent,
    imageGCLowThresholdPercent: imageGc.lowPercent,
    cgroupRoot: config.cgroupRoot,
    cgroupsPerQOS: config.cgroupsPerQos,
    ...(config.cgroupDriver === undefined ? {} : { cgroupDriver: config.cgroupDriver }),
    maxPods: config.maxPods,
    podCIDR: config.podCidr,
    resolvConf: config.resolvConf,
    containerRuntimeEndpoint: `unix://${config.dockerSocket}`,
    evictionHard: amounts(eviction.thresholds.filter(({ graceMs, signal }) => graceMs === 0 && signal !== 'allocatableMemory.available')),
    evictionSoft: amounts(eviction.thresholds.filter(({ graceMs }) => graceMs > 0)),
    evictionSoftGracePeriod: Object.fromEntries(
      eviction.thresholds.filter(({ graceMs }) => graceMs > 0).map(({ signal, graceMs }) => [signal, formatDuration(graceMs)]),
    ),
    evictionPressureTransitionPeriod: formatDuration(eviction.transitionMs),
    evictionMaxPodGracePeriod: eviction.maxPodGraceSeconds,
    ...reserved.said,
    allowedUnsafeSysctls: config.allowedSysctls,
    registerWithTaints: config.taints,
    registerNode: config.register,
    localStorageCapacityIsolation: true,
    seccompDefault: config.seccompDefault,
  };
}

/** Where pods of the node's own come from, what is kept of logs, how long failing containers wait. */
function podSettings(config: KubeletConfig): object {
  const { staticPods } = config;
  return {
    ...(staticPods.path === '' ? {} : { staticPodPath: staticPods.path }),
    ...(staticPods.url === '' ? {} : { staticPodURL: staticPods.url }),
    fileCheckFrequency: formatDuration(staticPods.fileCheckMs),
    httpCheckFrequency: formatDuration(staticPods.pageCheckMs),
    containerLogMaxSize: config.flags['container-log-max-size'],
    containerLogMaxFiles: config.logLimits.maxFiles,
    serializeImagePulls: config.parallelPulls === 1,
    crashLoopBackOff: { maxContainerRestartPeriod: formatDuration(config.longestRestartDelayMs) },
  };
}

/** Settings without effect here are shown as they were given, too. */
function inertValues({ flags }: KubeletConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inertFields).flatMap(([field, { flag, shape }]) => {
      const text = flags[flag] ?? '';
      return text === '' ? [] : [[field, valueOf(text, shape)]];
    }),
  );
}

function valueOf(text: string, shape: string): unknown {
  if (shape === 'number') return Number(text);
  if (shape === 'boolean') return text === 'true';
  if (shape !== 'map') return text;
  const entries = text.split(',').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const);
  return Object.fromEntries(entries.map(([name, value]) => [name, value === 'true' ? true : value === 'false' ? false : value]));
}

function amounts(thresholds: readonly Threshold[]): Record<string, string> {
  return Object.fromEntries(
    thresholds.map(({ signal, value }) => [
      signal,
      'share' in value ? `${Number((value.share * 100).toPrecision(6))}%` : formatQuantity(value.quantity),
    ]),
  );
}
