// The settings of a kubelet, as flags of its command line or of the configuration file that one of them names.
import { boolFlag, durationFlag, intFlag, listFlag, mapFlag, type Parsed, parseFlags, stringFlag } from '#base/flags.ts';
import { tlsPolicyFlags } from '#base/tls-flags.ts';
import { flagsOfFile } from './config-file.ts';
import { evictionFlags } from './eviction/settings.ts';
import { inertFileFlags, inertFlags } from './inert-settings.ts';
import { shutdownFields } from './shutdown/settings.ts';

const path = { valueName: 'path' };

/** What only a KubeletConfiguration can say. */
const fileFlags = {
  'max-container-restart-period': durationFlag(300_000, 'What delays of restarts double up to'),
  'image-maximum-gc-age': durationFlag(0, 'Images that nothing has needed for longer go; 0s: never'),
  ...shutdownFields,
  'enable-debug-flags-handler': boolFlag(true, 'Whether the level of the log can be set at /debug/flags/v'),
  'enable-profiling-handler': boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'enable-system-log-handler': boolFlag(true, 'Whether the logs of the host can be read at /logs/'),
  'image-pull-credentials-verification-policy': stringFlag('NeverVerifyPreloadedImages', 'Whose pods may use images that are on the node'),
  'preloaded-images-verification-allowlist': listFlag([], 'Repositories whose images are for all pods where the host had them before'),
  'node-lease-duration-seconds': intFlag(40, 'How long the lease of the node counts', { min: 1 }),
  'node-status-report-frequency': durationFlag(300_000, 'How often the status of the node is reported without a change'),
};

/** Upstream's names. Flags without effect here are accepted where ignoring them has no visible consequence. */
const kubeletFlags = {
  kubeconfig: stringFlag('', 'Kubeconfig with the address and credentials of the API server; where absent, only static pods run', path),
  'enable-server': boolFlag(true, 'Serve logs, exec and the like on --port'),
  'enable-debugging-handlers': boolFlag(true, 'Serve logs and streams to containers; false: only figures'),
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
  'pods-per-core': intFlag(0, 'Pods this node takes for each core, at most --max-pods; 0: any number', { min: 0 }),
  'pod-max-pids': intFlag(-1, 'Processes of a pod; -1: any number', { min: -1 }),
  'node-status-max-images': intFlag(50, 'Images that the status of the node lists; -1: all', { min: -1 }),
  'node-status-update-frequency': durationFlag(10_000, 'How often the status of the node is looked at'),
  'enforce-node-allocatable': listFlag(['pods'], 'pods: all pods together get no more memory than is not reserved; none: they may'),
  'protect-kernel-defaults': boolFlag(false, 'Do not start where the kernel is not set as pods need it'),
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
  'image-service-endpoint': stringFlag('', "The engine's socket, too, or nothing"),
  'pod-infra-container-image': stringFlag('', 'Image of sandboxes; where absent, one of our own'),
  ...tlsPolicyFlags,
  'tls-cert-file': stringFlag('', 'Serving certificate', path),
  'tls-private-key-file': stringFlag('', 'Key of the serving certificate', path),
  'authentication-token-webhook-cache-ttl': durationFlag(120_000, 'How long it is known whom a bearer token stands for'),
  'authorization-webhook-cache-authorized-ttl': durationFlag(300_000, 'How long allowed authorizations are cached'),
  'authorization-webhook-cache-unauthorized-ttl': durationFlag(30_000, 'How long denied authorizations are cached'),
  'client-ca-file': stringFlag('', "Authorities that sign clients' certificates", path),
  address: stringFlag('0.0.0.0', 'Address to serve on'),
  port: intFlag(10_250, 'Port for the API server: logs, exec, port-forward', { min: 0, max: 65_535 }),
  'read-only-port': intFlag(0, 'Read-only port for pods and statistics, without TLS or authentication; 0 disables it', {
    min: 0,
    max: 65_535,
  }),
  'healthz-bind-address': stringFlag('127.0.0.1', 'Address of the health check'),
  'healthz-port': intFlag(10_248, 'Port of the health check; 0 turns it off', { min: 0, max: 65_535 }),
  'pod-manifest-path': stringFlag('', 'Folder of manifests, or one manifest, of pods that this node runs by itself', path),
  'manifest-url': stringFlag('', 'Page with a Pod or PodList that this node runs by itself', { valueName: 'url' }),
  'manifest-url-header': listFlag([], 'Header to fetch --manifest-url with, as name:value; may be given several times'),
  'file-check-frequency': durationFlag(20_000, 'How often the manifests are looked at, besides when they change'),
  'http-check-frequency': durationFlag(20_000, 'How often the page of --manifest-url is looked at'),
  'host-components': boolFlag(false, 'Manifests of components that this host runs as processes are left to it'),
  'system-reserved': mapFlag('CPU, memory, ephemeral-storage and processes (pid) that are not for pods'),
  'kube-reserved': mapFlag('The same for the parts of Kubernetes; both count'),
  'allowed-unsafe-sysctls': listFlag([], 'Sysctls that pods may set besides the safe ones; a pattern may end in *'),
  'seccomp-default': boolFlag(false, "Containers that name no seccomp profile get the engine's own"),
  'container-log-max-size': stringFlag('10Mi', 'Size at which a new file begins in the log of a container'),
  'container-log-max-files': intFlag(5, 'Files of the log of a container that are kept', { min: 2 }),
  'cluster-cidr': listFlag([], 'Networks of pods: what stays inside is not masqueraded'),
  'streaming-connection-idle-timeout': durationFlag(4 * 3_600_000, 'How long an idle exec or port-forward stays'),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
};

export const allFlags = { ...inertFlags, ...inertFileFlags, ...fileFlags, ...kubeletFlags };

/** What the command line may say. */
const commandFlags = { ...inertFlags, ...kubeletFlags };

export type Values = Parsed<typeof allFlags>['values'];

/** What is given, over what the configuration file says, over the defaults. */
export function readFlags(argv: readonly string[]): Parsed<typeof allFlags> {
  const about = 'Runs the pods of a node.';
  const first = parseFlags('kubelet', commandFlags, argv, about);
  if (first.values.config === '') return parseFlags('kubelet', allFlags, argv, about);
  const fromFile = Object.entries(flagsOfFile(first.values.config)).filter(([name]) => !(first.given as ReadonlySet<string>).has(name));
  return parseFlags('kubelet', allFlags, [...fromFile.map(([name, value]) => `--${name}=${value}`), ...argv], about);
}
