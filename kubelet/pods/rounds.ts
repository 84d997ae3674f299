// Rounds of a pod: a rule of one container may ask for all of them to start again, from the first init container on, in the sandbox and
// with the volumes that are there (RestartAllContainers). Every container carries the number of the round that it was made in: what is of
// an earlier round is stopped and never counts again, so a kubelet that is killed amid a round goes on from what it finds. Pure.
import type { Pod } from '#api/core/pod/pod.ts';
import { restartAction, restartsAll } from '#api/core/pod/restart.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { roundAnnotation } from '../runtime/labels.ts';
import { latestOf } from './observed.ts';

/** The number of the round that is on, or to begin: 0 for pods without such rules. */
export function roundOf({ spec }: Pod, observed: RuntimePod | undefined): number {
  const containers = lasting(spec);
  if (observed === undefined || !containers.some(restartsAll)) return 0;
  let round = 0;
  for (const status of observed.containers) {
    const container = containers.find(({ name }) => name === status.name);
    if (container === undefined) continue;
    round = Math.max(round, madeIn(status) + (asksForAll(container, status) ? 1 : 0));
  }
  return round;
}

/** True for a container that an earlier round left behind. */
export function isPast(status: ContainerStatus, round: number): boolean {
  return madeIn(status) < round;
}

/** True where the newest container of that name is an earlier round's, and has ended: the next one of it is to be made. */
export function isLeftOver(pod: Pod, observed: RuntimePod | undefined, name: string): boolean {
  const latest = latestOf(observed, name);
  return latest !== undefined && latest.state !== 'running' && isPast(latest, roundOf(pod, observed));
}

/** Whose end asked for this round; undefined once anything of it was made. */
export function starterOf({ spec }: Pod, observed: RuntimePod | undefined, round: number): ContainerStatus | undefined {
  if (round === 0) return undefined;
  const containers = lasting(spec);
  const known = (observed?.containers ?? []).filter(({ name }) => containers.some((one) => one.name === name));
  if (known.some((status) => !isPast(status, round))) return undefined;
  return known.find((status) =>
    asksForAll(
      containers.find(({ name }) => name === status.name),
      status,
    ),
  );
}

/** True from the end that asks for a round until nothing of the last one runs and the round has begun. */
export function isTurning(pod: Pod, observed: RuntimePod | undefined, round: number): boolean {
  if (round === 0) return false;
  const runs = observed?.containers.some((status) => status.state === 'running' && isPast(status, round)) ?? false;
  return runs || starterOf(pod, observed, round) !== undefined;
}

/** What a pod's life consists of: containers that are started again with it. */
function lasting({ initContainers = [], containers }: Pod['spec']): V1Container[] {
  return [...initContainers, ...containers];
}

function madeIn({ annotations }: ContainerStatus): number {
  return Number(annotations[roundAnnotation] ?? 0);
}

function asksForAll(container: V1Container | undefined, { state, exitCode }: ContainerStatus): boolean {
  return container !== undefined && state === 'exited' && restartAction(container, exitCode ?? 0) === 'RestartAllContainers';
}
