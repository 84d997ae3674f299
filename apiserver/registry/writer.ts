// Guarded writes. Every attempt starts from the newest object and runs all steps anew; a lost race starts the next attempt. An attempt
// only fails when another one succeeded, so the loop terminates.
import { keyOf, keyText, type KubeObject, type ObjectMeta } from '#api/meta/object.ts';
import { invalid, invalidObject } from '#api/meta/field-problem.ts';
import { alreadyExists, ApiError, conflict, notFound, resourceText } from '#api/meta/status.ts';
import { keepTimesWhenUnchanged } from '#api/patch/managed-fields.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import { adopt, type LargeWrite } from '../large/large-write.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import { turn } from '../work-slice.ts';
import type { AlongObject, Encoded, RequestContext } from './contract.ts';
import { plainError } from './failures.ts';
import type { ObjectWrite } from './object-store.ts';
import { isReleased } from './plan-deletion.ts';
import { checkName, isUnchanged, setNamespace, setType, wipeSystemFields } from './prepare.ts';
import { plainEncoded } from './plain-encoded.ts';
import type { ServedKind } from './served-kinds.ts';
import { type AlongDeps, putAlong } from './write-along.ts';
import { createSteps, type StepsRequest, updateSteps } from './write-steps.ts';

const nameAttempts = 8;
/** What a client reads when its resourceVersion is not the newest any more. */
const staleMessage = 'the object has been modified; please apply your changes to the latest version and try again';

export interface UpdateRequest {
  readonly served: ServedKind;
  readonly name: string;
  readonly context: RequestContext;
  /**
   * Gives the next object for the newest one (undefined: there is none), decoded and with defaults. Called in every attempt; may
   * keep nothing of `current`, which is shared, unless `takesCopy` says that it gets one of its own.
   */
  readonly next: (current: KubeObject | undefined) => KubeObject | Promise<KubeObject>;
  readonly takesCopy?: boolean;
  /** What is sent is the object itself: its name is checked before its existence is checked. */
  readonly isWhole?: boolean;
  /** Whether the object is made when it is not there. */
  readonly mayCreate: boolean;
  /** A uid that the object must have, known before the first attempt. */
  readonly uid?: string | undefined;
  /** Computes managedFields; apply has done so already. */
  readonly keepsOwners: boolean;
  /** Drops managedFields to make an object fit that would be too large with them. */
  readonly mayShrink: boolean;
  /** Does the long steps where there is much to do: what it proposes has its owners already, and `next` is asked only where it proposes nothing. */
  readonly large?: LargeWrite | undefined;
}

export interface Written {
  readonly encoded: Encoded;
  readonly created: boolean;
}

export class Writer {
  readonly #deps: AlongDeps;

  constructor(deps: AlongDeps) {
    this.#deps = deps;
  }

  /** Stores a new object; keeps and changes it. `large`: has proposed it, with its owners. */
  async create(served: ServedKind, object: KubeObject, context: RequestContext, large?: LargeWrite): Promise<Encoded> {
    const { kind } = served;
    const meta = object.metadata;
    setType(kind, object);
    wipeSystemFields(meta);
    setNamespace(kind, meta, context.namespace);
    const isNamed = (meta.name ?? '') !== '' || (meta.generateName ?? '') === '';
    const mayBeBlocked = this.#deps.admission.writesAlong(kind);
    for (let attempt = 1; ; attempt++) {
      const isLast = isNamed || attempt >= nameAttempts;
      const mine = isLast && !mayBeBlocked ? object : (large?.again() ?? (cloneJson(object as never) as KubeObject));
      if (large === undefined) this.#own(served, mine, undefined, context);
      const made = await this.#tryCreate(served, mine, { context, large, mayShrink: true });
      if (made !== undefined) return made;
      context.signal.throwIfAborted();
      // What was to be stored along was in the way; the next attempt knows of it.
      const isBlocked = mayBeBlocked && this.#deps.objects.get(served, keyText(keyOf(mine))) === undefined;
      if (isLast && !isBlocked) throw this.#exists(served, mine.metadata, isNamed);
    }
  }

