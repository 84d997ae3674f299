// delete and deletecollection. Each attempt decides anew from the newest object (plan-deletion.ts), then marks or removes under guard.
import type { KindDefinition } from '#api/kind.ts';
import { type Json, keyText, type KubeObject } from '#api/meta/object.ts';
import { type ApiError, conflict, hasReason, notFound } from '#api/meta/status.ts';
import { equalJson } from '#api/patch/json-object.ts';
import { CachedObject } from '../storage/cached-object.ts';
import { WorkSlice } from '../work-slice.ts';
import type { LargeWork } from '../large/contract.ts';
import { decodeElsewhere } from '../large/large-write.ts';
import type { AdmissionChain } from './admission-chain.ts';
import type { DeleteAnswer, DeleteRequest, ListAnswer, RequestContext } from './contract.ts';
import type { Clock } from '#base/clock.ts';
import type { ObjectStore } from './object-store.ts';
import { plainEncoded } from './plain-encoded.ts';
import { type DeletionPlan, planDeletion } from './plan-deletion.ts';
import type { ServedKind } from './served-kinds.ts';
import { resourceOf } from './writer.ts';

/** How many objects of a collection are deleted at a time: enough to fill a commit. */
const parallel = 50;
/** Objects, by their JSON, that are looked at before other requests get their turn, even where the store never makes anybody wait. */
const perTurnBytes = 256 * 1_024;
/** What a delete costs however small the object is. */
const objectBytes = 4 * 1_024;

interface DeleterDeps {
  readonly objects: ObjectStore;
  readonly admission: AdmissionChain;
  readonly clock: Clock;
  /** Reads large objects; absent: they are read here. */
  readonly largeWork?: LargeWork | undefined;
}

export class Deleter {
  readonly #deps: DeleterDeps;

  constructor(deps: DeleterDeps) {
    this.#deps = deps;
  }

  async delete(served: ServedKind, name: string, request: DeleteRequest, context: RequestContext): Promise<DeleteAnswer> {
    const key = keyText({ namespace: context.namespace, name });
    // Once marked by this request, another one may complete the deletion; that is fine too.
    let marked: CachedObject | undefined;
    let of: DeleteAnswer['of'] = { name };
    for (;;) {
      const found = this.#deps.objects.get(served, key);
      if (found === undefined) {
        if (marked === undefined) throw notFound(resourceOf(served), name);
        return { gone: true, object: marked.as(served.form), of };
      }
      const shown = found.as(served.form);
      const { largeWork } = this.#deps;
      const isLarge = shown.decoded === undefined && largeWork?.takes(served.kind, undefined, shown.json) === true;
      if (isLarge) await decodeElsewhere(largeWork, shown, context.signal);
      const previous = shown.object();
      of = previous.metadata;
      checkPreconditions(served.kind, previous, marked === undefined ? request : { ...request, resourceVersion: undefined });
      await this.#admit(served, previous, context);
      const plan = planDeletion(served.kind, previous, request, this.#deps.clock.nowMs());
      if (plan.do === 'nothing') return { gone: false, object: found.as(served.form), of };
      if (context.dryRun) return { ...dryRun(served, found, plan), of };
      if (plan.do === 'mark') {
        const stored = await this.#mark(served, found, plan, context.signal);
        if (stored === undefined) continue;
        if (!plan.thenRemove) return { gone: false, object: stored.as(served.form), of };
        marked = stored;
      }
      const last = plan.do === 'mark' ? this.#deps.objects.get(served, key) : found;
      if (last === undefined) continue;
      const removed = await this.#deps.objects.remove(served, last, context.signal);
      if (removed === undefined) continue;
      const freeing = this.#deps.admission.removed(served.kind, previous);
      if (freeing !== undefined) await freeing;
      return { gone: true, object: removed, of };
    }
  }

  /** Deletes what was listed, in parallel; what has gone meanwhile does not matter. */
  async deleteAll(served: ServedKind, listed: ListAnswer, request: DeleteRequest, context: RequestContext): Promise<ListAnswer> {
    const waiting = listed.items[Symbol.iterator]();
    const slice = new WorkSlice(perTurnBytes);
    const work = async (): Promise<void> => {
      for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
        while (slice.isOver) await slice.rest();
        slice.spend(next.value.json.length + objectBytes);
        try {
          // Decoded only when its turn comes: the delete needs that anyway.
          const name = next.value instanceof CachedObject ? next.value.name : (next.value.object().metadata.name ?? '');
          await this.delete(served, name, request, context);
        } catch (error) {
          if (!hasReason(error, 'NotFound')) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return listed;
  }

  async #admit(served: ServedKind, previous: KubeObject, context: RequestContext): Promise<void> {
    const { admission } = this.#deps;
    const name = previous.metadata.name ?? '';
    const request = { kind: served.kind, operation: 'DELETE', name, context, object: undefined, previous } as const;
    await admission.mutate(request);
    await admission.validate(request);
  }

  /** Stores the marked object. Undefined: a concurrent write won. */
  async #mark(
    served: ServedKind,
    found: CachedObject,
    plan: DeletionPlan & { do: 'mark' },
    signal: AbortSignal,
  ): Promise<CachedObject | undefined> {
    const { objects } = this.#deps;
    const previous = found.as(served.form).object();
    const next = markedObject(served, previous, plan);
    if (equalJson(next as unknown as Json, previous as unknown as Json)) return found;
    const { bytes, stored } = objects.encode(served, next);
    const { key, revision: expectedRevision, createRevision } = found;
    return await objects.put({ served, key, bytes, expectedRevision, createRevision, object: stored }, signal);
  }
}

function markedObject({ kind }: ServedKind, previous: KubeObject, plan: DeletionPlan & { do: 'mark' }): KubeObject {
  const next: KubeObject = { ...previous, metadata: { ...plan.metadata } };
  if (plan.beginsHold) kind.deletionHold?.begin(next);
  return next;
}

function dryRun(served: ServedKind, found: CachedObject, plan: DeletionPlan): Omit<DeleteAnswer, 'of'> {
  const object = found.as(served.form);
  if (plan.do !== 'mark') return { gone: plan.do === 'remove', object };
  return { gone: plan.thenRemove, object: plainEncoded(markedObject(served, object.object(), plan)) };
}

/** Throws Conflict where the object is not the one that the client means to delete. */
export function checkPreconditions(kind: KindDefinition, object: KubeObject, { uid, resourceVersion }: DeleteRequest): void {
  // Member by member: the rest may be large.
  const { metadata } = object;
  const { name = '' } = metadata;
  const refuse = (why: string): ApiError => conflict({ group: kind.group, plural: kind.kind }, name, why);
  if (uid !== undefined && uid !== metadata.uid) {
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion ?? ''}). The object might have been modified`,
    );
  }
}
