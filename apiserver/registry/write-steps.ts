// The steps that every write goes through, for one attempt: mutating admission, reservation, preparation, validation, validating
// admission. Decoding, defaults, patches and ownership come before, comparing and storing after.
import type { KubeObject } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import type { AdmissionChain } from './admission-chain.ts';
import type { LargeWrite } from '../large/large-write.ts';
import { type AdmissionRequest, type AlongObject, type AttemptEnd, endAll, type RequestContext } from './contract.ts';
import {
  checkCreate,
  checkUpdate,
  dedupOwnerReferences,
  fillSystemFields,
  prepareCreate,
  prepareUpdate,
  updateWarnings,
} from './prepare.ts';
import type { ServedKind } from './served-kinds.ts';
import { generateName } from '#api/meta/random-name.ts';

export interface StepsDeps {
  readonly admission: AdmissionChain;
  readonly clock: Clock;
}

/** One write on its way. */
export interface StepsRequest {
  readonly served: ServedKind;
  readonly context: RequestContext;
  /** Judges the object where it is large. */
  readonly large?: LargeWrite | undefined;
  /** Whether owners may be dropped to make it fit. */
  readonly mayShrink: boolean;
  /** Gets what is to be stored with it. */
  readonly along?: AlongObject[] | undefined;
}

/**
 * Makes `object` ready to be stored as a new one; changes it in place. Returns whom to notify of the attempt's outcome; when this throws,
 * they have been notified.
 */
export async function createSteps(object: KubeObject, steps: StepsRequest, deps: StepsDeps): Promise<AttemptEnd> {
  const { served, context, large, mayShrink, along } = steps;
  const { kind } = served;
  const meta = object.metadata;
  // Of patches, what admission makes of them is looked at alone, as upstream does.
  if (context.verb !== 'patch') dedupOwnerReferences(meta, context.warn, false);
  const asked = { kind, operation: 'CREATE', name: meta.name ?? '', context, object, previous: undefined } as const;
  const request: AdmissionRequest = along === undefined ? asked : { ...asked, along };
  const mutating = deps.admission.mutate(request);
  if (mutating !== undefined) await mutating;
  dedupOwnerReferences(meta, context.warn, true);
  const nowMs = deps.clock.nowMs();
  fillSystemFields(meta, nowMs);
  if ((meta.name ?? '') === '' && (meta.generateName ?? '') !== '') meta.name = generateName(meta.generateName ?? '');
  const named = meta.name === request.name ? request : { ...request, name: meta.name ?? '' };
  return await reserving(named, deps, () => {
    const write = { verb: 'create', subresource: context.subresource, nowMs, user: context.user } as const;
    prepareCreate(kind, object, write);
    if (large !== undefined) return large.judge(object, write, mayShrink).then(() => deps.admission.validate(named));
    checkCreate(kind, object, write);
    for (const text of kind.warnings?.(object, undefined) ?? []) context.warn(text);
    return deps.admission.validate(named);
  });
}

/** Makes `next` ready to replace `previous`; changes it in place. Answers as `createSteps` does. */
export async function updateSteps(
  next: KubeObject,
  previous: KubeObject,
  { served, context, large, mayShrink, along }: StepsRequest,
  deps: StepsDeps,
): Promise<AttemptEnd> {
  const { kind } = served;
  if (context.verb !== 'patch') dedupOwnerReferences(next.metadata, context.warn, false);
  const asked = { kind, operation: 'UPDATE', name: previous.metadata.name ?? '', context, object: next, previous } as const;
  const request: AdmissionRequest = along === undefined ? asked : { ...asked, along };
  const mutating = deps.admission.mutate(request);
  if (mutating !== undefined) await mutating;
  dedupOwnerReferences(next.metadata, context.warn, true);
  return await reserving(request, deps, () => {
    const write = { verb: 'update', subresource: context.subresource, nowMs: deps.clock.nowMs(), user: context.user } as const;
    prepareUpdate(kind, next, previous, write);
    if (large !== undefined) return large.judge(next, write, mayShrink).then(() => deps.admission.validate(request));
    checkUpdate(kind, next, previous, write);
    for (const text of updateWarnings(kind, next, previous, context.subresource)) context.warn(text);
    return deps.admission.validate(request);
  });
}

/** Waits where something waits, and only there. */
async function reserving(request: AdmissionRequest, { admission }: StepsDeps, rest: () => Promise<void> | undefined): Promise<AttemptEnd> {
  const reserved = admission.reserve(request);
  const end = reserved instanceof Promise ? await reserved : reserved;
  try {
    const validating = rest();
    if (validating !== undefined) await validating;
    const charging = admission.charge(request);
    const charged = charging instanceof Promise ? await charging : charging;
    return endAll([charged, end]);
  } catch (error) {
    await end('dropped');
    throw error;
  }
}
