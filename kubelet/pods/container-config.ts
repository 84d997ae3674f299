// Makes the runtime's order for one container out of the pod's. Deciding is done by the pure parts beside this file; here their
// inputs are gathered: the pod's files on the node, mounts, a seccomp profile.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { ImageAccounts } from '../images/image-accounts.ts';
import type { ReferencedObjects } from '../volumes/objects.ts';
import type { PodPaths } from '../volumes/paths.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { ContainerSpec, LogLimits, Mount, ProcessIdentity, SandboxStatus } from '../runtime/contract.ts';
import type { StoredImage } from '../runtime/image-contract.ts';
import {
  containerHashAnnotation,
  podTerminationGracePeriodAnnotation,
  restartCountAnnotation,
  roundAnnotation,
  terminationMessagePathAnnotation,
  terminationMessagePolicyAnnotation,
} from '../runtime/labels.ts';
import { containerEnv, type EnvSources } from './env/container-env.ts';
import { expand } from './env/expand.ts';
import type { Allocatable } from './env/resource-ref.ts';
import { podHostname } from './network/hostname.ts';
import { hostNetworkHosts, managedHosts } from './network/hosts-file.ts';
import { containerIdentity } from './identity.ts';
import { containerHash } from './observed.ts';
import { containerResources } from './resources/container-resources.ts';
import { containerSecurity, SecurityError, seccompProfileOf } from './security.ts';

/** What every container of this node is made with. */
export interface NodeFacts {
  readonly name: string;
  readonly clusterDomain: string;
  readonly memoryBytes: number;
  readonly hostIps: () => readonly string[];
  readonly allocatable: () => Allocatable;
  readonly services: () => readonly Service[];
  /** Where Localhost seccomp profiles lie. */
  readonly seccompRoot: string;
  /** Containers that name no profile get the engine's own. */
  readonly seccompDefault: boolean;
  readonly logLimits: LogLimits;
}

export interface ContainerConfigDeps {
  readonly node: NodeFacts;
  readonly paths: PodPaths;
  readonly volumes: PodVolumes;
  readonly objects: ReferencedObjects;
  readonly accounts: Pick<ImageAccounts, 'of'>;
}

interface ContainerOrder {
  readonly pod: Pod;
  readonly container: V1Container;
  readonly attempt: number;
  readonly round: number;
  readonly sandbox: SandboxStatus;
  readonly image: StoredImage;
  /** For an ephemeral container: the container whose processes it sees. */
  readonly pidOf: string | undefined;
}

/** Of a file of variables: as much as upstream's proposal lets one have. */
const maxEnvFileBytes = 64 * 1_024;
const defaultMessagePath = '/dev/termination-log';

/** The whole specification of a container. Throws errors whose message says why it cannot be configured. */
export async function containerSpec(order: ContainerOrder, deps: ContainerConfigDeps, signal: AbortSignal): Promise<ContainerSpec> {
  const { pod, container, attempt, round, sandbox, image, pidOf } = order;
  refuseUnsupported(container);
  const { node, objects } = deps;
  const namespace = pod.metadata.namespace ?? '';
  const hostIps = node.hostIps();
  const env = containerEnv(pod, container, {
    configMap: (name) => objects.configMap(namespace, name),
    secret: (name) => objects.secret(namespace, name),
    file: await readEnvFiles(order, deps),
    services: node.services(),
    addresses: { podIps: sandbox.hostNetwork ? hostIps : sandbox.ips, hostIps },
    allocatable: node.allocatable(),
  });
  const lookup = (name: string): string | undefined => env.get(name);
  const { seccompDefault, logLimits } = node;
  const seccompJson = await readSeccomp(pod, container, node.seccompRoot);
  const asked = containerSecurity(pod, container, { imageUser: image.user, seccompJson, seccompDefault });
  const security = { ...asked, ...(await identityOf(order, deps, signal)) };
  const mounts = await allMounts(order, deps, env, signal);
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    imageId: image.id,
    ...(container.command === undefined ? {} : { command: container.command.map((word) => expand(word, lookup)) }),
    ...(container.args === undefined ? {} : { args: container.args.map((word) => expand(word, lookup)) }),
    env: [...env],
    ...(container.workingDir === undefined || container.workingDir === '' ? {} : { workingDir: container.workingDir }),
    mounts,
    resources: containerResources(pod, container, node),
    security,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    ...(pidOf === undefined ? {} : { pidOf: { containerId: pidOf } }),
    logLimits,
    logPath: `${logDirectory(pod)}/${container.name}/${attempt}.log`,
    ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
    annotations: annotationsOf(pod, container, attempt, round),
  };
}

