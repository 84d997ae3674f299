import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type KubeletConfig, parseConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubelet-settings-'));
const path = join(folder, 'config.yaml');
const base = ['--kubeconfig=/k'];

afterAll(() => rmSync(folder, { recursive: true }));

function fromFile(text: string, ...argv: string[]): KubeletConfig {
  writeFileSync(path, `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${text}`);
  return parseConfig([...base, `--config=${path}`, ...argv], 'h');
}

/** As upstream's kubeadm writes it: every field that has no `omitempty` stands there with nothing in it. */
const written = `authentication:
  anonymous: {enabled: false}
  webhook: {cacheTTL: 0s, enabled: true}
  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
authorization:
  mode: Webhook
  webhook: {cacheAuthorizedTTL: 0s, cacheUnauthorizedTTL: 0s}
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
logging:
  flushFrequency: 0
  options:
    json: {infoBufferSize: "0"}
    text: {infoBufferSize: "0"}
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
`;

describe('a KubeletConfiguration', () => {
  test('that kubeadm wrote says what an empty one says, and what stands in it', () => {
    const { flags: _, ...config } = fromFile(written);
    const { flags: __, ...plain } = fromFile('');
    expect(config).toEqual({
      ...plain,
      cgroupDriver: 'systemd',
      clusterDns: ['10.96.0.10'],
      identity: { ...plain.identity, rotates: true },
      server: { ...plain.server, clientCaFile: '/etc/kubernetes/pki/ca.crt' },
      staticPods: { ...plain.staticPods, path: '/etc/kubernetes/manifests' },
    });
  });

  test('says how the node reports, and how many pods and processes it takes', () => {
    const text = `nodeLeaseDurationSeconds: 20\nnodeStatusUpdateFrequency: 5s\nnodeStatusReportFrequency: 1m\nnodeStatusMaxImages: -1
podsPerCore: 10\npodPidsLimit: 4096\nenforceNodeAllocatable: [none]\nprotectKernelDefaults: true\nenableDebuggingHandlers: false
readOnlyPort: 10255\ntlsMinVersion: VersionTLS13\nlogging: {verbosity: 5, format: json, flushFrequency: 5s}
imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages\npreloadedImagesVerificationAllowlist: [a.io/b]\n`;
    const config = fromFile(text);
    expect(config).toMatchObject({
      heartbeat: { updateMs: 5_000, reportMs: 60_000, leaseSeconds: 20 },
      maxImages: Number.POSITIVE_INFINITY,
      podsPerCore: 10,
      maxPidsPerPod: 4_096,
      enforcesAllocatable: false,
      checksKernel: true,
      debugging: { hasStreams: false },
      server: { readOnlyPort: 10_255, tls: { minTls: 'TLSv1.3' } },
      imageAccess: { policy: 'NeverVerifyAllowlistedImages', allowlist: ['a.io/b'] },
    });
    expect(config.verbosity).toBe(5);
    expect(config.eviction.thresholds.some(({ signal }) => signal === 'allocatableMemory.available')).toBe(false);
  });

  test('may hold whatever changes nothing here', () => {
    const text = `featureGates: {NodeSwap: true}\nkubeAPIQPS: 100\nregistryPullQPS: 0\nfailSwapOn: false\nhairpinMode: hairpin-veth
cpuManagerPolicy: none\nmemoryManagerPolicy: None\ntopologyManagerPolicy: none\ncpuCFSQuota: true\ncpuCFSQuotaPeriod: 100ms
memorySwap: {swapBehavior: NoSwap}\nuserNamespaces: {idsPerPod: 65536}
containerLogMonitorInterval: 10s\ncontainerLogMaxWorkers: 2\nmemoryThrottlingFactor: 0.8\npodLogsDir: /var/log/pods\n`;
    expect(() => fromFile(text)).not.toThrow();
  });

  test.each([
    ['featureGates: {NodeSwap: false}', 'cannot set feature gate NodeSwap to false, feature is locked to true'],
    ['eventBurst: -1', 'invalid configuration: eventBurst (--event-burst) -1 must not be a negative number'],
    ['oomScoreAdj: 1001', 'oomScoreAdj (--oom-score-adj) 1001 must be between -1000 and 1000, inclusive'],
    ['hairpinMode: foo', 'hairpinMode (--hairpin-mode) foo must be one of: "none", "hairpin-veth", "promiscuous-bridge"'],
    ['containerLogMonitorInterval: 1s', 'containerLogMonitorInterval 1s must be greater than or equal to 3s'],
    ['cpuManagerPolicy: static', 'cpuManagerPolicy (--cpu-manager-policy) static is not supported: containers are not bound'],
    ['cpuCFSQuota: false', 'cpuCFSQuota (--cpu-cfs-quota) false is not supported'],
    ['systemReservedCgroup: /system', 'systemReservedCgroup (--system-reserved-cgroup) /system is not supported'],
    ['qosReserved: {memory: 50%}', 'qosReserved (--qos-reserved) {"memory":"50%"} is not supported'],
    ['serverTLSBootstrap: true', 'serverTLSBootstrap (--rotate-server-certificates) true is not supported'],
    ['memorySwap: {swapBehavior: Often}', 'swapBehavior "Often" must be one of: "", "LimitedSwap" or "NoSwap"'],
    [
      'crashLoopBackOff: {maxContainerRestartPeriod: 301s}',
      'CrashLoopBackOff.MaxContainerRestartPeriod (got: 301 seconds) must be set between 1s and 300s',
    ],
    ['tracing: {samplingRatePerMillion: 1}', 'tracing {"samplingRatePerMillion":1} is not supported'],
    ['logging: {format: xml}', 'invalid configuration: --logging-format xml Unsupported log format'],
    ['logging: {options: {text: {splitStream: true}}}', 'logging.options.text.splitStream true is not supported'],
    ['enforceNodeAllocatable: [pods, system-reserved]', 'option "system-reserved" specified for enforceNodeAllocatable'],
    ['imagePullCredentialsVerificationPolicy: Sometimes', 'imagePullCredentialsVerificationPolicy "Sometimes" must be one of'],
    ['preloadedImagesVerificationAllowlist: [a]', "can't set preloadedImagesVerificationAllowlist"],
    ['tlsMinVersion: VersionTLS10', '--tls-min-version=VersionTLS10 is not supported'],
    ['syncFrequency: 5', 'syncFrequency: must be a string'],
    ['logging: {flushFrequency: true}', 'logging.flushFrequency: must be a string or a number'],
    ['imageServiceEndpoint: unix:///run/other.sock', 'imageServiceEndpoint is not supported'],
  ])('that says %j is refused', (text, message) => {
    expect(() => fromFile(`${text}\n`)).toThrow(message);
  });
});

test('the same by flags', () => {
  expect(() => parseConfig([...base, '--fail-swap-on=false', '--feature-gates=NodeSwap=true', '--event-qps=0'], 'h')).not.toThrow();
  expect(() => parseConfig([...base, '--feature-gates=A=true'], 'h')).toThrow('unrecognized feature gate: A');
  expect(() => parseConfig([...base, '--anonymous-auth=true'], 'h')).toThrow('--anonymous-auth true is not supported');
  expect(() => parseConfig([...base, '--authorization-mode=AlwaysAllow'], 'h')).toThrow('--authorization-mode AlwaysAllow');
  expect(() => parseConfig([...base, '--node-lease-duration-seconds=1'], 'h'), 'only a file can say this').toThrow('unknown flag');
  expect(() => parseConfig([...base, '--iptables-drop-bit=1'], 'h'), 'nor this').toThrow('unknown flag');
});
