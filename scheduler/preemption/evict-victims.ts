// Makes the room that was decided on: says in each victim why it goes, deletes it, and takes promises of the same room back from
// less important pods.
import { type Pod, pod as podKind } from '#api/core/pod/pod.ts';
import { keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { type ActionRecorder, referenceTo } from '#client/events.ts';
import { timeText } from '#client/timestamps.ts';
import type { PodInfo } from '../framework/pod-info.ts';

interface EvictionDeps {
  readonly client: Client;
  readonly events: ActionRecorder;
  readonly clock: Clock;
  readonly schedulerName: string;
}

export interface Room {
  readonly pod: PodInfo;
  readonly nodeName: string;
  readonly victims: readonly PodInfo[];
  /** Nominated pods of lower priority on this node: they lose their nomination. */
  readonly outranked: readonly PodInfo[];
}

/** Rejects with the API server's error, except for victims that are gone already. */
export async function evictVictims(deps: EvictionDeps, { pod, nodeName, victims, outranked }: Room, signal: AbortSignal): Promise<void> {
  const { client, events } = deps;
  for (const { pod: other } of outranked) {
    const patch = { metadata: { uid: other.metadata.uid }, status: { nominatedNodeName: null } };
    await unlessGone(client.patch(podKind, keyOf(other), patch, { type: 'strategic', subresource: 'status' }, signal));
  }
  for (const { pod: victim } of victims) {
    if (victim.metadata.deletionTimestamp === undefined) {
      const marked = await unlessGone(
        client.patch(podKind, keyOf(victim), aboutToGo(victim, deps), { type: 'strategic', subresource: 'status' }, signal),
      );
      if (marked === undefined) continue;
      await unlessGone(client.delete(podKind, keyOf(victim), { uid: victim.metadata.uid }, signal));
    }
    events.record({
      regarding: referenceTo(victim),
      related: referenceTo(pod.pod),
      type: 'Normal',
      reason: 'Preempted',
      action: 'Preempting',
      note: `Preempted by pod ${pod.uid} on node ${nodeName}`,
    });
  }
}

function aboutToGo({ metadata }: Pod, { clock, schedulerName }: EvictionDeps): object {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timeText(clock.nowMs()),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
  return { metadata: { uid: metadata.uid }, status: { conditions: [condition] } };
}

/** Undefined where the pod is gone, or another one has its name by now. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasReason(error, 'NotFound', 'Conflict')) return undefined;
    throw error;
  }
}
