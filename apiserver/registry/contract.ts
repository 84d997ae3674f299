// The generic registry as the HTTP layer sees it: one object that holds every kind, knows the request's steps, and hides the store.
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject, ObjectMeta } from '#api/meta/object.ts';
import type { RequestAudit } from '../audit/contract.ts';

/** Who asks; filled in by authentication. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What every operation carries. */
export interface RequestContext {
  readonly user: UserInfo;
  /** '' for cluster-scoped kinds and for all namespaces. */
  readonly namespace: string;
  /** '' or `status`, `scale`, … */
  readonly subresource: string;
  /** The request's verb (`update`, `patch`), for rights that it needs besides; absent where the server writes on its own account. */
  readonly verb?: string;
  readonly fieldManager: string;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly dryRun: boolean;
  /** Adds a warning header to the answer. */
  readonly warn: (text: string) => void;
  /** Asked before a PUT or an apply patch makes an object, which is a right of its own. Throws Forbidden. Absent: it may. */
  readonly mayCreate?: (() => void | Promise<void>) | undefined;
  /** Records the request body and admission's annotations; absent where the request is not audited. */
  readonly audit?: RequestAudit | undefined;
  readonly signal: AbortSignal;
}

/** A body as it came: bytes and media type; the registry decodes, since strictness depends on the kind. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly mediaType: 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf';
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/**
 * An object ready for the wire: its encoded JSON in the served version (with kind and apiVersion), which must not be changed, and
 * the decoded form on demand (shared, read-only).
 */
export interface Encoded {
  readonly json: Uint8Array;
  readonly resourceVersion: string;
  /** The decoded object, where it is available. */
  readonly decoded?: KubeObject | undefined;
  object(): KubeObject;
}

export interface ListRequest {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly limit: number | undefined;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  /** Skips stored values that cannot be read, instead of failing. Only for callers that work with a partial list. */
  readonly skipsUnreadable?: boolean;
}

export interface ListAnswer {
  readonly items: Iterable<Encoded>;
  readonly count: number;
  readonly resourceVersion: string;
  /** '' at the end. */
  readonly continue: string;
  readonly remainingItemCount: number | undefined;
}

export interface WatchRequest extends ListRequest {
  readonly allowBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

/** One frame for a watcher. `encoded` of a BOOKMARK holds only metadata. The same object is shared by all watchers of an event. */
export interface WatchFrame {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly encoded: Encoded;
  /** The whole line `{"type":…,"object":…}\n`, made once and shared. */
  readonly line: Uint8Array;
}

export interface DeleteRequest {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: 'Orphan' | 'Background' | 'Foreground' | undefined;
  /** The old spelling; upstream refuses both together. */
  readonly orphanDependents: boolean | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** What a delete did: the object is gone (and answered), or it stays for now with a deletionTimestamp. */
export interface DeleteAnswer {
  readonly gone: boolean;
  readonly object: Encoded;
  /** The uid, available without decoding the object, which may be large. */
  readonly of: Pick<ObjectMeta, 'name' | 'uid'>;
}

/** Changes an object in a guarded loop: gets the newest, gives the next. Throwing an ApiError ends it. */
export type Change = (current: KubeObject) => KubeObject | Promise<KubeObject>;

export interface Registry {
  /** Every kind now served, in discovery order. */
  kinds(): readonly KindDefinition[];
  find(group: string, version: string, plural: string): KindDefinition | undefined;

