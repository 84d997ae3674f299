// Validation of a pod's containers: regular, init (with sidecars) and ephemeral.
import type { V1Container, V1ContainerPort, V1EphemeralContainer } from '#api/generated/types.ts';
import { duplicate, invalid } from '../../meta/field-problem.ts';
import { portNameProblems, portNumberProblems } from '../../meta/names.ts';
import { Problems } from '../../meta/problems.ts';
import { Seen } from '../../meta/seen.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { portProtocols } from '../endpoints.ts';
import { checkEnvFrom, checkVariable } from './env.ts';
import { isSidecar } from './pod-resources.ts';
import { checkLifecycle, checkProbes } from './probes.ts';
import { type ClaimNames, checkContainerResources } from './resources.ts';
import { checkRestart } from './restart.ts';
import { checkContainerSecurity } from './security.ts';
import { checkVolumeDevices, checkVolumeMounts, type VolumeNames } from './volume-mounts.ts';

/** What containers are judged against. */
export interface ContainerContext {
  readonly volumes: VolumeNames;
  readonly claimNames: ClaimNames;
  readonly graceSeconds: number | undefined;
  readonly restartPolicy: string;
  /** False where the pod has a user namespace of its own. */
  readonly hostUsers: boolean;
  /** Names of the containers so far: regular ones first, then init, then ephemeral ones. */
  readonly names: Seen;
}

export type AnyContainer = Unchecked<V1Container>;

interface Containers {
  readonly containers?: readonly AnyContainer[] | undefined;
  readonly initContainers?: readonly AnyContainer[] | undefined;
  readonly ephemeralContainers?: readonly Unchecked<V1EphemeralContainer>[] | undefined;
}

/** All containers of a pod; it has at least one. */
export function checkContainers(spec: Containers, at: Problems, context: ContainerContext): void {
  const { containers = [], initContainers, ephemeralContainers } = spec;
  if (containers.length === 0) at.required('containers');
  at.each('containers', containers, checkContainer, context);
  at.each('containers', containers, checkHostPorts, new Seen());
  at.each('initContainers', initContainers, checkInitContainer, context);
  if (ephemeralContainers === undefined) return;
  const others = new Set([...containers, ...(initContainers ?? [])].map(({ name = '' }) => name));
  at.each('ephemeralContainers', ephemeralContainers, checkEphemeralContainer, { ...context, others });
}

function checkContainer(container: AnyContainer, at: Problems, context: ContainerContext): void {
  checkCommon(container, at, context);
  claimName(container.name ?? '', at, context.names);
  at.member('lifecycle', container.lifecycle, checkLifecycle, context.graceSeconds);
  checkProbes(container, at, context.graceSeconds);
  checkRestart(container, at);
}

/** Sidecars among init containers may have probes and hooks. */
function checkInitContainer(container: AnyContainer, at: Problems, context: ContainerContext): void {
  const { name = '', ports = [] } = container;
  checkCommon(container, at, context);
  checkRestart(container, at);
  if (name === '') context.names.add(name);
  else claimName(name, at, context.names);
  // Upstream looks at each by itself, and takes it for the first.
  if (ports.length > 0) at.addAll(Problems.of(`${at.path('', 1)}[0]`, container, checkHostPorts, new Seen()));
  if (isSidecar(container)) {
    at.member('lifecycle', container.lifecycle, checkLifecycle, context.graceSeconds);
    checkProbes(container, at, context.graceSeconds);
    return;
  }
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const text = 'may not be set for init containers without restartPolicy=Always';
    if (container[field] !== undefined) at.forbidden(field, text);
  }
}

const ephemeralFields: ReadonlySet<string> = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'envFrom',
  'env',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
]);

interface EphemeralContext extends ContainerContext {
  /** Names of regular and init containers. */
  readonly others: ReadonlySet<string>;
}

