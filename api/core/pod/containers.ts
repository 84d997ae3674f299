// Validation of a pod's containers: regular, init (with sidecars) and ephemeral.
import type { V1Container, V1ContainerPort, V1EphemeralContainer } from '#api/generated/types.ts';
import { dnsLabel, invalidEach, oneOf, oneOfIfSet } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, notSupported, required, valueNotFound } from '../../meta/field-problem.ts';
import { portNameProblems, portNumberProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { portProtocols } from '../endpoints.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { isSidecar } from './pod-resources.ts';
import { validateLifecycle, validateProbes } from './probes.ts';
import { type ClaimNames, validateContainerResources } from './resources.ts';
import { validateContainerSecurity } from './security.ts';
import { type VolumeNames, validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts';

/** What containers are judged against. */
export interface ContainerContext {
  readonly volumes: VolumeNames;
  readonly claimNames: ClaimNames;
  readonly graceSeconds: number | undefined;
  readonly restartPolicy: string;
  /** False where the pod has a user namespace of its own. */
  readonly hostUsers: boolean;
}

export type AnyContainer = Unchecked<V1Container>;

/** The main containers: at least one. */
export function validateContainers(containers: readonly AnyContainer[], context: ContainerContext, path: string): FieldProblem[] {
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  const problems = containers.flatMap((container, at) => {
    const own = `${path}[${at}]`;
    const found = validateCommon(container, context, own);
    found.push(...claimName(container.name ?? '', names, own));
    if (container.lifecycle !== undefined) {
      found.push(...validateLifecycle(container.lifecycle, context.graceSeconds, `${own}.lifecycle`));
    }
    found.push(...validateProbes(container, context.graceSeconds, own));
    found.push(...validateRestartPolicy(container, ['Always', 'OnFailure', 'Never'], `${own}.restartPolicy`));
    return found;
  });
  return [...problems, ...validateHostPorts(containers, path)];
}

/** A rule of its own for one container's restarts. */
function validateRestartPolicy({ restartPolicy, restartPolicyRules = [] }: AnyContainer, allowed: readonly string[], field: string) {
  const problems = oneOfIfSet(field, restartPolicy, allowed);
  if (restartPolicyRules.length > 0 && restartPolicy === undefined) {
    problems.push(required(field, 'must specify restartPolicy when restart rules are used'));
  }
  return problems;
}

/** Init containers; sidecars among them may have probes and hooks. */
export function validateInitContainers(
  containers: readonly AnyContainer[],
  regular: readonly AnyContainer[],
  context: ContainerContext,
  path: string,
): FieldProblem[] {
  const names = new Set(regular.map(({ name = '' }) => name));
  return containers.flatMap((container, at) => {
    const own = `${path}[${at}]`;
    const problems = validateCommon(container, context, own);
    problems.push(...validateRestartPolicy(container, ['Always', 'OnFailure', 'Never'], `${own}.restartPolicy`));
    if ((container.name ?? '') !== '') problems.push(...claimName(container.name ?? '', names, own));
    problems.push(...validateHostPorts([container], path));
    if (isSidecar(container)) {
      if (container.lifecycle !== undefined) {
        problems.push(...validateLifecycle(container.lifecycle, context.graceSeconds, `${own}.lifecycle`));
      }
      return [...problems, ...validateProbes(container, context.graceSeconds, own)];
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      const text = 'may not be set for init containers without restartPolicy=Always';
      if (container[field] !== undefined) problems.push(forbiddenField(`${own}.${field}`, text));
    }
    return problems;
  });
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

/** Containers for debugging, added to a running pod. */
export function validateEphemeralContainers(
  containers: readonly Unchecked<V1EphemeralContainer>[],
  others: readonly AnyContainer[],
  context: ContainerContext,
  path: string,
): FieldProblem[] {
  const otherNames = new Set(others.map(({ name = '' }) => name));
  const names = new Set(otherNames);
  return containers.flatMap((container, at) => {
    const own = `${path}[${at}]`;
    const { targetContainerName = '', volumeMounts = [] } = container;
    const problems = [...validateCommon(container, context, own), ...validateImageSpace(container, own)];
    problems.push(...claimName(container.name ?? '', names, own));
    if (targetContainerName !== '' && !otherNames.has(targetContainerName)) {
      problems.push(valueNotFound(`${own}.targetContainerName`, targetContainerName));
    }
    const text = 'cannot be set for an Ephemeral Container';
    for (const [field, value] of Object.entries(container)) {
      if (!ephemeralFields.has(field) && !isEmpty(value)) problems.push(forbiddenField(`${own}.${field}`, text));
    }
    volumeMounts.forEach(({ subPath, subPathExpr }, index) => {
      if (subPath) problems.push(forbiddenField(`${own}.volumeMounts[${index}].subPath`, text));
      if (subPathExpr) problems.push(forbiddenField(`${own}.volumeMounts[${index}].subPathExpr`, text));
    });
    return problems;
  });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

/** Pods, unlike templates, may not have an image of spaces. */
export function validateImageSpace({ image = '' }: { readonly image?: string | undefined }, path: string): FieldProblem[] {
  return image.trim() === image ? [] : [invalid(`${path}.image`, image, 'must not have leading or trailing whitespace')];
}

function claimName(name: string, names: Set<string>, path: string): FieldProblem[] {
  if (names.has(name)) return [duplicate(`${path}.name`, name)];
  names.add(name);
  return [];
}

/** What holds for containers of all sorts. */
function validateCommon(
  container: AnyContainer & Unchecked<V1EphemeralContainer>,
  context: ContainerContext,
  path: string,
): FieldProblem[] {
  const { name = '', image = '', volumeMounts = [], volumeDevices = [] } = container;
  const messagePolicies = ['File', 'FallbackToLogsOnError'];
  return [
    ...(name === '' ? [required(`${path}.name`)] : dnsLabel(`${path}.name`, name)),
    ...(image === '' ? [required(`${path}.image`)] : []),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, messagePolicies),
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateVolumeMounts(container, context.volumes, `${path}.volumeMounts`),
    ...validateVolumeDevices(volumeDevices, volumeMounts, context.volumes, `${path}.volumeDevices`),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...validateContainerResources(container.resources, context.claimNames, `${path}.resources`),
    ...validateResizePolicy(container.resizePolicy ?? [], context.restartPolicy, `${path}.resizePolicy`),
    ...validateContainerSecurity(container.securityContext, context.hostUsers, `${path}.securityContext`),
  ];
}

function validatePorts(ports: readonly Unchecked<V1ContainerPort>[], path: string): FieldProblem[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = '', containerPort = 0, hostPort = 0, protocol }, at) => {
    const own = `${path}[${at}]`;
    const problems: FieldProblem[] = [];
    if (name !== '') {
      const texts = portNameProblems(name);
      if (texts.length > 0) problems.push(...invalidEach(`${own}.name`, name, texts));
      else problems.push(...claimName(name, names, own));
    }
    if (containerPort === 0) problems.push(required(`${own}.containerPort`));
    else problems.push(...invalidEach(`${own}.containerPort`, containerPort, portNumberProblems(containerPort)));
    if (hostPort !== 0) problems.push(...invalidEach(`${own}.hostPort`, hostPort, portNumberProblems(hostPort)));
    return [...problems, ...oneOf(`${own}.protocol`, protocol, portProtocols)];
  });
}

