// Builders for tests of planning and status.
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { ContainerState, ContainerStatus, RuntimePod, SandboxStatus } from '../runtime/contract.ts';
import { containerHashAnnotation } from '../runtime/labels.ts';
import { containerHash } from './observed.ts';

const identity = { name: 'p', namespace: 'ns', uid: 'u' };

export function aPod(spec: Partial<Pod['spec']> = {}, rest: Omit<Partial<Pod>, 'spec'> = {}): Pod {
  return { metadata: { ...identity, generation: 1 }, spec: { containers: [aContainer('c')], ...spec }, ...rest };
}

export function aContainer(name: string, rest: Partial<V1Container> = {}): V1Container {
  return { name, image: 'app', ...rest };
}

export function aSandbox(attempt = 0, rest: Partial<SandboxStatus> = {}): SandboxStatus {
  return {
    id: `s${attempt}`,
    pod: identity,
    attempt,
    state: 'ready',
    createdAtMs: attempt,
    labels: {},
    annotations: {},
    pid: 1,
    netnsPath: '/proc/1/ns/net',
    hostNetwork: false,
    ips: ['10.244.0.9'],
    ...rest,
  };
}

/** `state` is running, created, or the exit code of one that has ended. */
export function seen(name: string, state: ContainerState | number, rest: Partial<ContainerStatus> = {}): ContainerStatus {
  const attempt = rest.attempt ?? 0;
  const exited = typeof state === 'number';
  return {
    id: `${name}-${attempt}`,
    name,
    attempt,
    sandboxId: 's0',
    state: exited ? 'exited' : state,
    createdAtMs: 1_000,
    image: 'app',
    labels: {},
    annotations: { [containerHashAnnotation]: containerHash({ name, image: 'app' }) },
    imageRef: 'sha256:1',
    pid: exited ? undefined : 7,
    startedAtMs: state === 'created' ? undefined : 1_000,
    finishedAtMs: exited ? 2_000 : undefined,
    exitCode: exited ? state : undefined,
    oomKilled: false,
    reason: exited ? (state === 0 ? 'Completed' : 'Error') : undefined,
    message: undefined,
    mounts: [],
    logPath: undefined,
    tty: false,
    stdin: false,
    ...rest,
  };
}

/** Containers newest first. */
export function observed(containers: readonly ContainerStatus[], sandboxes: readonly SandboxStatus[] = [aSandbox()]): RuntimePod {
  return { pod: identity, sandboxes, containers };
}
