import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { PullSecret } from '../images/credentials.ts';
import { ImageError, type ImagePuller } from '../images/image-puller.ts';
import type { PullPolicy } from '../images/plan.ts';
import { isRuntimeError, type Runtime, type RuntimePod } from '../runtime/contract.ts';
import type { StoredImage } from '../runtime/image-contract.ts';
import { containerSpec, type ContainerConfigDeps } from './container-config.ts';
import { type HookDeps, HookError, runHook } from './hooks.ts';
import { latestOf } from './observed.ts';
import type { Step } from './plan.ts';

/** The container did not come to run; `reason` and `message` are its waiting state. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  /** Set when a container was made that will never run. */
  readonly unstartableId: string | undefined;

  constructor(reason: string, message: string, options: { retryAfterMs?: number | undefined; id?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
    this.unstartableId = options.id;
  }
}

export type Recorder = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

export interface ContainerStarterDeps extends ContainerConfigDeps, HookDeps {
  readonly runtime: Runtime;
  readonly images: ImagePuller;
}

type StartStep = Extract<Step, { do: 'startContainer' }>;

interface StartOrder {
  readonly pod: Pod;
  readonly step: StartStep;
  readonly observed: RuntimePod | undefined;
  readonly record: Recorder;
  /** Says what concerns the pod, not the container alone. */
  readonly recordPod: Recorder;
}

/** Image, container, start, postStart hook, in this order. Throws StartError; what was made stays for the next look. */
export async function startContainer(order: StartOrder, deps: ContainerStarterDeps, signal: AbortSignal): Promise<void> {
  const { pod, step, record } = order;
  const container = containerOf(pod, step.name);
  const id = step.madeId ?? (await make(order, container, deps, signal));
  try {
    await deps.runtime.startContainer(id, signal);
  } catch (error) {
    signal.throwIfAborted();
    const message = text(error);
    record('Warning', 'Failed', `Error: ${message}`);
    // An engine that is away may still start it the next time.
    throw new StartError('RunContainerError', message, { cause: error, ...(isRuntimeError(error, 'Unavailable') ? {} : { id }) });
  }
  record('Normal', 'Started', 'Container started');
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return;
  const podIp = step.sandbox.ips[0] ?? deps.node.hostIps()[0] ?? '';
  try {
    await runHook(hook, { pod, container, containerId: id, podIp, record }, deps, signal);
  } catch (error) {
    signal.throwIfAborted();
    record('Warning', 'FailedPostStartHook', 'PostStartHook failed');
    record('Normal', 'Killing', 'FailedPostStartHook');
    await deps.runtime.stopContainer(id, (pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000, signal);
    throw new StartError('PostStartHookError', text(error), { cause: error });
  }
}

async function make(
  { pod, step, observed, record, recordPod }: StartOrder,
  container: V1Container,
  deps: ContainerStarterDeps,
  signal: AbortSignal,
): Promise<string> {
  const missing = pullSecrets(pod, deps).filter(({ secret }) => secret === undefined);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    const message = `Unable to retrieve some image pull secrets (${names}); attempting to pull the image may not succeed.`;
    recordPod('Warning', 'FailedToRetrieveImagePullSecret', message);
  }
  const image = await ensureImage(pod, { name: container.image, policy: container.imagePullPolicy }, record, deps, signal);
  await mountImages(pod, container, record, deps, signal);
  const target = (pod.spec.ephemeralContainers ?? []).find(({ name }) => name === step.name)?.targetContainerName;
  const pidOf = target === undefined ? undefined : latestOf(observed, target)?.id;
  const fail = (reason: string, error: unknown): never => {
    signal.throwIfAborted();
    record('Warning', 'Failed', `Error: ${text(error)}`);
    throw new StartError(reason, text(error), { cause: error });
  };
  const order = { pod, container, attempt: step.attempt, round: step.round, sandbox: step.sandbox, image, pidOf };
  const spec = await containerSpec(order, deps, signal).catch((error: unknown) => fail('CreateContainerConfigError', error));
  const id = await deps.runtime
    .createContainer(step.sandbox.id, spec, signal)
    .catch((error: unknown) => fail('CreateContainerError', error));
  record('Normal', 'Created', 'Container created');
  return id;
}

/** The images that the container sees as volumes; those that are shown already stay, whatever has become of their names. */
async function mountImages(
  pod: Pod,
  container: V1Container,
  record: Recorder,
  deps: ContainerStarterDeps,
  signal: AbortSignal,
): Promise<void> {
  const names = new Set((container.volumeMounts ?? []).map(({ name }) => name));
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.image === undefined || !names.has(volume.name) || (await deps.volumes.hasImage(pod, volume))) continue;
    const { reference, pullPolicy } = volume.image;
    const { id } = await ensureImage(pod, { name: reference, policy: pullPolicy }, record, deps, signal);
    try {
      const layers = await deps.runtime.images.layers(id, signal);
      if (layers === undefined) throw new Error('only the storage driver overlay2 of the container engine shows images as volumes');
      await deps.volumes.mountImage(pod, volume, layers, signal);
    } catch (error) {
      signal.throwIfAborted();
      record('Warning', 'Failed', `Error: ${text(error)}`);
      throw new StartError('CreateContainerError', `failed to mount image volume ${JSON.stringify(volume.name)}: ${text(error)}`, {
        cause: error,
      });
    }
  }
}

async function ensureImage(
  pod: Pod,
  { name, policy }: { readonly name: string | undefined; readonly policy: string | undefined },
  record: Recorder,
  deps: ContainerStarterDeps,
  signal: AbortSignal,
): Promise<StoredImage> {
  const request = {
    podUid: pod.metadata.uid ?? '',
    image: name ?? '',
    policy: (policy ?? 'IfNotPresent') as PullPolicy,
    secrets: pullSecrets(pod, deps).flatMap(({ secret }) => secret ?? []),
    notify: ({ type, reason, message }: { type: 'Normal' | 'Warning'; reason: string; message: string }) => record(type, reason, message),
  };
  try {
    return await deps.images.ensure(request, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ImageError)) throw error;
    record('Warning', 'Failed', `Error: ${error.reason}`);
    throw new StartError(error.reason, error.message, { retryAfterMs: error.retryAfterMs, cause: error });
  }
}

/** What the pod shows registries; undefined where there is no such Secret. Entries without a name count for nothing, as upstream. */
function pullSecrets(pod: Pod, { objects }: Pick<ContainerStarterDeps, 'objects'>): { name: string; secret: PullSecret | undefined }[] {
  const names = (pod.spec.imagePullSecrets ?? []).map(({ name = '' }) => name).filter((name) => name !== '');
  return names.map((name) => ({ name, secret: objects.secret(pod.metadata.namespace ?? '', name) }));
}

function containerOf(pod: Pod, name: string): V1Container {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const found = [...containers, ...initContainers, ...ephemeralContainers].find((one) => one.name === name);
  if (found === undefined) throw new StartError('CreateContainerConfigError', `the pod has no container ${name}`);
  return found;
}

function text(error: unknown): string {
  return error instanceof Error && !(error instanceof HookError && error.message === '') ? error.message : String(error);
}