/** One host port, one container of the pod. */
function validateHostPorts(containers: readonly AnyContainer[], path: string): FieldProblem[] {
  const seen = new Set<string>();
  return containers.flatMap(({ ports = [] }, at) =>
    ports.flatMap(({ hostPort = 0, hostIP = '', protocol = '' }, index) => {
      if (hostPort === 0) return [];
      const text = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(text)) return [duplicate(`${path}[${at}].ports[${index}].hostPort`, text)];
      seen.add(text);
      return [];
    }),
  );
}

function validateResizePolicy(
  policies: readonly { readonly resourceName?: string | undefined; readonly restartPolicy?: string | undefined }[],
  podRestartPolicy: string,
  path: string,
): FieldProblem[] {
  const seen = new Set<string>();
  return policies.flatMap(({ resourceName = '', restartPolicy = '' }, at) => {
    const problems = seen.has(resourceName) ? [duplicate(`${path}[${at}]`, resourceName)] : [];
    seen.add(resourceName);
    problems.push(...supported(path, resourceName, ['cpu', 'memory']));
    problems.push(...supported(path, restartPolicy, ['NotRequired', 'RestartContainer']));
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      problems.push(invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return problems;
  });
}

function supported(field: string, value: string, values: readonly string[]): FieldProblem[] {
  if (value === '') return [required(field)];
  return values.includes(value) ? [] : [notSupported(field, value, values)];
}
