// From our words to the engine's: the bodies of POST /containers/create. Pure.
import type { ContainerResources, ContainerSecurity, ContainerSpec, LogLimits, Mount, Refusal, SandboxSpec } from '../contract.ts';

/** What the engine is known to refuse, and which capabilities there are to give. */
export interface Abilities {
  readonly refuses: ReadonlySet<Refusal['what']>;
  /** Every capability this machine can give, without CAP_. */
  readonly capabilities: readonly string[];
}

/** How the containers of a pod live with its sandbox. */
export interface SandboxTies {
  readonly id: string;
  readonly hostIpc: boolean;
  readonly pidMode: '' | 'host' | 'pod';
  readonly cgroupParent: string;
  /** The runtime that runs it; undefined: an engine that does not say, so the default. */
  readonly runtime?: string | undefined;
}

/** Upstream's containerLogMaxSize and containerLogMaxFiles. */
const defaultLogLimits: LogLimits = { maxBytes: 10 * 2 ** 20, maxFiles: 5 };
const sandboxOomScore = -998;
const sandboxCpuShares = 2;

export function sandboxConfig(spec: SandboxSpec, image: string, labels: Record<string, string>, abilities: Abilities): object {
  return {
    ...(spec.hostNetwork === true ? {} : { Hostname: spec.hostname }),
    Image: image,
    Labels: labels,
    HostConfig: {
      NetworkMode: spec.hostNetwork === true ? 'host' : 'none',
      IpcMode: spec.hostIpc === true ? 'host' : 'shareable',
      PidMode: spec.hostPid === true ? 'host' : '',
      CgroupParent: spec.cgroupParent ?? '',
      ...(spec.runtimeHandler === undefined ? {} : { Runtime: spec.runtimeHandler }),
      Sysctls: spec.sysctls ?? {},
      OomScoreAdj: oomScore(sandboxOomScore, abilities),
      CpuShares: sandboxCpuShares,
      ReadonlyRootfs: true,
      SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
      RestartPolicy: { Name: 'no' },
      Init: false,
      LogConfig: logConfig(defaultLogLimits),
    },
  };
}

export function containerConfig(
  spec: ContainerSpec,
  image: string,
  labels: Record<string, string>,
  ties: SandboxTies,
  abilities: Abilities,
): object {
  const security = spec.security ?? {};
  const user = userOf(security);
  return {
    Image: image,
    ...(nonEmpty(spec.command) ? { Entrypoint: spec.command } : {}),
    ...(nonEmpty(spec.args) ? { Cmd: spec.args } : {}),
    Env: (spec.env ?? []).map(([name, value]) => `${name}=${value}`),
    ...(spec.workingDir === undefined || spec.workingDir === '' ? {} : { WorkingDir: spec.workingDir }),
    ...(user === undefined ? {} : { User: user }),
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    Labels: labels,
    OpenStdin: spec.stdin ?? false,
    StdinOnce: spec.stdinOnce ?? false,
    Tty: spec.tty ?? false,
    // Probes are the kubelet's; an image's own health check would only burn time.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: `container:${ties.id}`,
      IpcMode: ties.hostIpc ? 'host' : `container:${ties.id}`,
      PidMode: pidMode(spec, ties),
      CgroupParent: ties.cgroupParent,
      ...(ties.runtime === undefined ? {} : { Runtime: ties.runtime }),
      Mounts: (spec.mounts ?? []).map(mountConfig),
      Devices: (spec.devices ?? []).map((device) => ({
        PathOnHost: device.hostPath,
        PathInContainer: device.containerPath,
        CgroupPermissions: device.permissions,
      })),
      ...resourceConfig(spec.resources ?? {}),
      ...(spec.resources?.shmBytes === undefined ? {} : { ShmSize: spec.resources.shmBytes }),
      OomScoreAdj: oomScore(spec.resources?.oomScoreAdj ?? 0, abilities),
      ...securityConfig(security, abilities),
      RestartPolicy: { Name: 'no' },
      Init: false,
      LogConfig: logConfig(spec.logLimits ?? defaultLogLimits),
    },
  };
}

function logConfig({ maxBytes, maxFiles }: LogLimits): object {
  return { Type: 'json-file', Config: { 'max-size': String(maxBytes), 'max-file': String(maxFiles) } };
}

