// What the kubelet needs from whatever runs its containers, in our words. `docker/` runs real ones, `simulated/` scripted ones;
// both pass `conformance.ts`. A runtime remembers everything itself (labels), so that the kubelet can be killed at any moment:
// nothing here hands out state that a new kubelet could not read again with `pods` and `podStatus`.
//
// Every method may be called concurrently, also for the same pod, and may be repeated after a lost answer: creating what exists
// already answers the existing one, stopping what has stopped and removing what is gone succeed.
// Failures are RuntimeError; `code` says which kind.
import type { Duplex } from 'node:stream';
import type { ImageStore } from './image-contract.ts';
import type { ExecSyncOptions, ExecSyncOutcome, LogOptions, Streams } from './io-contract.ts';

export interface Runtime {
  readonly images: ImageStore;
  /** What the engine is and what it refuses. Measured at the first call, then remembered. */
  info(signal: AbortSignal): Promise<RuntimeInfo>;
  /** Whether the engine answers and pods can get a network, now. Never throws for an engine that is away. */
  health(signal: AbortSignal): Promise<RuntimeHealth>;
  /** Addresses for pods of this node; where the network is ours, it is ready only once this was called. May be called again. */
  setPodCidrs(cidrs: readonly string[], signal: AbortSignal): Promise<void>;

  /** Everything of ours on this node, dead containers too, grouped by pod. Cheap: one question to the engine. */
  pods(signal: AbortSignal): Promise<readonly RuntimePodSummary[]>;
  /** One pod in full; undefined when nothing of it exists. */
  podStatus(podUid: string, signal: AbortSignal): Promise<RuntimePod | undefined>;
  /** Hints that a pod changed; `everything` after a gap. Runs until the signal aborts, over lost connections; ends without throwing. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;

  /** Makes the pod's namespaces and network. Leaves nothing behind when it fails. */
  createSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<SandboxStatus>;
  /** Takes the network away and ends the sandbox and every container still running in it, at once. */
  stopSandbox(id: string, signal: AbortSignal): Promise<void>;
  /** Removes a stopped sandbox and its containers. */
  removeSandbox(id: string, signal: AbortSignal): Promise<void>;

  /** Answers the container's id. Not started yet. */
  createContainer(sandboxId: string, spec: ContainerSpec, signal: AbortSignal): Promise<string>;
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** The image's stop signal (SIGTERM by default), after `graceMs` SIGKILL. Resolves when it has ended. 0 kills at once. */
  stopContainer(id: string, graceMs: number, signal: AbortSignal): Promise<void>;
  /** Kills it if it still runs; its logs go too. */
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Changes the limits of a container in place. */
  updateResources(id: string, resources: ContainerResources, signal: AbortSignal): Promise<void>;

