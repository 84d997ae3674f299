// Objects that are stored in one commit with another one, so that no crash and no race leaves one of them alone: a Service and the
// IPAddress objects of its addresses.
import { keyText } from '#api/meta/object.ts';
import { internalContext } from '../internal-context.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import { type AlongObject, type AttemptEnd, endAll } from './contract.ts';
import type { ObjectStore, ObjectWrite } from './object-store.ts';
import type { ServedKinds } from './served-kinds.ts';
import { createSteps, type StepsDeps } from './write-steps.ts';

export interface AlongDeps extends StepsDeps {
  readonly objects: ObjectStore;
  readonly served: ServedKinds;
}

type OtherWrite = NonNullable<ObjectWrite['along']>[number];

/**
 * Makes the others ready as new objects of the server's own, with all steps, and writes everything or nothing. Undefined when a guard
 * did not hold.
 */
export async function putAlong(
  write: ObjectWrite,
  others: readonly AlongObject[],
  deps: AlongDeps,
  signal: AbortSignal,
): Promise<CachedObject | undefined> {
  const ends: AttemptEnd[] = [];
  let outcome: 'committed' | 'dropped' = 'dropped';
  try {
    const along: OtherWrite[] = [];
    for (const other of others) along.push(await prepared(other, ends, deps, signal));
    const made = await deps.objects.put({ ...write, along }, signal);
    if (made !== undefined) outcome = 'committed';
    return made;
  } finally {
    const ending = endAll(ends)(outcome);
    if (ending !== undefined) await ending;
  }
}

async function prepared(
  { kind, object, replaces = 0 }: AlongObject,
  ends: AttemptEnd[],
  deps: AlongDeps,
  signal: AbortSignal,
): Promise<OtherWrite> {
  const served = deps.served.get(kind);
  const { namespace = '', name = '' } = object.metadata;
  const context = internalContext({ namespace }, signal);
  for (const rule of kind.defaults ?? []) rule(object);
  served.ownership.onUpdate(object, undefined, { manager: context.fieldManager, subresource: '', nowMs: deps.clock.nowMs() });
  ends.push(await createSteps(object, { served, context, mayShrink: false }, deps));
  const { bytes, stored } = deps.objects.encode(served, object);
  return { served, key: keyText({ namespace: object.metadata.namespace, name }), bytes, object: stored, expectedRevision: replaces };
}