/** The part that can be changed while the container runs. */
export function resourceConfig(resources: ContainerResources): object {
  const { cpuShares, cpuPeriodMicros, cpuQuotaMicros, memoryBytes, pidsLimit } = resources;
  return {
    ...(cpuShares === undefined ? {} : { CpuShares: cpuShares }),
    ...(cpuQuotaMicros === undefined ? {} : { CpuPeriod: cpuPeriodMicros ?? 100_000, CpuQuota: cpuQuotaMicros }),
    // Memory and swap together: no swap, as upstream.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(pidsLimit === undefined ? {} : { PidsLimit: pidsLimit }),
  };
}

function oomScore(wanted: number, abilities: Abilities): number {
  return wanted < 0 && abilities.refuses.has('negativeOomScore') ? 0 : wanted;
}

function userOf(security: ContainerSecurity): string | undefined {
  const user = security.user === undefined ? security.userName : String(security.user);
  if (user === undefined) return undefined;
  return security.group === undefined ? user : `${user}:${security.group}`;
}

function pidMode(spec: ContainerSpec, ties: SandboxTies): string {
  if (spec.pidOf !== undefined) return `container:${spec.pidOf.containerId}`;
  if (ties.pidMode === 'host') return 'host';
  return ties.pidMode === 'pod' ? `container:${ties.id}` : '';
}

function mountConfig(mount: Mount): object {
  const kinds = { None: undefined, HostToContainer: 'rslave', Bidirectional: 'rshared' } as const;
  // Left to the engine it is private too, but for folders that the engine's own one lies in, such as `/`, where that is refused.
  const propagation = kinds[mount.propagation ?? 'None'];
  const readOnly = mount.readOnly ?? false;
  const options = {
    ...(propagation === undefined ? {} : { Propagation: propagation }),
    // Engines since Docker 25 would else extend it to what is mounted below; older ones know neither this word nor that habit.
    ...(readOnly ? { ReadOnlyNonRecursive: true } : {}),
  };
  return {
    Type: 'bind',
    Source: mount.hostPath,
    Target: mount.containerPath,
    ReadOnly: readOnly,
    ...(Object.keys(options).length === 0 ? {} : { BindOptions: options }),
  };
}

function securityConfig(security: ContainerSecurity, abilities: Abilities): object {
  const privileged = security.privileged ?? false;
  // An engine that cannot give everything gives all it has: the same but for the capabilities that this machine lacks.
  const imitated = privileged && abilities.refuses.has('privileged');
  const options = [
    ...(security.noNewPrivileges === true ? ['no-new-privileges'] : []),
    ...(imitated ? ['seccomp=unconfined', 'label=disable'] : privileged ? [] : seccompOption(security.seccomp)),
    ...appArmorOption(security.appArmor ?? (imitated ? 'unconfined' : 'runtime-default')),
  ];
  return {
    Privileged: privileged && !imitated,
    CapAdd: imitated ? [...abilities.capabilities] : capabilities(security.addCapabilities ?? [], abilities),
    CapDrop: imitated ? [] : [...(security.dropCapabilities ?? [])],
    GroupAdd: (security.supplementalGroups ?? []).map(String),
    ReadonlyRootfs: security.readOnlyRootFilesystem ?? false,
    SecurityOpt: options,
    ...(imitated ? { DeviceCgroupRules: ['a *:* rwm'] } : {}),
    ...(imitated || security.procMount === 'unmasked' ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
  };
}

function capabilities(wanted: readonly string[], abilities: Abilities): string[] {
  const plain = wanted.map((name) => name.toUpperCase().replace(/^CAP_/, ''));
  if (!abilities.refuses.has('sysResource')) return plain;
  if (plain.includes('ALL')) return [...abilities.capabilities];
  return plain.filter((name) => abilities.capabilities.includes(name));
}

/** Unset means unconfined, as upstream's default. */
function seccompOption(seccomp: ContainerSecurity['seccomp']): string[] {
  if (seccomp === 'runtime-default') return [];
  return seccomp === undefined || seccomp === 'unconfined' ? ['seccomp=unconfined'] : [`seccomp=${seccomp.profileJson}`];
}

function appArmorOption(appArmor: NonNullable<ContainerSecurity['appArmor']>): string[] {
  if (appArmor === 'runtime-default') return [];
  return [`apparmor=${appArmor === 'unconfined' ? appArmor : appArmor.profile}`];
}

function nonEmpty(list: readonly string[] | undefined): list is readonly string[] {
  return list !== undefined && list.length > 0;
}
