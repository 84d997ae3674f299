// Since when a Service's endpoints wait to be published: consumers measure from there how long a change took to reach them
// (upstream's staging/src/k8s.io/endpointslice/trigger_time_tracker.go).
import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import { findCondition } from '#api/meta/conditions.ts';

export const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Remembers, per Service, when each of its pods became ready or not. */
export class TriggerTimes {
  readonly #known = new Map<string, ReadonlyMap<string, number>>();

  /** The earliest change since the last look, as a text for the annotation; undefined where no pod's readiness changed. The first look gives the Service's creation. */
  next(key: string, { metadata }: Service, pods: readonly Pod[]): string | undefined {
    const before = this.#known.get(key);
    const now = new Map(pods.map((pod) => [pod.metadata.name ?? '', readinessChangedMs(pod)]));
    this.#known.set(key, now);
    if (before === undefined) return metadata.creationTimestamp;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const [name, changedMs] of now) if (changedMs > (before.get(name) ?? 0)) earliestMs = Math.min(earliestMs, changedMs);
    return earliestMs === Number.POSITIVE_INFINITY ? undefined : new Date(earliestMs).toISOString().replace('.000Z', 'Z');
  }

  /** The Service is gone. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}

/** Annotations with the time, or without the one of an earlier change. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [triggerAnnotation]: _old, ...others } = annotations ?? {};
  return time === undefined ? others : { ...others, [triggerAnnotation]: time };
}

function readinessChangedMs({ status }: Pod): number {
  return Date.parse(findCondition(status?.conditions, 'Ready')?.lastTransitionTime ?? '') || 0;
}
