import { describe, expect, it } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { chooseLog, hasContainer } from './choose-container.ts';

type Run = 'created' | 'running' | 'exited';

function observed(...runs: Run[]): RuntimePod {
  const containers = runs.map((state, at) => ({
    id: `${state}-${runs.length - at}`,
    name: 'main',
    state,
    startedAtMs: state === 'created' ? undefined : 1,
  }));
  return { pod: { name: 'p', namespace: 'n', uid: 'u' }, sandboxes: [], containers: containers as unknown as ContainerStatus[] };
}

function pod(waiting?: string): V1Pod {
  const state = waiting === undefined ? {} : { waiting: { reason: waiting } };
  return {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main' }], initContainers: [{ name: 'init' }] },
    status: { containerStatuses: [{ name: 'main', image: '', imageID: '', ready: false, restartCount: 0, state }] },
  } as V1Pod;
}

function choose(runtimePod: RuntimePod | undefined, previous: boolean, waiting?: string): ContainerStatus {
  return chooseLog({ pod: pod(waiting), status: undefined, observed: runtimePod, container: 'main', previous });
}

describe('chooseLog', () => {
  it.each<[string, RuntimePod, boolean, string | undefined, string]>([
    ['the running one', observed('running', 'exited'), false, undefined, 'running-2'],
    ['the ended one', observed('exited'), false, undefined, 'exited-1'],
    ['the last run while the next is only created', observed('created', 'exited'), false, undefined, 'exited-1'],
    ['the one before the running one', observed('running', 'exited'), true, undefined, 'exited-1'],
    ['the last run while waiting for a restart', observed('exited', 'exited'), true, 'CrashLoopBackOff', 'exited-2'],
    ['the one before the last when that has just ended', observed('exited', 'exited'), true, undefined, 'exited-1'],
  ])('%s', (_, runtimePod, previous, waiting, id) => {
    expect(choose(runtimePod, previous, waiting).id).toBe(id);
  });

  it.each<[string, RuntimePod | undefined, boolean, string | undefined, string]>([
    ['nothing before', observed('running'), true, undefined, 'previous terminated container "main" in pod "p" not found'],
    ['not yet created', undefined, false, 'ContainerCreating', 'container "main" in pod "p" is waiting to start: ContainerCreating'],
    ['no image', undefined, false, 'ErrImagePull', 'container "main" in pod "p" is waiting to start: image can\'t be pulled'],
    [
      'still no image',
      undefined,
      false,
      'ImagePullBackOff',
      'container "main" in pod "p" is waiting to start: trying and failing to pull image',
    ],
    ['not known', undefined, false, undefined, 'container "main" in pod "p" is not available'],
  ])('says why not: %s', (_, runtimePod, previous, waiting, message) => {
    expect(() => choose(runtimePod, previous, waiting)).toThrow(expect.objectContaining({ status: 400, message }));
  });

  it('knows init containers, and no others', () => {
    expect([hasContainer(pod(), 'init'), hasContainer(pod(), 'other')]).toEqual([true, false]);
  });
});