/** Where upstream's log files of a pod go. */
export function logDirectory({ metadata: { name, namespace, uid } }: Pod): string {
  return `/var/log/pods/${namespace}_${name}_${uid}`;
}

function refuseUnsupported(container: V1Container): void {
  if ((container.volumeDevices ?? []).length > 0) throw new Error('block devices (volumeDevices) are not supported by this node yet');
  if ((container.resources?.claims ?? []).length > 0) throw new Error('resource claims are not supported by this node yet');
}

function annotationsOf(pod: Pod, container: V1Container, attempt: number, round: number): Record<string, string> {
  const { terminationGracePeriodSeconds } = pod.spec;
  return {
    [containerHashAnnotation]: containerHash(container),
    [restartCountAnnotation]: String(attempt),
    ...(round === 0 ? {} : { [roundAnnotation]: String(round) }),
    [terminationMessagePathAnnotation]: container.terminationMessagePath ?? defaultMessagePath,
    [terminationMessagePolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [podTerminationGracePeriodAnnotation]: String(terminationGracePeriodSeconds) }),
  };
}

/** Empty where the image's accounts are out of reach, so that the engine decides. */
async function identityOf(
  { pod, container, image }: ContainerOrder,
  { accounts }: ContainerConfigDeps,
  signal: AbortSignal,
): Promise<Partial<ProcessIdentity>> {
  const known = await accounts.of(image.id, signal);
  const identity = known === undefined ? undefined : containerIdentity(pod, container, image.user, known);
  if (identity === undefined && pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict') {
    throw new SecurityError(
      `cannot keep to supplementalGroupsPolicy Strict: the accounts of image ${JSON.stringify(container.image)} cannot be read`,
    );
  }
  return identity ?? {};
}

/** What the variables of a container refer to of the files that others before it wrote. */
async function readEnvFiles({ pod, container }: ContainerOrder, { volumes }: ContainerConfigDeps): Promise<EnvSources['file']> {
  const files = new Map<string, string | Error | undefined>();
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fileKeyRef === undefined) continue;
    const { volumeName, path } = valueFrom.fileKeyRef;
    const text = await volumes
      .readFile(pod, volumeName, path, maxEnvFileBytes)
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    files.set(`${volumeName}/${path}`, text);
  }
  return (volume, path) => files.get(`${volume}/${path}`);
}

async function readSeccomp(pod: Pod, container: V1Container, root: string): Promise<string | undefined> {
  const profile = seccompProfileOf(pod, container, false);
  if (profile?.type !== 'Localhost') return undefined;
  return await readFile(join(root, join('/', profile.localhostProfile ?? '')), 'utf8').catch(() => undefined);
}

async function allMounts(
  { pod, container, attempt, sandbox }: ContainerOrder,
  { volumes, paths, node }: ContainerConfigDeps,
  env: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Mount[]> {
  const mounts = await volumes.mountsOf(pod, container, env, signal);
  const taken = new Set(mounts.map(({ containerPath }) => containerPath));
  const uid = pod.metadata.uid ?? '';
  if (!taken.has('/etc/hosts')) {
    const file = paths.etcHosts(uid);
    await writeHosts(file, pod, sandbox, node);
    mounts.push({ hostPath: file, containerPath: '/etc/hosts' });
  }
  const messagePath = container.terminationMessagePath ?? defaultMessagePath;
  if (messagePath !== '' && !taken.has(messagePath)) {
    // Named after the attempt, so that a container made twice by mistake is the same both times.
    const folder = paths.container(uid, container.name);
    const file = join(folder, String(attempt));
    await mkdir(folder, { recursive: true, mode: 0o750 });
    await writeFile(file, '', { flag: 'a' });
    await chmod(file, 0o666);
    mounts.push({ hostPath: file, containerPath: messagePath });
  }
  return mounts;
}

async function writeHosts(file: string, pod: Pod, sandbox: SandboxStatus, node: NodeFacts): Promise<void> {
  const aliases = pod.spec.hostAliases ?? [];
  const text = sandbox.hostNetwork
    ? hostNetworkHosts(await readFile('/etc/hosts', 'utf8').catch(() => ''), aliases)
    : managedHosts(sandbox.ips, podHostname(pod, node.clusterDomain, node.name), aliases);
  await mkdir(join(file, '..'), { recursive: true, mode: 0o750 });
  // Written in place: containers that run hold a mount of this very file.
  await writeFile(file, text, { mode: 0o644 });
  await chmod(file, 0o644);
}