  get(kind: KindDefinition, name: string, resourceVersion: string, context: RequestContext): Promise<Encoded>;
  /**
   * What the cache holds at this moment, without waiting: for admission, which every write pays for. With several API servers it may
   * lag; who must not miss what another has just made asks `get`, too. '' is the namespace of cluster-scoped kinds.
   */
  peek(kind: KindDefinition, namespace: string, name: string): Encoded | undefined;
  /** All of one namespace, by name; as `peek`. Costs nothing where there are none. */
  peekAll(kind: KindDefinition, namespace: string): readonly Encoded[];
  list(kind: KindDefinition, request: ListRequest, context: RequestContext): Promise<ListAnswer>;
  watch(kind: KindDefinition, request: WatchRequest, context: RequestContext): Promise<AsyncIterable<readonly WatchFrame[]>>;
  create(kind: KindDefinition, body: Body, context: RequestContext): Promise<Encoded>;
  /** `created` says whether the PUT made the object. */
  update(kind: KindDefinition, name: string, body: Body, context: RequestContext): Promise<{ encoded: Encoded; created: boolean }>;
  patch(
    kind: KindDefinition,
    name: string,
    patch: { type: PatchType; bytes: Uint8Array; force: boolean },
    context: RequestContext,
  ): Promise<{ encoded: Encoded; created: boolean }>;
  delete(kind: KindDefinition, name: string, request: DeleteRequest, context: RequestContext): Promise<DeleteAnswer>;
  deleteCollection(kind: KindDefinition, list: ListRequest, request: DeleteRequest, context: RequestContext): Promise<ListAnswer>;
  /** For sub-resources and admission plugins inside the server: create from an object, and change under guard with all the steps. */
  createObject(kind: KindDefinition, object: KubeObject, context: RequestContext): Promise<Encoded>;
  change(kind: KindDefinition, name: string, change: Change, context: RequestContext): Promise<Encoded>;
  /** Asks admission about an act that is no write of a stored object, such as an eviction, a token or a connection. Throws its refusal. */
  admit(request: AdmissionRequest): Promise<void>;
}

/** One write as admission sees it. */
export interface AdmissionRequest {
  readonly kind: KindDefinition;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly name: string;
  readonly context: RequestContext;
  /** Undefined for deletes and connections. Mutating plugins change it in place. */
  readonly object: KubeObject | undefined;
  /** Undefined for creates and connections. Read-only. */
  readonly previous: KubeObject | undefined;
  /** Where `reserve` adds what is to be stored with the object; absent where nothing can be. */
  readonly along?: AlongObject[];
}

/** A new object of the server's own that is stored in one commit with the one that is written, or neither is. */
export interface AlongObject {
  readonly kind: KindDefinition;
  /** Given away. */
  readonly object: KubeObject;
  /** Revision of what it takes the place of; absent: nothing may be there. */
  readonly replaces?: number;
}

/**
 * Called once when an attempt that reserved something is over: committed, or not (refused, lost a race, dry-run). May not throw. What it
 * answers is waited for before the client hears of the attempt: so that whoever asks for what was given back, at whichever server, finds
 * it free.
 */
export type AttemptEnd = (outcome: 'committed' | 'dropped') => Promise<void> | undefined;

/** Notifies all of the outcome of the attempt; returns a promise only where one of them is asynchronous. */
export function endAll(ends: readonly AttemptEnd[]): AttemptEnd {
  return (outcome) => {
    let ending: Promise<void> | undefined;
    for (const end of ends) {
      const own = end(outcome);
      if (own !== undefined) ending = ending === undefined ? own : Promise.all([ending, own]).then(() => undefined);
    }
    return ending;
  };
}

/**
 * One admission plugin; absent points are not called. Refuses by throwing an ApiError. All points but `removed` are called anew in
 * every attempt of a guarded write.
 */
export interface AdmissionPlugin {
  readonly name: string;
  /** True: asked about CONNECT, too (exec, attach, port-forward, proxies). Others see writes only. */
  readonly seesConnects?: boolean;
  /** Kinds whose objects it may store others along with. One that is in the way brings the next attempt. */
  readonly writesAlong?: (kind: KindDefinition) => boolean;
  readonly mutate?: (request: AdmissionRequest) => void | Promise<void>;
  /**
   * Takes what an object needs from a pool (a Service's addresses and ports) and writes it into the object. Comes last before the
   * kind prepares and validates it: defaults, identity (name, uid) and mutating admission are done. Only for CREATE and UPDATE. What
   * it answers is called when the attempt is over, so that what was taken can be given back (or, after an update, what the
   * previous object no longer uses).
   */
  readonly reserve?: (request: AdmissionRequest) => AttemptEnd | undefined | Promise<AttemptEnd | undefined>;
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
  /**
   * Takes what the object costs (its share of a quota), when nothing else can refuse it any more but the store. As with `reserve`,
   * the returned function is called with the outcome of the attempt. Only for CREATE and UPDATE.
   */
  readonly charge?: AdmissionPlugin['reserve'];
  /**
   * The object has gone from the store by a delete or by an update that took its last finalizer. May not throw. What it answers is waited
   * for before the client hears of it: so that whoever asks for what the object held, at whichever server, finds it free.
   */
  readonly removed?: (kind: KindDefinition, object: KubeObject) => Promise<void> | undefined;
}