  /** Changes the newest object under guard. */
  async update(request: UpdateRequest): Promise<Written> {
    const { served, name, context, large } = request;
    const { kind } = served;
    const key = keyText({ namespace: context.namespace, name });
    for (;;) {
      const found = this.#deps.objects.get(served, key);
      const current = found?.as(served.form);
      const proposed = await large?.propose(current);
      const previous = current?.object();
      if (large !== undefined) await turn();
      if (proposed !== undefined && request.isWhole === true) {
        setNamespace(kind, proposed.metadata, context.namespace);
        checkName(proposed.metadata, name, context.namespace);
      }
      const uid = large?.uid ?? request.uid ?? '';
      if (uid !== '') checkUid(served, key, uid, previous?.metadata.uid ?? '');
      if (previous === undefined && !request.mayCreate) throw notFound(resourceOf(served), name);
      const shown = request.takesCopy === true && previous !== undefined ? (cloneJson(previous as never) as KubeObject) : previous;
      const next = proposed ?? (await request.next(shown));
      const own = proposed === undefined ? request : { ...request, keepsOwners: false };
      setType(kind, next);
      setNamespace(kind, next.metadata, context.namespace);
      checkName(next.metadata, name, context.namespace);
      const written =
        found === undefined || current === undefined || previous === undefined
          ? await this.#createByUpdate(own, next)
          : await this.#tryUpdate(own, next, { found, current, previous });
      if (written !== undefined) return written;
      context.signal.throwIfAborted();
    }
  }