/** Containers for debugging, added to a running pod. */
function checkEphemeralContainer(container: Unchecked<V1EphemeralContainer>, at: Problems, context: EphemeralContext): void {
  const { targetContainerName = '', volumeMounts } = container;
  checkCommon(container, at, context);
  checkImageSpace(container, at);
  claimName(container.name ?? '', at, context.names);
  if (targetContainerName !== '' && !context.others.has(targetContainerName)) at.notFound('targetContainerName', targetContainerName);
  const text = 'cannot be set for an Ephemeral Container';
  for (const [field, value] of Object.entries(container)) {
    if (!ephemeralFields.has(field) && !isEmpty(value)) at.forbidden(field, text);
  }
  at.each('volumeMounts', volumeMounts, ({ subPath, subPathExpr }, mount) => {
    if (subPath) mount.forbidden('subPath', text);
    if (subPathExpr) mount.forbidden('subPathExpr', text);
  });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

/** Pods, unlike templates, may not have an image of spaces. */
export function checkImageSpace({ image = '' }: { readonly image?: string | undefined }, at: Problems): void {
  if (image.trim() !== image) at.invalid('image', image, 'must not have leading or trailing whitespace');
}

/** It runs once: there is nothing to restart. Older pods may say so all the same, and keep it. */
export function checkRestartOfInit(container: AnyContainer, at: Problems): void {
  if (container.resizePolicy === undefined || isSidecar(container)) return;
  at.each('resizePolicy', container.resizePolicy, ({ restartPolicy = '' }, policy) => {
    if (restartPolicy !== 'RestartContainer') return;
    const text = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    policy.add({ ...invalid(policy.path('restartPolicy'), restartPolicy, text), isForgiven: true });
  });
}

function claimName(name: string, at: Problems, names: Seen): void {
  if (!names.add(name)) at.duplicate('name', name);
}

/** What holds for containers of all sorts. */
function checkCommon(container: AnyContainer & Unchecked<V1EphemeralContainer>, at: Problems, context: ContainerContext): void {
  const { name = '', image = '' } = container;
  if (name === '') at.required('name');
  else at.dnsLabel('name', name);
  if (image === '') at.required('image');
  at.oneOf('terminationMessagePolicy', container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']);
  at.each('ports', container.ports, checkPort, new Seen());
  at.each('env', container.env, checkVariable);
  at.each('envFrom', container.envFrom, checkEnvFrom);
  checkVolumeMounts(container, at, context.volumes);
  checkVolumeDevices(container, at, context.volumes);
  at.oneOf('imagePullPolicy', container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  at.member('resources', container.resources, checkContainerResources, context.claimNames);
  at.member('resizePolicy', container.resizePolicy, checkResizePolicies, context.restartPolicy);
  at.member('securityContext', container.securityContext, checkContainerSecurity, context.hostUsers);
}

function checkPort({ name = '', containerPort = 0, hostPort = 0, protocol }: Unchecked<V1ContainerPort>, at: Problems, names: Seen): void {
  const texts = name === '' ? [] : portNameProblems(name);
  at.invalidEach('name', name, texts);
  if (name !== '' && texts.length === 0) claimName(name, at, names);
  if (containerPort === 0) at.required('containerPort');
  else at.invalidEach('containerPort', containerPort, portNumberProblems(containerPort));
  if (hostPort !== 0) at.invalidEach('hostPort', hostPort, portNumberProblems(hostPort));
  at.oneOf('protocol', protocol, portProtocols);
}

/** One host port, one container of the pod. */
function checkHostPorts({ ports }: AnyContainer, at: Problems, seen: Seen): void {
  at.each('ports', ports, checkHostPort, seen);
}

function checkHostPort({ hostPort = 0, hostIP = '', protocol = '' }: Unchecked<V1ContainerPort>, at: Problems, seen: Seen): void {
  if (hostPort === 0) return;
  const text = `${protocol}/${hostIP}/${hostPort}`;
  if (!seen.add(text)) at.duplicate('hostPort', text);
}

interface ResizePolicy {
  readonly resourceName?: string | undefined;
  readonly restartPolicy?: string | undefined;
}

/** Most problems are said to be the whole list's: upstream's oddity. */
function checkResizePolicies(policies: readonly ResizePolicy[], at: Problems, podRestartPolicy: string): void {
  const seen = new Seen();
  for (const [index, { resourceName = '', restartPolicy = '' }] of policies.entries()) {
    if (!seen.add(resourceName)) at.add(duplicate(`${at.path()}[${index}]`, resourceName));
    at.oneOf('', resourceName, ['cpu', 'memory']);
    at.oneOf('', restartPolicy, ['NotRequired', 'RestartContainer']);
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      at.invalid('', restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
  }
}
