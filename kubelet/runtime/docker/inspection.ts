// What the engine answers, as far as we look at it, and how it reads in our words. Pure.
import type { ContainerStatus, ContainerSummary, Mount, SandboxStatus, SandboxSummary } from '../contract.ts';
import { decodeLabels, type Identity, imageLabel, imageRefLabel, logPathLabel, sandboxIdLabel } from './names.ts';

/** One entry of GET /containers/json. */
export interface ListedContainer {
  readonly Id: string;
  readonly Image: string;
  readonly ImageID: string;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly State: string;
  readonly Labels: Record<string, string>;
}

/** GET /containers/<id>/json. */
export interface InspectedContainer {
  readonly Id: string;
  readonly Created: string;
  readonly Image: string;
  readonly LogPath: string;
  readonly ResolvConfPath: string;
  /** Where its layers lie, if the storage driver reports it. */
  readonly GraphDriver?: { readonly Data: Readonly<Record<string, string>> | null };
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: {
    readonly Labels: Record<string, string>;
    readonly Tty: boolean;
    readonly OpenStdin: boolean;
    readonly User?: string;
    readonly StopSignal?: string;
  };
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly IpcMode: string;
    readonly PidMode: string;
    readonly CgroupParent: string;
    readonly Runtime?: string;
    /** 0 where there is none. */
    readonly CpuShares?: number;
    readonly CpuPeriod?: number;
    readonly CpuQuota?: number;
    readonly Memory?: number;
    readonly GroupAdd?: readonly string[] | null;
    readonly Mounts?: readonly {
      readonly Source: string;
      readonly Target: string;
      readonly ReadOnly?: boolean;
      readonly BindOptions?: { readonly Propagation?: string };
    }[];
  };
}

export function sandboxSummary(id: string, identity: Identity, isReady: boolean, createdAtMs: number): SandboxSummary {
  const { pod, attempt, labels, annotations } = identity;
  return { id, pod, attempt, state: isReady ? 'ready' : 'notReady', createdAtMs, labels, annotations };
}

/** `ips` as the network remembers them; undefined when it knows nothing of this sandbox, so that it is of no use. */
export function sandboxStatus(raw: InspectedContainer, identity: Identity, ips: readonly string[] | undefined): SandboxStatus {
  const running = raw.State.Running;
  const hostNetwork = raw.HostConfig.NetworkMode === 'host';
  return {
    ...sandboxSummary(raw.Id, identity, running && (hostNetwork || ips !== undefined), Date.parse(raw.Created)),
    pid: running ? raw.State.Pid : undefined,
    netnsPath: running ? `/proc/${raw.State.Pid}/ns/net` : undefined,
    hostNetwork,
    ips: running && !hostNetwork ? (ips ?? []) : [],
  };
}

export function containerSummary(raw: ListedContainer, identity: Identity): ContainerSummary {
  return {
    id: raw.Id,
    name: identity.container,
    attempt: identity.attempt,
    sandboxId: raw.Labels[sandboxIdLabel] ?? '',
    state: raw.State === 'running' || raw.State === 'paused' ? 'running' : raw.State === 'created' ? 'created' : 'exited',
    createdAtMs: raw.Created * 1_000,
    image: raw.Labels[imageLabel] ?? raw.Image,
    labels: identity.labels,
    annotations: identity.annotations,
  };
}

export function containerStatus(raw: InspectedContainer, identity: Identity): ContainerStatus {
  const { State: state, Config: config } = raw;
  const createdAtMs = Date.parse(raw.Created);
  const startedAtMs = timeMs(state.StartedAt);
  // A container that could not be started stays "created" with an exit code: it has come and gone all the same.
  const failedToStart = !state.Running && startedAtMs === undefined && (state.ExitCode !== 0 || state.Error !== '');
  const isExited = failedToStart || (!state.Running && startedAtMs !== undefined);
  const oomKilled = state.OOMKilled;
  return {
    id: raw.Id,
    name: identity.container,
    attempt: identity.attempt,
    sandboxId: config.Labels[sandboxIdLabel] ?? '',
    state: state.Running ? 'running' : isExited ? 'exited' : 'created',
    createdAtMs,
    image: config.Labels[imageLabel] ?? raw.Image,
    imageRef: config.Labels[imageRefLabel] ?? raw.Image,
    labels: identity.labels,
    annotations: identity.annotations,
    pid: state.Running ? state.Pid : undefined,
    startedAtMs: failedToStart ? createdAtMs : startedAtMs,
    finishedAtMs: failedToStart ? createdAtMs : isExited ? endMs(state.FinishedAt, startedAtMs ?? createdAtMs) : undefined,
    exitCode: isExited ? state.ExitCode : undefined,
    oomKilled,
    reason: isExited ? endReason(state.ExitCode, { oomKilled, failedToStart }) : undefined,
    message: state.Error === '' ? undefined : state.Error,
    mounts: (raw.HostConfig.Mounts ?? []).map(mountOf),
    logPath: config.Labels[logPathLabel],
    tty: config.Tty,
    stdin: config.OpenStdin,
    ...identityFrom(config.User, raw.HostConfig.GroupAdd),
    resources: resourcesOf(raw.HostConfig),
  };
}

/** Numbers as they were asked for; names stay the engine's secret. */
function identityFrom(user = '', groups: readonly string[] | null | undefined): Pick<ContainerStatus, 'identity'> {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(user) ?? [];
  if (uid === undefined || gid === undefined) return {};
  const supplementalGroups = [...new Set([gid, ...(groups ?? [])].map(Number))].toSorted((a, b) => a - b);
  return { identity: { user: Number(uid), group: Number(gid), supplementalGroups } };
}

function resourcesOf({
  CpuShares,
  CpuPeriod,
  CpuQuota,
  Memory,
}: InspectedContainer['HostConfig']): NonNullable<ContainerStatus['resources']> {
  return {
    ...given('cpuShares', CpuShares),
    ...given('cpuPeriodMicros', CpuPeriod),
    ...given('cpuQuotaMicros', CpuQuota),
    ...given('memoryBytes', Memory),
  };
}

function given<K extends string>(name: K, amount = 0): Partial<Record<K, number>> {
  return amount > 0 ? ({ [name]: amount } as Record<K, number>) : {};
}

/** Identity of an inspected container; undefined when it is not ours. */
export function identityOf(raw: InspectedContainer): Identity | undefined {
  return decodeLabels(raw.Config.Labels);
}

function endReason(exitCode: number, { oomKilled, failedToStart }: Record<'oomKilled' | 'failedToStart', boolean>): string {
  if (failedToStart) return 'ContainerCannotRun';
  if (exitCode === 0) return 'Completed';
  // The engine also sets OOMKilled when only a child process was killed; the exit code is that of the main process.
  return oomKilled ? 'OOMKilled' : 'Error';
}

/** The engine may note the end of a very short life before its start. */
function endMs(text: string, startedAtMs: number): number {
  return Math.max(timeMs(text) ?? startedAtMs, startedAtMs);
}

function timeMs(text: string): number | undefined {
  return text === '' || text.startsWith('0001-') ? undefined : Date.parse(text);
}

function mountOf(raw: NonNullable<InspectedContainer['HostConfig']['Mounts']>[number]): Mount {
  const kind = raw.BindOptions?.Propagation;
  return {
    hostPath: raw.Source,
    containerPath: raw.Target,
    readOnly: raw.ReadOnly ?? false,
    propagation: kind === 'rslave' ? 'HostToContainer' : kind === 'rshared' ? 'Bidirectional' : 'None',
  };
}
