// Makes and deletes the pods of one owner. How it works: before it acts it notes in the expectations what the cache should come to show;
// the owner is left alone until the cache has shown it (pod-wakes.ts), or five minutes passed. What fails is taken back at once.
import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1PodTemplateSpec } from '#api/generated/types.ts';
import { keyOf, type KubeObject, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { TypedResource } from '#client/client.ts';
import type { ReconcileContext } from '#client/controller/define.ts';
import type { Expectations } from '#client/expectations.ts';
import { isNamespaceGoing } from '../namespace/going.ts';
import { podFromTemplate } from '../pods/from-template.ts';
import { slowStart } from '../pods/slow-start.ts';

/** What went wrong in a step; `error` is what to throw so that it is tried again. */
export interface ScaleFailure {
  readonly verb: 'create' | 'delete';
  readonly message: string;
  readonly error: unknown;
}

/** Makes `count` pods from the owner's template, carefully: the first failure ends it. Answers that failure. */
export async function createPods<T extends KubeObject>(
  { kind, owner, template, count }: { kind: TypedResource<T>; owner: T; template: V1PodTemplateSpec; count: number },
  expectations: Expectations,
  { key, client, events, signal }: ReconcileContext,
): Promise<ScaleFailure | undefined> {
  const parent = keyText(key);
  expectations.expectCreations(parent, count);
  const { succeeded, error } = await slowStart(count, async () => {
    try {
      const made = await client.create<Pod>(pod, podFromTemplate(kind, owner, template), {}, signal);
      events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
    } catch (failure) {
      if (!isNamespaceGoing(failure)) events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(failure)}`);
      throw failure;
    }
  });
  if (error === undefined) return undefined;
  for (let missing = succeeded; missing < count; missing++) expectations.creationSeen(parent);
  // A namespace that goes takes no new pods, and the owner goes soon: nothing to report.
  return isNamespaceGoing(error) ? undefined : { verb: 'create', message: messageOf(error), error };
}

/** Deletes these pods. Answers the first failure. */
export async function deletePods(
  { owner, pods }: { owner: KubeObject; pods: readonly Pod[] },
  expectations: Expectations,
  { key, client, events, signal }: ReconcileContext,
): Promise<ScaleFailure | undefined> {
  const parent = keyText(key);
  const uids = pods.map(({ metadata }) => metadata.uid ?? '');
  expectations.expectDeletions(parent, uids);
  const outcomes = await Promise.allSettled(
    pods.map(async (one) => {
      try {
        await client.delete(pod, keyOf(one), { uid: one.metadata.uid }, signal);
        events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${one.metadata.name}`);
      } catch (failure) {
        expectations.deletionSeen(parent, one.metadata.uid ?? '');
        // Gone already, or replaced by another pod of the same name.
        if (hasReason(failure, 'NotFound', 'Conflict')) return;
        events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(failure)}`);
        throw failure;
      }
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  return failed === undefined
    ? undefined
    : { verb: 'delete', message: `unable to delete pods: ${messageOf(failed.reason)}`, error: failed.reason };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