  /** Runs a command in a running container; answers its exit code. Aborting closes the streams; the process sees end of input. */
  exec(id: string, command: readonly string[], streams: Streams, signal: AbortSignal): Promise<number>;
  /** For probes and hooks. Past `timeoutMs` the process is killed and it throws RuntimeError 'Timeout'. */
  execSync(id: string, command: readonly string[], options: ExecSyncOptions, signal: AbortSignal): Promise<ExecSyncOutcome>;
  /** Joins the container's own streams, from now on; resolves when the container or the client ends them. */
  attach(id: string, streams: Streams, signal: AbortSignal): Promise<void>;
  /** What a container wrote, as bytes; with `follow` until it ends. Breaking off the iteration frees everything. */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** A TCP connection to a port in the pod, localhost of the pod included. Rejects when the connection is refused. */
  portForward(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** What each running container uses now. `known`: what was last seen of the pod, which spares asking the engine. */
  usage(podUid: string, signal: AbortSignal, known?: RuntimePod): Promise<readonly ContainerUsage[]>;
  /** Where a container writes to the node's disk beside its volumes; undefined when it is gone. */
  storage(id: string, signal: AbortSignal): Promise<ContainerStorage | undefined>;
}

/** Identity of a pod, as in its metadata. */
export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

export interface RuntimeInfo {
  /** `docker`; with the version it makes nodeInfo.containerRuntimeVersion (`docker://26.1.5`). */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly kernelVersion: string;
  /** PRETTY_NAME of /etc/os-release, as the engine sees it. */
  readonly osImage: string;
  readonly operatingSystem: string;
  /** GOARCH spelling: amd64, arm64. */
  readonly architecture: string;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  readonly cgroupVersion: 1 | 2;
  readonly storageDriver: string;
  /** What a RuntimeClass may name as its handler. */
  readonly handlers: readonly string[];
  /** Where the engine keeps images and containers (the image file system). */
  readonly rootDirectory: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** What this engine refuses; requests for it are done without it. */
  readonly refuses: readonly Refusal[];
}

/** Something the engine cannot do here, with the engine's own words as the reason. */
export interface Refusal {
  readonly what: 'negativeOomScore' | 'privileged' | 'sysResource';
  readonly why: string;
}

export interface RuntimeHealth {
  /** Undefined when it answers; else why not. */
  readonly runtimeProblem: string | undefined;
  /** Undefined when pods can get a network; else why not. */
  readonly networkProblem: string | undefined;
}

export interface SandboxSpec {
  readonly pod: PodIdentity;
  /** 0 for the first sandbox of this pod, then one more for each new one. */
  readonly attempt: number;
  readonly hostname: string;
  /** One of the runtime's handlers, for the containers of the pod too; undefined: its default. */
  readonly runtimeHandler?: string;
  /** Undefined: the node's own resolv.conf. */
  readonly dns?: DnsSettings;
  /** Such as /kubepods/burstable/pod<uid>; created on demand. */
  readonly cgroupParent?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly hostNetwork?: boolean;
  readonly hostPid?: boolean;
  readonly hostIpc?: boolean;
  /** Containers of the pod see each other's processes. */
  readonly shareProcessNamespace?: boolean;
  readonly portMappings?: readonly PortMapping[];
  /** Where upstream's log links go, such as /var/log/pods/<namespace>_<name>_<uid>. */
  readonly logDirectory?: string;
  /** An image for the sandbox instead of the built-in one; must be present already. */
  readonly image?: string;
  /** Come back unchanged in the status. Keys io.kubernetes.* as in labels.ts. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface DnsSettings {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp?: string;
}

export interface ContainerSpec {
  readonly name: string;
  /** The restart count: 0 for the first. */
  readonly attempt: number;
  /** As the pod says; comes back in the status. */
  readonly image: string;
  /** `id` of the image in the store; undefined: what `image` means now. */
  readonly imageId?: string;
  /** Undefined or empty: the image's own. */
  readonly command?: readonly string[];
  /** As in a pod: replaces the image's arguments, also alone; dropped from the image when only `command` is given. */
  readonly args?: readonly string[];
  readonly env?: readonly (readonly [name: string, value: string])[];
  readonly workingDir?: string;
  readonly mounts?: readonly Mount[];
  readonly devices?: readonly Device[];
  readonly resources?: ContainerResources;
  readonly security?: ContainerSecurity;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  /** Whose processes it sees; default as the sandbox says (its own, or the pod's, or the host's). A container id for debugging. */
  readonly pidOf?: { readonly containerId: string };
  /** Where to link the log, as upstream: <logDirectory>/<container>/<attempt>.log. */
  readonly logPath?: string;
  /** How much of its output is kept; default 5 files of 10 MiB. */
  readonly logLimits?: LogLimits;
  /** `SIGTERM` and the like; undefined: the image's. */
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface LogLimits {
  /** Of one file. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  /** For this mount, not for what is mounted below it. */
  readonly readOnly?: boolean;
  /** Default None. */
  readonly propagation?: 'None' | 'HostToContainer' | 'Bidirectional';
}

export interface Device {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Out of `rwm`. */
  readonly permissions: string;
}

export interface ContainerResources {
  readonly cpuShares?: number;
  readonly cpuPeriodMicros?: number;
  /** CPU time a period; undefined: no limit. */
  readonly cpuQuotaMicros?: number;
  /** Undefined: no limit. */
  readonly memoryBytes?: number;
  readonly oomScoreAdj?: number;
  readonly pidsLimit?: number;
  readonly shmBytes?: number;
}

export interface ContainerSecurity {
  readonly user?: number;
  /** Named user instead of a number. */
  readonly userName?: string;
  readonly group?: number;
  readonly supplementalGroups?: readonly number[];
  /** Without CAP_: NET_ADMIN; ALL is allowed. */
  readonly addCapabilities?: readonly string[];
  readonly dropCapabilities?: readonly string[];
  readonly privileged?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly noNewPrivileges?: boolean;
  /** Default 'unconfined', as upstream. 'localhost' carries the profile's JSON text. */
  readonly seccomp?: 'runtime-default' | 'unconfined' | { readonly profileJson: string };
  /** Default: the engine's own profile where the kernel has AppArmor. */
  readonly appArmor?: 'runtime-default' | 'unconfined' | { readonly profile: string };
  /** Default 'default': the usual masks of /proc. */
  readonly procMount?: 'default' | 'unmasked';
}

/** Who a process is, in numbers. */
export interface ProcessIdentity {
  readonly user: number;
  readonly group: number;
  /** Ascending; `group` is one of them. */
  readonly supplementalGroups: readonly number[];
}

export interface SandboxSummary {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly state: 'ready' | 'notReady';
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SandboxStatus extends SandboxSummary {
  /** First process of the sandbox as the host counts; undefined when it does not run. */
  readonly pid: number | undefined;
  /** /proc/<pid>/ns/net; undefined when it does not run. */
  readonly netnsPath: string | undefined;
  readonly hostNetwork: boolean;
  /** Pod addresses, the primary one first; empty for host network and for a sandbox that does not run. */
  readonly ips: readonly string[];
}

export type ContainerState = 'created' | 'running' | 'exited';

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly sandboxId: string;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  /** As in the spec. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerStatus extends ContainerSummary {
  /** What status.containerStatuses[].imageID says: a digest reference where the image has one, else its id. */
  readonly imageRef: string;
  readonly pid: number | undefined;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  /** Defined when exited. */
  readonly exitCode: number | undefined;
  /** The kernel killed something in it for want of memory; not always its first process. */
  readonly oomKilled: boolean;
  /** Upstream's word for how it ended: Completed, Error, OOMKilled, ContainerCannotRun; undefined unless exited. */
  readonly reason: string | undefined;
  /** The engine's words about a failure. */
  readonly message: string | undefined;
  /** Mounts as asked for. */
  readonly mounts: readonly Mount[];
  readonly logPath: string | undefined;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Of its first process at the start. Undefined: the spec left it to the engine, which does not say. */
  readonly identity?: ProcessIdentity;
  /** What the engine holds it to now. Undefined: it does not say. */
  readonly resources?: Pick<ContainerResources, 'cpuShares' | 'cpuPeriodMicros' | 'cpuQuotaMicros' | 'memoryBytes'>;
}

export interface RuntimePodSummary {
  readonly pod: PodIdentity;
  /** Newest first. */
  readonly sandboxes: readonly SandboxSummary[];
  /** Newest first. */
  readonly containers: readonly ContainerSummary[];
}

export interface RuntimePod {
  readonly pod: PodIdentity;
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[];
  /** Newest first. */
  readonly containers: readonly ContainerStatus[];
}

export type RuntimeEvent =
  | {
      readonly type: 'started' | 'died' | 'oom' | 'removed';
      readonly podUid: string;
      readonly id: string;
      /** Container name; undefined for the sandbox. */
      readonly container: string | undefined;
    }
  /** Something may have been missed: look at all pods. The first event of every connection. */
  | { readonly type: 'everything' };

export interface ContainerUsage {
  readonly name: string;
  readonly id: string;
  readonly cpuNanos: bigint;
  readonly memoryUsageBytes: number;
  /** Usage without inactive file pages: what eviction and metrics look at. */
  readonly memoryWorkingSetBytes: number;
  /** Undefined: not measured. */
  readonly processes?: number;
  /** Anonymous memory; undefined: not measured. */
  readonly rssBytes?: number;
  /** The part on disk; undefined: not measured. */
  readonly swapBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
}

export interface ContainerStorage {
  /** What it wrote to its root: the folder that holds it, which stays the same, or where there is none the engine's figure of now. */
  readonly written: { readonly folder: string } | { readonly usedBytes: number };
  /** Its log, beside which lie those that it was rotated into; undefined: it has none. */
  readonly logFile: string | undefined;
}

/**
 * - NotFound: no such container, sandbox or image
 * - NotRunning: the container does not run, so it cannot be entered
 * - Conflict: its state does not allow that, or the name is taken by something else
 * - Unavailable: the engine does not answer; worth trying again
 * - Network: the pod's network could not be made
 * - CannotRun: the engine made the container but could not start its command
 * - Timeout: execSync took too long
 * - ImagePull, ImageInspect, InUse: see ImageStore
 * - Refused: the engine said no; the message has its words
 */
export type RuntimeErrorCode =
  | 'NotFound'
  | 'NotRunning'
  | 'Conflict'
  | 'Unavailable'
  | 'Network'
  | 'CannotRun'
  | 'Timeout'
  | 'ImagePull'
  | 'ImageInspect'
  | 'InUse'
  | 'Refused';

/** A failure of the runtime that callers expect. The message fits into an event as it is. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Whether `error` is a RuntimeError of this kind. */
export function isRuntimeError(error: unknown, code?: RuntimeErrorCode): error is RuntimeError {
  return error instanceof RuntimeError && (code === undefined || error.code === code);
}