  async #tryCreate(
    served: ServedKind,
    object: KubeObject,
    { context, large, mayShrink }: Omit<StepsRequest, 'served'>,
  ): Promise<Encoded | undefined> {
    const { objects } = this.#deps;
    const along: AlongObject[] = [];
    const end = await createSteps(object, { served, context, large, mayShrink, along }, this.#deps);
    let outcome: 'committed' | 'dropped' = 'dropped';
    try {
      // What is no revision is not looked at, as upstream.
      if (/^0*[1-9]\d*$/.test(object.metadata.resourceVersion ?? '')) {
        throw plainError('resourceVersion should not be set on objects to be created');
      }
      delete object.metadata.resourceVersion;
      const key = keyText({ namespace: object.metadata.namespace, name: object.metadata.name ?? '' });
      if (context.dryRun) return objects.get(served, key) === undefined ? plainEncoded(object) : undefined;
      const { bytes, stored } = this.#fitting(served, object, { large, mayShrink });
      const write: ObjectWrite = { served, key, bytes, expectedRevision: 0, createRevision: undefined, object: stored };
      const made = along.length === 0 ? await objects.put(write, context.signal) : await putAlong(write, along, this.#deps, context.signal);
      if (made !== undefined) outcome = 'committed';
      return made;
    } finally {
      const ending = end(outcome);
      if (ending !== undefined) await ending;
    }
  }

  /** An update that made the object, or undefined when another client just did. */
  async #createByUpdate({ served, context, keepsOwners, name, large }: UpdateRequest, next: KubeObject): Promise<Written | undefined> {
    await context.mayCreate?.();
    const uid = next.metadata.uid ?? '';
    if (uid !== '') {
      throw conflict(resourceOf(served), name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
    }
    wipeSystemFields(next.metadata);
    delete next.metadata.resourceVersion;
    if (keepsOwners) this.#own(served, next, undefined, context);
    const encoded = await this.#tryCreate(served, next, { context, large, mayShrink: true });
    return encoded && { encoded, created: true };
  }

  async #tryUpdate(
    request: UpdateRequest,
    next: KubeObject,
    { found, current, previous }: { found: CachedObject; current: CachedObject; previous: KubeObject },
  ): Promise<Written | undefined> {
    const { served, name, context, large, mayShrink } = request;
    const { objects, admission } = this.#deps;
    checkVersion(served, name, next.metadata, previous.metadata);
    if (request.keepsOwners) this.#own(served, next, previous, context);
    const along: AlongObject[] = [];
    const end = await updateSteps(next, previous, { served, context, large, mayShrink, along }, this.#deps);
    let outcome: 'committed' | 'dropped' = 'dropped';
    try {
      if (isReleased(served.kind, next, previous)) {
        const removed = context.dryRun ? current : await objects.remove(served, found, context.signal);
        if (removed === undefined) return undefined;
        outcome = 'committed';
        if (!context.dryRun) await admission.removed(served.kind, next);
        next.metadata.resourceVersion = removed.resourceVersion;
        return { encoded: plainEncoded(next), created: false };
      }
      const judged = large?.judged;
      if (judged === undefined) keepTimesWhenUnchanged(next, previous);
      if ((judged?.isUnchanged ?? isUnchanged(next, previous)) && !objects.isOutdated(served, found.key)) {
        outcome = 'committed';
        return { encoded: current, created: false };
      }
      if (judged?.owners === 'previous') carryOwners(next, previous);
      if (context.dryRun) return { encoded: plainEncoded(next), created: false };
      const { bytes, stored } = this.#fitting(served, next, { large, mayShrink });
      const { key, revision: expectedRevision, createRevision } = found;
      const write: ObjectWrite = { served, key, bytes, expectedRevision, createRevision, object: stored };
      const encoded =
        along.length === 0 ? await objects.put(write, context.signal) : await putAlong(write, along, this.#deps, context.signal);
      if (encoded === undefined) return undefined;
      outcome = 'committed';
      return { encoded, created: false };
    } finally {
      const ending = end(outcome);
      if (ending !== undefined) await ending;
    }
  }

  #own(served: ServedKind, next: KubeObject, previous: KubeObject | undefined, context: RequestContext): void {
    const { fieldManager: manager, subresource } = context;
    served.ownership.onUpdate(next, previous, { manager, subresource, nowMs: this.#deps.clock.nowMs() });
  }

  /** The bytes to store; without managedFields where they alone make the object too large. */
  #fitting(
    served: ServedKind,
    object: KubeObject,
    { large, mayShrink }: Pick<StepsRequest, 'large' | 'mayShrink'>,
  ): { bytes: Uint8Array; stored: KubeObject | undefined } {
    const judged = large?.judged;
    if (judged !== undefined) {
      return { bytes: judged.bytes, stored: served.toStored === undefined ? adopt(object, served.kind, judged) : undefined };
    }
    const encoded = this.#deps.objects.encode(served, object);
    if (!mayShrink || this.#deps.objects.fits(encoded.bytes) || object.metadata.managedFields === undefined) return encoded;
    delete object.metadata.managedFields;
    return this.#deps.objects.encode(served, object);
  }

  #exists(served: ServedKind, meta: ObjectMeta, isNamed: boolean): ApiError {
    const name = meta.name ?? '';
    const resource = resourceOf(served);
    const plain = alreadyExists(resource, name);
    if (!isNamed) {
      const message = `${resourceText(resource)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`;
      return new ApiError({ reason: 'AlreadyExists', message, details: { ...plain.details, retryAfterSeconds: 1 } });
    }
    const there = this.#deps.objects.find(served, keyText({ namespace: meta.namespace, name }));
    if (there?.object().metadata.deletionTimestamp === undefined) return plain;
    return new ApiError({ reason: 'AlreadyExists', message: `object is being deleted: ${plain.message}`, details: plain.details ?? {} });
  }
}

/** How messages name the kind. */
export function resourceOf({ kind }: ServedKind): { group: string; plural: string } {
  return { group: kind.group, plural: kind.names.plural };
}

function carryOwners(next: KubeObject, { metadata: { managedFields } }: KubeObject): void {
  if (managedFields === undefined) delete next.metadata.managedFields;
  else next.metadata.managedFields = managedFields;
}

/** Refuses an update of another object than the client meant. */
function checkUid(served: ServedKind, key: string, wanted: string, uid: string): void {
  if (wanted === uid) return;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`;
  const name = key.slice(key.indexOf('/') + 1);
  throw conflict(
    resourceOf(served),
    name,
    `StorageError: invalid object, Code: 4, Key: ${served.prefix}${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  );
}

/** Refuses an update that started from an older object; without a resourceVersion it goes to whatever is newest, where the kind allows. */
function checkVersion(served: ServedKind, name: string, next: ObjectMeta, previous: ObjectMeta): void {
  const given = next.resourceVersion ?? '';
  if (revisionOf(given) === 0) {
    if (served.kind.unconditionalUpdate === false) {
      const { plural, group } = resourceOf(served);
      const problem = invalid('metadata.resourceVersion', 0, 'must be specified for an update');
      throw invalidObject({ group, kind: plural }, name, [problem]);
    }
    if (previous.resourceVersion !== undefined) next.resourceVersion = previous.resourceVersion;
  } else if (revisionOf(given) !== revisionOf(previous.resourceVersion ?? '')) {
    throw conflict(resourceOf(served), name, staleMessage);
  }
}

/** A resourceVersion as upstream's storage reads it. Throws what comes of other texts there. */
function revisionOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d+$/.test(text)) throw plainError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
