// What a DELETE does to an object, decided from the object and the request alone. Rules are upstream's rest.BeforeDelete, the generic
// store's finalizer handling and, for kinds that are held, the namespace store.
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { timeText } from '#api/meta/time-text.ts';
import type { DeleteRequest } from './contract.ts';

export type DeletionPlan =
  /** It is going already and nothing is to be added. */
  | { readonly do: 'nothing' }
  /** It stays for now: store it with this metadata (and the kind's mark); `thenRemove` says that nothing holds it any longer. */
  | { readonly do: 'mark'; readonly metadata: ObjectMeta; readonly beginsHold: boolean; readonly thenRemove: boolean }
  | { readonly do: 'remove' };

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';
const longestPeriodMs = 2 ** 63 / 1_000_000;

/** Decides one attempt of a delete. */
export function planDeletion(kind: KindDefinition, object: KubeObject, request: DeleteRequest, nowMs: number): DeletionPlan {
  const meta = object.metadata;
  const finalizers = collectedFinalizers(kind, meta.finalizers ?? [], request);
  if (kind.deletionHold !== undefined) {
    if (meta.deletionTimestamp === undefined) {
      const metadata = { ...withFinalizers(meta, finalizers), deletionTimestamp: timeText(nowMs) };
      return { do: 'mark', metadata, beginsHold: true, thenRemove: false };
    }
    if (kind.deletionHold.isHeld(object)) return { do: 'nothing' };
  }
  const graceful = planGrace(kind, object, request, nowMs);
  if (graceful === 'pending') return { do: 'nothing' };
  const isPending = finalizers.length > 0;
  if (graceful !== undefined) {
    const metadata = { ...withFinalizers(meta, finalizers), ...graceful };
    return { do: 'mark', metadata, beginsHold: false, thenRemove: !isPending && graceful.deletionGracePeriodSeconds === 0 };
  }
  if (!isPending) return { do: 'remove' };
  return { do: 'mark', metadata: markedNow(withFinalizers(meta, finalizers), nowMs), beginsHold: false, thenRemove: false };
}

/** True when an update leaves nothing that holds an object being deleted. */
export function isReleased(kind: KindDefinition, next: KubeObject, prev: KubeObject): boolean {
  if (prev.metadata.deletionTimestamp === undefined) return false;
  if ((next.metadata.finalizers ?? []).length > 0) return false;
  if ((prev.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  return kind.deletionHold?.isHeld(next) !== true;
}

type Grace = Required<Pick<ObjectMeta, 'deletionTimestamp' | 'deletionGracePeriodSeconds'>> & Pick<ObjectMeta, 'generation'>;

/** Graceful deletion: what to write; 'pending' when it runs already and may not change; undefined when the kind has none. */
function planGrace(kind: KindDefinition, object: KubeObject, request: DeleteRequest, nowMs: number): Grace | 'pending' | undefined {
  if (kind.gracefulDeletion === undefined) return undefined;
  const meta = object.metadata;
  const wanted = request.gracePeriodSeconds === undefined ? undefined : atLeastZero(request.gracePeriodSeconds);
  if (meta.deletionTimestamp !== undefined) {
    const set = atLeastZero(meta.deletionGracePeriodSeconds ?? 0);
    if (set === 0) return undefined;
    if (wanted === undefined || wanted >= set) return 'pending';
    return sooner(Date.parse(meta.deletionTimestamp) - periodMs(set), wanted, nowMs);
  }
  const seconds = kind.gracefulDeletion(object, wanted);
  if (seconds === undefined) return undefined;
  return {
    deletionTimestamp: timeText(nowMs + periodMs(seconds)),
    deletionGracePeriodSeconds: seconds,
    ...((meta.generation ?? 0) > 0 ? { generation: (meta.generation ?? 0) + 1 } : {}),
  };
}

/** A shorter period, counted from when deletion began. What would have ended by now ends now, still gracefully if it was to. */
function sooner(begunMs: number, seconds: number, nowMs: number): Grace {
  const endMs = begunMs + periodMs(seconds);
  if (endMs >= nowMs) return { deletionTimestamp: timeText(endMs), deletionGracePeriodSeconds: seconds };
  return { deletionTimestamp: timeText(nowMs), deletionGracePeriodSeconds: Math.min(seconds, 1) };
}

/** As Go has it: nanoseconds of 64 bits, which go round after 292 years. */
function periodMs(seconds: number): number {
  const ms = seconds * 1_000;
  return ms <= longestPeriodMs ? ms : Number(BigInt.asIntN(64, BigInt(seconds) * 1_000_000_000n) / 1_000_000n);
}

/** Negative periods count as one second. */
function atLeastZero(seconds: number): number {
  return seconds < 0 ? 1 : seconds;
}

/** Marks an object that only finalizers hold. */
function markedNow(meta: ObjectMeta, nowMs: number): ObjectMeta {
  const marked: ObjectMeta = { ...meta, deletionGracePeriodSeconds: 0 };
  if (meta.deletionTimestamp === undefined && (meta.generation ?? 0) > 0) marked.generation = (meta.generation ?? 0) + 1;
  if (meta.deletionTimestamp === undefined || Date.parse(meta.deletionTimestamp) > nowMs) marked.deletionTimestamp = timeText(nowMs);
  return marked;
}

/** The finalizers with those of the garbage collector as the request (or what was there) wants them. */
function collectedFinalizers(kind: KindDefinition, current: readonly string[], request: DeleteRequest): readonly string[] {
  const others = current.filter((one) => one !== orphanFinalizer && one !== foregroundFinalizer);
  const wanted = collectorFinalizer(kind, current, request);
  const next = wanted === undefined ? others : [...others, wanted];
  return next.length === current.length && next.every((one) => current.includes(one)) ? current : next;
}

function collectorFinalizer(kind: KindDefinition, current: readonly string[], request: DeleteRequest): string | undefined {
  if (kind.defaultPropagation === 'Unsupported') return undefined;
  if (request.orphanDependents !== undefined) return request.orphanDependents ? orphanFinalizer : undefined;
  switch (request.propagationPolicy) {
    case 'Orphan':
      return orphanFinalizer;
    case 'Foreground':
      return foregroundFinalizer;
    case 'Background':
      return undefined;
    case undefined:
      break;
  }
  const kept = current.find((one) => one === orphanFinalizer || one === foregroundFinalizer);
  return kept ?? (kind.defaultPropagation === 'Orphan' ? orphanFinalizer : undefined);
}

function withFinalizers(meta: ObjectMeta, finalizers: readonly string[]): ObjectMeta {
  const { finalizers: _before, ...rest } = meta;
  return finalizers.length === 0 ? rest : { ...rest, finalizers: [...finalizers] };
}
